"""Runs a package's network over the steps of a drive as the runtime does, with Python's engine."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from . import align
from .config import BevGrid
from .stream import Message


class PackageRun:
    """A network of a package with a queue of its past maps.

    Maps are kept in half precision and aligned by the Python twin of the runtime's aligner. Steps
    are taken to lie one stride of the queue apart.
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
        given = {"images", "history", "history_state"}
        self.table_names = sorted({value.name for value in self.session.get_inputs()} - given)
        self._past: list[tuple[np.ndarray, np.ndarray]] = []

    def begin_drive(self) -> None:
        """Forgets the past maps."""
        self._past.clear()

    def inputs(self, message: Message, odom_from_ego: np.ndarray) -> dict[str, np.ndarray]:
        """What the network takes for a step: pictures, tables, aligned history and its state."""
        size = self.manifest["preprocess"]
        images = message.arrays["images"].astype(np.float32)
        if size["colour"] == "bgr":
            images = images[:, ::-1]
        mean, std = (np.array(size[key], np.float32)[:, None, None] for key in ("mean", "std"))
        history, state = self._history(odom_from_ego)
        return {
            "images": (images - mean) / std, "history": history, "history_state": state,
            **{name: message.arrays[name] for name in self.table_names},
        }  # fmt: skip

    def run(
        self, inputs: dict[str, np.ndarray], odom_from_ego: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The outputs by name; the map joins the queue."""
        values = self.session.run(self.output_names, inputs)
        outputs = dict(zip(self.output_names, values, strict=True))
        bev = outputs["bev"].astype(np.float16).astype(np.float32)
        self._past.insert(0, (bev, odom_from_ego))
        del self._past[self.manifest["queue"]["slots"] :]
        return outputs

    def _history(self, odom_from_ego: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Aligned maps [1, H, W, slots * C] and state [slots, 2]."""
        queue = self.manifest["queue"]
        grid, slots, channels = BevGrid(**queue["grid"]), queue["slots"], queue["channels"]
        history = np.zeros((1, grid.rows, grid.cols, slots * channels), np.float32)
        state = np.zeros((slots, 2), np.float32)
        for slot, (bev, then) in enumerate(self._past):
            affine = align.index_affine(grid, np.linalg.inv(then) @ odom_from_ego)
            warped = align.warp(grid, torch.from_numpy(bev), affine)
            history[0, :, :, slot * channels : (slot + 1) * channels] = warped.numpy()
            state[slot] = 1.0, (slot + 1) * queue["stride_s"]
        return history, state
