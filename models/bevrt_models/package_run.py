"""Runs a package's network over the steps of a drive as the runtime does, with Python's engine."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from . import align
from .config import BevGrid
from .stream import Message


@dataclass(frozen=True)
class Step:
    """One frame set of a drive.

    images: u8 [cameras, 3, h, w], red, green, blue, at the network's size.
    odom_from_ego: f64 [4, 4].
    geometry: what follows from the rig (tables, rays, matrices), by name of the network's input.
    """

    images: np.ndarray
    odom_from_ego: np.ndarray
    geometry: dict[str, np.ndarray] = field(default_factory=dict)


class PackageRun:
    """A network of a package with a queue of its past maps, if it has one.

    Maps are kept in half precision and aligned by the Python twin of the runtime's aligner, or by
    the network. Steps are taken to lie one stride of the queue apart.
    """

    def __init__(self, package: Path, precision: str = "fp32") -> None:
        self.manifest = tomllib.loads((package / "manifest.toml").read_text())
        networks = [n for n in self.manifest["network"] if n["precision"] == precision]
        if not networks:
            raise ValueError(f"{package}: expected a network of precision {precision}, found none")
        self.session = onnxruntime.InferenceSession(
            package / networks[0]["file"], providers=["CPUExecutionProvider"]
        )
        self.output_names = [output.name for output in self.session.get_outputs()]
        self._past: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def slots(self) -> int:
        """Past maps that the network sees."""
        return self.manifest["queue"]["slots"] if "queue" in self.manifest else 0

    def step_of(self, message: Message) -> Step:
        """A step of a training stream, with those of its arrays that the network takes."""
        names = {value.name for value in self.session.get_inputs()} & message.arrays.keys()
        geometry = {name: message.arrays[name] for name in sorted(names - {"images"})}
        pose = message.arrays["odom_from_ego"].astype(np.float64)
        return Step(message.arrays["images"], pose, geometry)

    def begin_drive(self) -> None:
        """Forgets the past maps."""
        self._past.clear()

    def inputs(self, step: Step) -> dict[str, np.ndarray]:
        """What the network takes for a step, by name."""
        size = self.manifest["preprocess"]
        images = step.images.astype(np.float32)
        if size["colour"] == "bgr":
            images = images[:, ::-1]
        mean, std = (np.array(size[key], np.float32)[:, None, None] for key in ("mean", "std"))
        inputs = {**step.geometry, "images": (images - mean) / std}
        if self.slots:
            inputs |= self._history(step.odom_from_ego)
        return inputs

    def run(self, step: Step) -> dict[str, np.ndarray]:
        """The outputs by name; the map joins the queue."""
        values = self.session.run(self.output_names, self.inputs(step))
        outputs = dict(zip(self.output_names, values, strict=True))
        if self.slots:
            bev = outputs["bev"].astype(np.float16).astype(np.float32)
            self._past.insert(0, (bev, step.odom_from_ego))
            del self._past[self.slots :]
        return outputs

    def _history(self, odom_from_ego: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs of the queue: maps [1, H, W, slots * C], state [slots, 2] and, for a network
        that aligns by itself, motions [slots, 3, 3]."""
        queue = self.manifest["queue"]
        grid, slots, channels = BevGrid(**queue["grid"]), queue["slots"], queue["channels"]
        is_aligned = queue.get("alignment", "runtime") == "runtime"
        history = np.zeros((1, grid.rows, grid.cols, slots * channels), np.float32)
        state = np.zeros((slots, 2), np.float32)
        motions = np.tile(np.eye(3, dtype=np.float32), (slots, 1, 1))
        for slot, (bev, then) in enumerate(self._past):
            past_from_now = np.linalg.inv(then) @ odom_from_ego
            if is_aligned:
                affine = align.index_affine(grid, past_from_now)
                bev = align.warp(grid, torch.from_numpy(bev), affine).numpy()
            history[0, :, :, slot * channels : (slot + 1) * channels] = bev
            state[slot] = 1.0, (slot + 1) * queue["stride_s"]
            motions[slot, :2] = past_from_now[np.ix_([0, 1], [0, 1, 3])]
        inputs = {"history": history, "history_state": state}
        return inputs if is_aligned else inputs | {"history_from_now": motions}
