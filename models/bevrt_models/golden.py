"""Writes a package's golden cases: pictures, poses, and what Python's ONNX Runtime makes of them.

The inputs come from a stream without augmentation, so the projection tables are the runtime's own
and no rounding at the border between two cells stands between the two sides.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .package import GOLDEN_FILE, section
from .package_run import PackageRun
from .rig import network_rig
from .stream import Message, StreamError, read_messages

GOLDEN_FORMAT = 1
RANDOM_SAMPLES, EXTREME_SAMPLES = 192, 64
TOLERANCE = {"fp32": 1e-3, "fp16": 2e-2, "int8-cpu": 0.15, "int8-trt": 0.2}


def write_golden(package: Path, stream: BinaryIO, rig: Path, cases: int) -> None:
    """Writes `golden.json` and `golden/` for the first `cases` drives of the stream.

    A case is a drive's first slots + 1 steps with their true poses, at the stride of the queue; all
    but the last show the pictures of the first, which keeps the package small. `rig` is the
    stream's rig, at the size of its sources or of the network. Raises StreamError if the stream
    ends early or was augmented.
    """
    run = PackageRun(package)
    manifest = run.manifest
    rig_text = network_rig(rig.read_text(), manifest["preprocess"])
    written = []
    for number, messages in enumerate(_drives(stream, manifest["queue"]["slots"] + 1, cases)):
        folder = package / "golden" / f"case{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rig.toml").write_text(rig_text)
        written.append(_case(package, folder, messages, run))
    golden = {"format": GOLDEN_FORMAT, "cases": written}
    (package / GOLDEN_FILE).write_text(json.dumps(golden) + "\n")
    if "golden" not in manifest:
        lines = section("[golden]", {"file": GOLDEN_FILE, "tolerance": TOLERANCE})
        with (package / "manifest.toml").open("a") as file:
            file.write("\n".join(lines) + "\n")


def _drives(stream: BinaryIO, length: int, count: int) -> Iterator[list[Message]]:
    """The first `length` messages of each of the first `count` drives."""
    running: dict[int, list[Message]] = {}
    found = 0
    for message in read_messages(stream):
        if message.new_drive:
            running[message.drive] = []
        if message.drive not in running:
            continue
        running[message.drive].append(message)
        if len(running[message.drive]) == length:
            yield running.pop(message.drive)
            found += 1
            if found == count:
                return
    raise StreamError(f"the stream ends after {found} of {count} drives of {length} steps")


def _case(package: Path, folder: Path, messages: list[Message], run: PackageRun) -> dict:
    _check_tables(messages, run.table_names)
    run.begin_drive()
    frames, results = [], {}
    for step, message in enumerate(messages):
        shown = messages[0] if step + 1 < len(messages) else message
        files = []
        for camera, planes in enumerate(shown.arrays["images"]):
            file = folder / f"frame{0 if shown is messages[0] else 1}_cam{camera}.png"
            file.write_bytes(png(planes.transpose(1, 2, 0)))
            files.append(file.relative_to(package).as_posix())
        pose = message.arrays["odom_from_ego"].astype(np.float64)
        results = run.run(run.inputs(shown, pose), pose)
        frames.append(
            {"stamp_ns": round(step * run.manifest["queue"]["stride_s"] * 1e9),
             "odom_from_ego": pose.reshape(-1).tolist(), "images": files}
        )  # fmt: skip
    return {
        "name": folder.name, "rig": (folder / "rig.toml").relative_to(package).as_posix(),
        "frames": frames,
        "outputs": [sampled(name, results[name]) for name in run.output_names],
    }  # fmt: skip


def _check_tables(messages: list[Message], names: list[str]) -> None:
    """The tables that the network takes must not change within the case."""
    for message in messages[1:]:
        for name in names:
            if not np.array_equal(message.arrays[name], messages[0].arrays[name]):
                raise StreamError(
                    f"{name} changes within drive {message.seed}: "
                    "golden cases want a stream without augmentation"
                )


def sampled(name: str, output: np.ndarray) -> dict:
    """An output at sampled flat positions (random ones and the most extreme), and by channel."""
    axes = (0, 1) if name == "bev" else (0, 2, 3)
    mean, std = output.mean(axis=axes, keepdims=True), output.std(axis=axes, keepdims=True)
    extreme = np.abs((output - mean) / (std + 1e-6)).reshape(-1)
    positions = np.union1d(
        np.random.default_rng(5).permutation(output.size)[:RANDOM_SAMPLES],
        np.argsort(-extreme, kind="stable")[:EXTREME_SAMPLES],
    )
    return {
        "name": name, "shape": list(output.shape), "positions": positions.tolist(),
        "values": [float(value) for value in output.reshape(-1)[positions]],
        "channel_mean": [float(value) for value in mean.reshape(-1)],
        "channel_std": [float(value) for value in std.reshape(-1)],
    }  # fmt: skip


def png(rgb: np.ndarray) -> bytes:
    """An 8-bit RGB PNG of [height, width, 3]; each row is stored as differences to the left."""
    height, width, _ = rgb.shape
    rows = rgb.astype(np.uint8)
    rows = np.concatenate([rows[:, :1], rows[:, 1:] - rows[:, :-1]], axis=1)
    raw = b"".join(b"\x01" + row.tobytes() for row in rows)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9))
        + chunk(b"IEND", b"")
    )  # fmt: skip
