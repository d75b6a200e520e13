"""Reads and writes the training stream: one message a drive step, header in JSON, raw arrays.

A message is u32 LE `total` (bytes after this field), u32 LE header bytes, the header, the arrays.
Offsets in the header count from the header's end; arrays are 8-byte aligned. The header holds
`form` (2), `drive` (slot), `seed`, `step`, `new_drive`, `stamp_ns`, `masked` (what the truth does
not tell, names of MASKS) and `arrays` [{name, dtype, shape, offset}]. Form 1 had neither `form`
nor `masked`: everything in it is told.
"""

from __future__ import annotations

import json
import queue
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from .config import HEAD_CHANNELS, OBJECT_CLASSES

FORM = 2
"""The form that is written; form 1 is read too."""
MASKS = frozenset({
    "depth", "classes", *HEAD_CHANNELS, *(f"objects.{name}" for name in OBJECT_CLASSES),
    "lanes.road_edge", "lanes.z", "arrows.z", "crosswalks.z", "stop_lines.z",
})  # fmt: skip
"""What a message may leave untold: tasks, and classes, types and values of a task."""

DTYPES = {"u8": np.uint8, "i32": np.int32, "f32": np.float32, "f64": np.float64}
DTYPE_NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}
MAX_MESSAGE_BYTES = 1 << 28

REQUIRED_ARRAYS = (
    "images", "rays", "coarse_index", "coarse_depth_index", "coarse_geometry", "fine_index",
    "fine_geometry", "odom_from_ego", "odom_from_ego_noisy", "depth", "classes", "objects",
    "lane_points", "lanes", "arrows", "crosswalks", "stop_lines",
)  # fmt: skip


class StreamError(ValueError):
    """The bytes do not follow the protocol; the message says what was expected and found."""


@dataclass
class Message:
    """One step of one drive: images, tables, poses and truth, by array name."""

    drive: int
    seed: int
    step: int
    new_drive: bool
    stamp_ns: int
    arrays: dict[str, np.ndarray]
    masked: frozenset[str] = frozenset()


def encode(message: Message) -> bytes:
    """The bytes of a message, the leading length included."""
    described, chunks, offset = [], [], 0
    for name, array in message.arrays.items():
        array = np.ascontiguousarray(array)
        if array.dtype not in DTYPE_NAMES:
            raise StreamError(f"array {name}: dtype {array.dtype} is not one of {list(DTYPES)}")
        pad = -offset % 8
        chunks.append(b"\0" * pad)
        offset += pad
        described.append(
            {"name": name, "dtype": DTYPE_NAMES[array.dtype], "shape": array.shape,
             "offset": offset}
        )  # fmt: skip
        chunks.append(array.tobytes())
        offset += array.nbytes
    header = json.dumps(
        {"form": FORM, "drive": message.drive, "seed": message.seed, "step": message.step,
         "new_drive": message.new_drive, "stamp_ns": message.stamp_ns,
         "masked": sorted(message.masked), "arrays": described}
    ).encode()  # fmt: skip
    # Arrays are aligned in the message too: prefix (4 + 4 bytes) and header end on 8.
    header += b" " * (-len(header) % 8)
    body = struct.pack("<I", len(header)) + header + b"".join(chunks)
    return struct.pack("<I", len(body)) + body


def decode(body: bytes) -> Message:
    """Parses what follows the length field; arrays are views into `body`.

    Raises StreamError for a bad header, an unknown type or an array that leaves the message.
    """
    if len(body) < 4:
        raise StreamError(f"message of {len(body)} bytes, expected at least 4")
    (header_bytes,) = struct.unpack_from("<I", body)
    start = 4 + header_bytes
    if start > len(body):
        raise StreamError(f"header of {header_bytes} bytes in a message of {len(body)}")
    header = json.loads(body[4:start])
    form = header.get("form", 1)
    if form not in (1, FORM):
        raise StreamError(f"message of form {form!r}, expected 1 or {FORM}")
    masked = frozenset(header["masked"] if form == FORM else ())
    if not masked <= MASKS:
        raise StreamError(f"masked: expected names of {sorted(MASKS)}, found {sorted(masked)}")
    arrays = {}
    for item in header["arrays"]:
        if item["dtype"] not in DTYPES:
            raise StreamError(f"array {item['name']}: dtype {item['dtype']!r}, expected {DTYPES}")
        kind = np.dtype(DTYPES[item["dtype"]])
        count = int(np.prod(item["shape"], dtype=np.int64))
        begin = start + int(item["offset"])
        if begin + count * kind.itemsize > len(body):
            raise StreamError(
                f"array {item['name']} ends at byte {begin + count * kind.itemsize} "
                f"of a message of {len(body)}"
            )
        array = np.frombuffer(body, kind, count, begin)
        arrays[item["name"]] = array.reshape(item["shape"])
    return Message(
        drive=int(header["drive"]), seed=int(header["seed"]), step=int(header["step"]),
        new_drive=bool(header["new_drive"]), stamp_ns=int(header["stamp_ns"]), arrays=arrays,
        masked=masked,
    )  # fmt: skip


def read_messages(source: BinaryIO) -> Iterator[Message]:
    """Yields messages until the end of the stream.

    Raises StreamError when the stream ends inside a message or a length is implausible.
    """
    while True:
        prefix = _read_up_to(source, 4)
        if not prefix:
            return
        if len(prefix) < 4:
            raise StreamError(f"stream ends inside a length field ({len(prefix)} of 4 bytes)")
        (total,) = struct.unpack("<I", prefix)
        if total > MAX_MESSAGE_BYTES:
            raise StreamError(f"message of {total} bytes, at most {MAX_MESSAGE_BYTES} expected")
        body = _read_up_to(source, total)
        if len(body) < total:
            raise StreamError(f"stream ends inside a message ({len(body)} of {total} bytes)")
        yield decode(body)


def check_training_message(message: Message) -> None:
    """Raises StreamError if an array that training needs is missing."""
    missing = [name for name in REQUIRED_ARRAYS if name not in message.arrays]
    if missing:
        raise StreamError(f"message lacks {missing}; it has {sorted(message.arrays)}")


class BackgroundReader:
    """Reads and prepares messages in a thread, `depth` prepared items ahead.

    `prepare` runs in that thread. Iterating ends with the stream; an error of the thread is raised
    in the consumer.
    """

    def __init__(self, source: BinaryIO, prepare, depth: int = 8) -> None:
        self._items: queue.Queue = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(source, prepare), name="stream-reader", daemon=True
        )
        self._thread.start()

    def _work(self, source: BinaryIO, prepare) -> None:
        try:
            for message in read_messages(source):
                self._put(("item", prepare(message)))
                if self._stop.is_set():
                    return
            self._put(("end", None))
        except Exception as error:
            self._put(("error", error))

    def _put(self, item) -> None:
        while not self._stop.is_set():
            try:
                self._items.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def __iter__(self) -> Iterator:
        while True:
            kind, value = self._items.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value

    def stop(self) -> None:
        """Lets the thread end after the message it is reading."""
        self._stop.set()


def _read_up_to(source: BinaryIO, count: int) -> bytes:
    parts, missing = [], count
    while missing:
        part = source.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
