"""From stream messages to the tensors of a training step.

`prepare` runs in the reader's thread, one message at a time; `collate` stacks samples and makes
their table indices count rows over the whole stack.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import targets
from .config import Contract
from .stream import Message, check_training_message


@dataclass
class Sample:
    """One drive step: the message, with its targets by head."""

    message: Message
    targets: dict[str, dict[str, np.ndarray]]
    depth: np.ndarray
    classes: np.ndarray

    @property
    def cameras(self) -> int:
        """Number of cameras."""
        return len(self.message.arrays["images"])


@dataclass
class Augment:
    """What the trainer adds to the stream, which loses cameras and jitters rigs by itself.

    Probabilities are per sample, of slots per slot.
    """

    camera_drop: float = 0.0
    gain: float = 0.05
    slot_drop: float = 0.1
    history_drop: float = 0.1
    ego_yaw_rad: float = 0.003
    ego_shift_m: float = 0.05


class Preparer:
    """Makes samples from messages; call it from one thread only."""

    def __init__(self, contract: Contract, augment: Augment, seed: int) -> None:
        self._contract = contract
        self._augment = augment
        self._random = np.random.default_rng(seed)

    def __call__(self, message: Message) -> Sample:
        """Checks the message, may drop a camera from its tables, and draws the targets."""
        check_training_message(message)
        if self._random.random() < self._augment.camera_drop:
            self._drop_camera(message)
        arrays = message.arrays
        heads = {
            head.kind: targets.head_target(head.kind, head.grid, arrays, message.masked)
            for head in self._contract.heads
        }
        return Sample(
            message,
            {name: _fields(target) for name, target in heads.items()},
            targets.depth_target(
                arrays["depth"] * ("depth" not in message.masked),
                self._contract.lift("coarse").depth_bins,
            ),
            targets.class_target(arrays["classes"], "classes" not in message.masked),
        )

    def _drop_camera(self, message: Message) -> None:
        """Makes one camera unseen by the tables, as the runtime does when a camera is lost."""
        cameras = message.arrays["images"].shape[0]
        lost = int(self._random.integers(cameras))
        size = self._contract.preprocess
        for lift in self._contract.lifts:
            per_camera = (size.height // lift.stride) * (size.width // lift.stride)
            index = message.arrays[f"{lift.name}_index"].copy()
            gone = index // per_camera == lost
            index[gone] = cameras * per_camera
            message.arrays[f"{lift.name}_index"] = index
            geometry = message.arrays[f"{lift.name}_geometry"].copy()
            geometry.reshape(-1, 4)[gone] = 0.0
            message.arrays[f"{lift.name}_geometry"] = geometry
            if lift.depth_bins is not None:
                depth_index = message.arrays[f"{lift.name}_depth_index"].copy()
                depth_index[gone] = cameras * per_camera * lift.depth_bins.count
                message.arrays[f"{lift.name}_depth_index"] = depth_index


@dataclass
class Batch:
    """Tensors of a step; shapes as BevNetwork.forward wants them."""

    images: Tensor
    tables: dict[str, Tensor]
    targets: dict[str, dict[str, Tensor]]
    depth: Tensor
    classes: Tensor


def collate(
    contract: Contract, samples: list[Sample], augment: Augment, random: np.random.Generator,
    device: str = "cpu",
) -> Batch:  # fmt: skip
    """Stacks samples; image levels become (level - mean) / std, then a random gain and shift."""

    def stacked(arrays: list[np.ndarray], join=np.concatenate) -> Tensor:
        return torch.from_numpy(join(arrays)).to(device, non_blocking=True)

    levels = stacked([s.message.arrays["images"] for s in samples])
    cameras = levels.shape[0] // len(samples)
    mean, std = contract.preprocess.mean, contract.preprocess.std
    gain = 1.0 + augment.gain * random.uniform(-1, 1, (len(samples), 1, 3))
    shift = augment.gain * random.uniform(-1, 1, (len(samples), 1, 1))
    gain = np.broadcast_to(gain, (len(samples), cameras, 3)).reshape(-1, 3, 1, 1)
    shift = np.broadcast_to(shift, (len(samples), cameras, 3)).reshape(-1, 3, 1, 1)
    scale = gain / np.reshape(std, (1, 3, 1, 1))
    offset = shift - gain * np.reshape(mean, (1, 3, 1, 1)) / np.reshape(std, (1, 3, 1, 1))
    images = levels.to(torch.float32, memory_format=torch.channels_last)
    images = images.mul_(torch.from_numpy(scale).float().to(device))
    images = images.add_(torch.from_numpy(offset).float().to(device))
    tables = stack_tables(contract, [s.message.arrays for s in samples], cameras, device)
    targets = {
        head: {
            name: stacked([s.targets[head][name] for s in samples], np.stack)
            for name in samples[0].targets[head]
        }
        for head in samples[0].targets
    }
    depth = stacked([s.depth for s in samples])
    classes = stacked([s.classes for s in samples])
    return Batch(images, tables, targets, depth, classes)


def stack_tables(
    contract: Contract, samples: list[dict[str, np.ndarray]], cameras: int, device: str = "cpu"
) -> dict[str, Tensor]:
    """Rays and tables of several samples; indices count rows over all, null = all rows."""
    size = contract.preprocess
    tables: dict[str, Tensor] = {}
    if contract.ray_stride is not None:
        rays = np.concatenate([arrays["rays"] for arrays in samples])
        tables["rays"] = torch.from_numpy(rays).to(device)
    for lift in contract.lifts:
        rows = cameras * (size.height // lift.stride) * (size.width // lift.stride)
        kinds = [(f"{lift.name}_index", rows)]
        if lift.depth_bins is not None:
            kinds.append((f"{lift.name}_depth_index", rows * lift.depth_bins.count))
        for name, count in kinds:
            index = torch.from_numpy(np.stack([arrays[name].reshape(-1) for arrays in samples]))
            index = index.to(device)
            first = count * torch.arange(len(samples), dtype=torch.int32, device=device)
            null = count * len(samples)
            index = torch.where(index >= count, null, index + first[:, None])
            tables[name] = index.reshape(-1).to(torch.int32)
        name = f"{lift.name}_geometry"
        geometry = np.concatenate([arrays[name] for arrays in samples])
        geometry = torch.from_numpy(geometry).to(device)
        tables[name] = geometry.reshape(-1, 4 * len(lift.heights_m))
    return tables


def _fields(target) -> dict[str, np.ndarray]:
    return {f.name: getattr(target, f.name) for f in dataclasses.fields(target)}
