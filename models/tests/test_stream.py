import dataclasses
import io
import struct

import numpy as np
import pytest

from bevrt_models.stream import (
    BackgroundReader,
    Message,
    StreamError,
    check_training_message,
    decode,
    encode,
    read_messages,
)


def example(step: int = 0) -> Message:
    arrays = {
        "images": np.arange(30, dtype=np.uint8).reshape(2, 3, 5),
        "coarse_index": np.array([3, -1], np.int32),
        "odom_from_ego": np.eye(4),
        "objects": np.zeros((0, 16), np.float32),
    }
    return Message(3, 17, step, step == 0, 1_500_000_000, arrays)


def test_a_message_survives_the_stream():
    data = io.BytesIO(encode(example(0)) + encode(example(1)))
    first, second = read_messages(data)
    assert (first.drive, first.seed, first.new_drive, first.stamp_ns) == (3, 17, True, 1500000000)
    assert second.step == 1 and not second.new_drive
    for name, array in example().arrays.items():
        np.testing.assert_array_equal(first.arrays[name], array)
        assert first.arrays[name].dtype == array.dtype


def test_what_is_masked_survives_and_form_1_masks_nothing():
    masked = frozenset({"arrows", "lanes.z"})
    message = dataclasses.replace(example(), masked=masked)
    assert decode(encode(message)[4:]).masked == masked
    body = encode(message)[4:]
    assert decode(body.replace(b'"form": 2, ', b" " * 11)).masked == frozenset()


def test_an_unknown_form_and_an_unknown_mask_are_refused():
    body = encode(example())[4:]
    with pytest.raises(StreamError, match="form 9, expected 1 or 2"):
        decode(body.replace(b'"form": 2', b'"form": 9'))
    wrong = encode(dataclasses.replace(example(), masked=frozenset({"signs"})))[4:]
    with pytest.raises(StreamError, match="signs"):
        decode(wrong)


def test_arrays_are_aligned_to_eight_bytes():
    body = encode(example())[4:]
    (header,) = struct.unpack_from("<I", body)
    assert (4 + 4 + header) % 8 == 0
    assert all(
        array.__array_interface__["data"][0] % 8 == np.frombuffer(body, np.uint8, 1, 4 + header)
        .__array_interface__["data"][0] % 8
        for array in decode(body).arrays.values() if array.size
    )  # fmt: skip


def test_a_cut_stream_is_refused_with_numbers():
    data = encode(example())
    with pytest.raises(StreamError, match=f"of {len(data) - 4} bytes"):
        list(read_messages(io.BytesIO(data[:-5])))
    with pytest.raises(StreamError, match="2 of 4"):
        list(read_messages(io.BytesIO(data + b"\0\0")))


def test_an_array_that_leaves_the_message_is_refused():
    body = bytearray(encode(example())[4:])
    position = bytes(body).index(b'"shape": [2, 3, 5]')
    body[position : position + 18] = b'"shape": [2, 3,99]'
    with pytest.raises(StreamError, match="images ends at byte"):
        decode(bytes(body))


def test_a_message_without_truth_is_no_training_message():
    with pytest.raises(StreamError, match="lane_points"):
        check_training_message(example())


def test_the_reader_hands_an_error_of_its_thread_to_the_consumer():
    reader = BackgroundReader(io.BytesIO(encode(example())[:-1]), lambda message: message)
    with pytest.raises(StreamError):
        list(reader)


def test_the_reader_keeps_the_order():
    data = io.BytesIO(b"".join(encode(example(step)) for step in range(20)))
    assert list(BackgroundReader(data, lambda m: m.step, depth=2)) == list(range(20))
