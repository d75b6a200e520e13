"""Streams of commands, each in its own process."""

import pytest
from synthetic import stream

from bevrt_models.batch import Augment
from bevrt_models.config import tiny_contract
from bevrt_models.loader import DRIVES_APART, command_samples


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "stream.bin"
    path.write_bytes(stream(drives=2, steps=2).getvalue())
    return path


def test_every_stream_runs_the_command_with_its_number_and_drives_of_its_own(file):
    command = f"echo $STREAM >> {file.parent}/numbers; cat {file}"
    samples = list(command_samples(command, 2, 1, tiny_contract(), Augment(), 5))
    drives = sorted({sample.message.drive for sample in samples})
    assert drives == [number * DRIVES_APART + drive for number in (2, 3) for drive in (0, 1)]
    assert len(samples) == 8
    for drive in drives:
        steps = [s.message.step for s in samples if s.message.drive == drive]
        assert steps == sorted(steps)
    assert sorted((file.parent / "numbers").read_text().split()) == ["2", "3"]


def test_a_broken_stream_is_an_error_of_the_trainer(file):
    command = f"head -c 1000 {file}"
    with pytest.raises(Exception, match="stream ends inside a message"):
        list(command_samples(command, 1, 0, tiny_contract(), Augment(), 5))
