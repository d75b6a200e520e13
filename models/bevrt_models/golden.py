"""Writes a package's golden cases: pictures, poses, and what Python's ONNX Runtime makes of them.

The inputs come from a stream without augmentation, so the projection tables are the runtime's own
and no rounding at the border between two cells stands between the two sides. Past maps are kept in
half precision and aligned by the Python twin, as the runtime does.
"""

from __future__ import annotations

import json
import struct
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnxruntime
import torch

from . import align
from .config import BevGrid
from .package import GOLDEN_FILE, section
from .rig import matrices_of, network_rig
from .stream import Message, StreamError, read_messages

GOLDEN_FORMAT = 1
RANDOM_SAMPLES, EXTREME_SAMPLES = 192, 64
TOLERANCE = {"fp32": 1e-3, "fp16": 2e-2, "int8-cpu": 0.15, "int8-trt": 0.2}


@dataclass(frozen=True)
class Step:
    """One frame of a case.

    images: u8 [cameras, 3, h, w], red, green, blue, at the network's size.
    odom_from_ego: f64 [4, 4].
    tables: what follows from the rig and is no matrix, by name of the network's input.
    """

    images: np.ndarray
    odom_from_ego: np.ndarray
    tables: dict[str, np.ndarray] = field(default_factory=dict)


def write_golden(package: Path, stream: BinaryIO, rig: Path, cases: int) -> None:
    """Writes `golden.json` and `golden/` for the first `cases` drives of the stream.

    A case is a drive's first slots + 1 steps with their true poses, at the stride of the queue; all
    but the last show the pictures of the first, which keeps the package small. `rig` is the
    stream's rig, at the size of its sources or of the network. Raises StreamError if the stream
    ends early or was augmented.
    """
    manifest = _manifest(package)
    session = _session(package, manifest)
    drives = _drives(stream, _case_length(manifest), cases)
    steps = [_steps_of(messages, session) for messages in drives]
    write_golden_steps(package, rig.read_text(), steps)


def write_golden_steps(package: Path, rig_text: str, cases: Sequence[Sequence[Step]]) -> None:
    """Writes `golden.json` and `golden/` from pictures and poses, one list of steps a case.

    `rig_text` is a rig file for the source images or for the network's size. Steps lie one stride
    of the queue apart, slots + 1 of them fill it. A network that takes tables must be given them in
    every step; matrices follow from the rig.
    """
    manifest = _manifest(package)
    session = _session(package, manifest)
    rig_text = network_rig(rig_text, manifest["preprocess"])
    written = []
    for number, steps in enumerate(cases):
        folder = package / "golden" / f"case{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rig.toml").write_text(rig_text)
        written.append(_case(package, folder, steps, manifest, session))
    golden = {"format": GOLDEN_FORMAT, "cases": written}
    (package / GOLDEN_FILE).write_text(json.dumps(golden) + "\n")
    if "golden" not in manifest:
        lines = section("[golden]", {"file": GOLDEN_FILE, "tolerance": TOLERANCE})
        with (package / "manifest.toml").open("a") as file:
            file.write("\n".join(lines) + "\n")


def _manifest(package: Path) -> dict:
    return tomllib.loads((package / "manifest.toml").read_text())


def _session(package: Path, manifest: dict) -> onnxruntime.InferenceSession:
    network = next(n for n in manifest["network"] if n["precision"] == "fp32")
    return onnxruntime.InferenceSession(
        package / network["file"], providers=["CPUExecutionProvider"]
    )  # fmt: skip


def _case_length(manifest: dict) -> int:
    """Steps that fill the queue, and one more."""
    return manifest["queue"]["slots"] + 1 if "queue" in manifest else 1


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


def _case(
    package: Path, folder: Path, steps: Sequence[Step], manifest: dict,
    session: onnxruntime.InferenceSession,
) -> dict:  # fmt: skip
    size = manifest["preprocess"]
    stride_s = manifest["queue"]["stride_s"] if "queue" in manifest else 0.5
    names = [output.name for output in session.get_outputs()]
    geometry = dict(steps[0].tables)
    if "matrices" in manifest:
        geometry |= matrices_of((folder / "rig.toml").read_text())
    past: list[tuple[np.ndarray, np.ndarray]] = []
    frames, results = [], {}
    for number, step in enumerate(steps):
        shown = steps[0] if number + 1 < len(steps) else step
        files = []
        for camera, planes in enumerate(shown.images):
            file = folder / f"frame{0 if shown is steps[0] else 1}_cam{camera}.png"
            file.write_bytes(png(planes.transpose(1, 2, 0)))
            files.append(file.relative_to(package).as_posix())
        pose = step.odom_from_ego.astype(np.float64)
        images = shown.images.astype(np.float32)
        if size["colour"] == "bgr":
            images = images[:, ::-1]
        mean, std = (np.array(size[key], np.float32)[:, None, None] for key in ("mean", "std"))
        inputs = {**geometry, "images": (images - mean) / std}
        if "queue" in manifest:
            inputs |= _history(manifest["queue"], past, pose)
        results = dict(zip(names, session.run(names, inputs), strict=True))
        if "queue" in manifest:
            past.insert(0, (results["bev"].astype(np.float16).astype(np.float32), pose))
        frames.append(
            {"stamp_ns": round(number * stride_s * 1e9),
             "odom_from_ego": pose.reshape(-1).tolist(), "images": files}
        )  # fmt: skip
    return {
        "name": folder.name, "rig": (folder / "rig.toml").relative_to(package).as_posix(),
        "frames": frames,
        "outputs": [sampled(name, results[name]) for name in names],
    }  # fmt: skip


def _steps_of(messages: list[Message], session: onnxruntime.InferenceSession) -> list[Step]:
    """The steps of a drive with the tables that the network takes; these must not change."""
    wanted = {value.name for value in session.get_inputs()} & messages[0].arrays.keys()
    wanted -= {"images"}
    for message in messages[1:]:
        for name in wanted:
            if not np.array_equal(message.arrays[name], messages[0].arrays[name]):
                raise StreamError(
                    f"{name} changes within drive {message.seed}: "
                    "golden cases want a stream without augmentation"
                )
    tables = {name: messages[0].arrays[name] for name in sorted(wanted)}
    return [
        Step(message.arrays["images"], message.arrays["odom_from_ego"], tables)
        for message in messages
    ]


def _history(
    queue: dict, past: list[tuple[np.ndarray, np.ndarray]], pose: np.ndarray
) -> dict[str, np.ndarray]:
    """The inputs of the queue: maps [1, H, W, slots * C], state [slots, 2] and, for a network that
    aligns by itself, motions [slots, 3, 3]; `past` is newest first."""
    grid, slots, channels = BevGrid(**queue["grid"]), queue["slots"], queue["channels"]
    is_aligned = queue.get("alignment", "runtime") == "runtime"
    history = np.zeros((1, grid.rows, grid.cols, slots * channels), np.float32)
    state = np.zeros((slots, 2), np.float32)
    motions = np.tile(np.eye(3, dtype=np.float32), (slots, 1, 1))
    for slot, (bev, then) in enumerate(past[:slots]):
        past_from_now = np.linalg.inv(then) @ pose
        if is_aligned:
            affine = align.index_affine(grid, past_from_now)
            bev = align.warp(grid, torch.from_numpy(bev), affine).numpy()
        history[0, :, :, slot * channels : (slot + 1) * channels] = bev
        state[slot] = 1.0, (slot + 1) * queue["stride_s"]
        motions[slot, :2] = past_from_now[np.ix_([0, 1], [0, 1, 3])]
    inputs = {"history": history, "history_state": state}
    return inputs if is_aligned else inputs | {"history_from_now": motions}


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
