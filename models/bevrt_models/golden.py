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
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnxruntime
import torch

from . import align
from .config import BevGrid
from .package import GOLDEN_FILE, section
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
    manifest = tomllib.loads((package / "manifest.toml").read_text())
    network = next(n for n in manifest["network"] if n["precision"] == "fp32")
    session = onnxruntime.InferenceSession(
        package / network["file"], providers=["CPUExecutionProvider"]
    )  # fmt: skip
    rig_text = network_rig(rig.read_text(), manifest["preprocess"])
    written = []
    for number, messages in enumerate(_drives(stream, manifest["queue"]["slots"] + 1, cases)):
        folder = package / "golden" / f"case{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rig.toml").write_text(rig_text)
        written.append(_case(package, folder, messages, manifest, session))
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


def _case(
    package: Path, folder: Path, messages: list[Message], manifest: dict,
    session: onnxruntime.InferenceSession,
) -> dict:  # fmt: skip
    queue, size = manifest["queue"], manifest["preprocess"]
    grid = BevGrid(**queue["grid"])
    names = [output.name for output in session.get_outputs()]
    tables = _tables(messages, session)
    past: list[tuple[np.ndarray, np.ndarray]] = []
    frames, results = [], {}
    for step, message in enumerate(messages):
        shown = messages[0] if step + 1 < len(messages) else message
        files = []
        for camera, planes in enumerate(shown.arrays["images"]):
            file = folder / f"frame{0 if shown is messages[0] else 1}_cam{camera}.png"
            file.write_bytes(png(planes.transpose(1, 2, 0)))
            files.append(file.relative_to(package).as_posix())
        pose = message.arrays["odom_from_ego"].astype(np.float64)
        history, state = _history(queue, grid, past, pose)
        images = shown.arrays["images"].astype(np.float32)
        if size["colour"] == "bgr":
            images = images[:, ::-1]
        mean, std = (np.array(size[key], np.float32)[:, None, None] for key in ("mean", "std"))
        inputs = {**tables, "images": (images - mean) / std, "history": history,
                  "history_state": state}  # fmt: skip
        results = dict(zip(names, session.run(names, inputs), strict=True))
        past.insert(0, (results["bev"].astype(np.float16).astype(np.float32), pose))
        frames.append(
            {"stamp_ns": round(step * queue["stride_s"] * 1e9),
             "odom_from_ego": pose.reshape(-1).tolist(), "images": files}
        )  # fmt: skip
    return {
        "name": folder.name, "rig": (folder / "rig.toml").relative_to(package).as_posix(),
        "frames": frames,
        "outputs": [sampled(name, results[name]) for name in names],
    }  # fmt: skip


def _tables(messages: list[Message], session: onnxruntime.InferenceSession) -> dict:
    """The tables that the network takes; they must not change within the case."""
    wanted = {value.name for value in session.get_inputs()}
    wanted -= {"images", "history", "history_state"}
    for message in messages[1:]:
        for name in wanted:
            if not np.array_equal(message.arrays[name], messages[0].arrays[name]):
                raise StreamError(
                    f"{name} changes within drive {message.seed}: "
                    "golden cases want a stream without augmentation"
                )
    return {name: messages[0].arrays[name] for name in sorted(wanted)}


def _history(
    queue: dict, grid: BevGrid, past: list[tuple[np.ndarray, np.ndarray]], pose: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Aligned maps [1, H, W, slots * C] and state [slots, 2]; `past` is newest first."""
    slots, channels = queue["slots"], queue["channels"]
    history = np.zeros((1, grid.rows, grid.cols, slots * channels), np.float32)
    state = np.zeros((slots, 2), np.float32)
    for slot, (bev, then) in enumerate(past[:slots]):
        affine = align.index_affine(grid, np.linalg.inv(then) @ pose)
        warped = align.warp(grid, torch.from_numpy(bev), affine)
        history[0, :, :, slot * channels : (slot + 1) * channels] = warped.numpy()
        state[slot] = 1.0, (slot + 1) * queue["stride_s"]
    return history, state


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
