"""Writes a package's golden cases: pictures, poses, and what Python's ONNX Runtime makes of them.

The inputs come from a stream without augmentation, so the projection tables are the runtime's own
and no rounding at the border between two cells stands between the two sides.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .package import GOLDEN_FILE, section, write_file_hashes
from .package_run import PackageRun, Step
from .rig import matrices_of, network_rig
from .stream import Message, StreamError, read_messages

GOLDEN_FORMAT = 2
RANDOM_SAMPLES, EXTREME_SAMPLES = 192, 64
TOLERANCE = {"fp32": 1e-3, "fp16": 2e-2, "int8-cpu": 0.15, "int8-trt": 0.2}


def write_golden(package: Path, stream: BinaryIO, rig: Path, cases: int) -> None:
    """Writes `golden.json` and `golden/` for the first `cases` drives of the stream.

    A case is a drive's first slots + 1 steps with their true poses, at the stride of the queue; all
    but the last show the pictures of the first, which keeps the package small. `rig` is the
    stream's rig, at the size of its sources or of the network. Raises StreamError if the stream
    ends early or was augmented. Each network of the package gets outputs of its own, so quantise
    before.
    """
    run = PackageRun(package)
    drives = _drives(stream, run.slots + 1, cases)
    steps = [_steps_of(messages, run) for messages in drives]
    write_golden_steps(package, rig.read_text(), steps)


def write_golden_steps(package: Path, rig_text: str, cases: Sequence[Sequence[Step]]) -> None:
    """Writes `golden.json` and `golden/` from pictures and poses, one list of steps a case.

    `rig_text` is a rig file for the source images or for the network's size. Steps lie one stride
    of the queue apart, slots + 1 of them fill it. A network that takes tables must be given them in
    every step; matrices follow from the rig.
    """
    runs = runs_of(package)
    manifest = runs["fp32"].manifest
    rig_text = network_rig(rig_text, manifest["preprocess"])
    matrices = matrices_of(rig_text) if "matrices" in manifest else {}
    written = []
    for number, steps in enumerate(cases):
        folder = package / "golden" / f"case{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rig.toml").write_text(rig_text)
        steps = [replace(step, geometry=step.geometry | matrices) for step in steps]
        written += _cases(package, folder, steps, runs)
    golden = {"format": GOLDEN_FORMAT, "cases": written}
    (package / GOLDEN_FILE).write_text(json.dumps(golden) + "\n")
    if "golden" not in manifest:
        lines = section("[golden]", {"file": GOLDEN_FILE, "tolerance": TOLERANCE})
        with (package / "manifest.toml").open("a") as file:
            file.write("\n".join(lines) + "\n")
    write_file_hashes(package)


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


def runs_of(package: Path) -> dict[str, PackageRun]:
    """A run of each network of the package, by precision; fp32 first."""
    runs = {"fp32": PackageRun(package)}
    for network in runs["fp32"].manifest["network"]:
        precision = network["precision"]
        runs.setdefault(precision, PackageRun(package, precision))
    return runs


def outputs_of(run: PackageRun, steps: Sequence[Step]) -> dict[str, np.ndarray]:
    """What the network says at the last of a drive's steps, by name."""
    run.begin_drive()
    results = {}
    for step in steps:
        results = run.run(step)
    return results


def _cases(
    package: Path, folder: Path, steps: Sequence[Step], runs: dict[str, PackageRun]
) -> list[dict]:
    """The case of a drive; and for quantised networks the same pictures seen while standing.

    Where the vehicle stands, past maps come out of the alignment bit by bit. Else the last digit of
    an interpolation decides, here and there, between two neighbouring numbers of 8 bit.
    """
    shown = [replace(step, images=steps[0].images) for step in steps[:-1]] + [steps[-1]]
    files = [
        _pictures(package, folder, number, step)
        for number, step in ((0, shown[0]), (1, shown[-1]))
    ]  # fmt: skip
    standing = [replace(step, odom_from_ego=shown[0].odom_from_ego) for step in shown]
    quantised = {name: run for name, run in runs.items() if name.startswith("int8")}
    exact = {name: run for name, run in runs.items() if name not in quantised}
    variants = [(folder.name, shown, exact), (f"{folder.name}-standing", standing, quantised)]
    stride_s = runs["fp32"].manifest["queue"]["stride_s"] if runs["fp32"].slots else 0.5
    return [
        {
            "name": name, "rig": (folder / "rig.toml").relative_to(package).as_posix(),
            "frames": [
                {"stamp_ns": round(number * stride_s * 1e9),
                 "odom_from_ego": step.odom_from_ego.reshape(-1).tolist(),
                 "images": files[step is drive[-1] and len(drive) > 1]}
                for number, step in enumerate(drive)
            ],
            "outputs": {
                precision: [sampled(*output) for output in outputs_of(run, drive).items()]
                for precision, run in some.items()
            },
        }
        for name, drive, some in variants if some
    ]  # fmt: skip


def _pictures(package: Path, folder: Path, number: int, step: Step) -> list[str]:
    """Writes the pictures of a step; their files within the package."""
    files = []
    for camera, planes in enumerate(step.images):
        file = folder / f"frame{number}_cam{camera}.png"
        file.write_bytes(png(planes.transpose(1, 2, 0)))
        files.append(file.relative_to(package).as_posix())
    return files


def _steps_of(messages: list[Message], run: PackageRun) -> list[Step]:
    """The steps of a drive, whose geometry must not change."""
    steps = [run.step_of(message) for message in messages]
    for step in steps[1:]:
        for name, values in step.geometry.items():
            if not np.array_equal(values, steps[0].geometry[name]):
                raise StreamError(
                    f"{name} changes within drive {messages[0].seed}: "
                    "golden cases want a stream without augmentation"
                )
    return steps


def sampled(name: str, output: np.ndarray) -> dict:
    """An output at sampled flat positions (random ones and the most extreme), and by channel."""
    # The queued map and query sets have their channels last; points go by query.
    axes = (0, 1) if output.ndim == 3 else (0, 2, 3)
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
