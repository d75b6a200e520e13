"""The trainer's feature queues: one per drive, detached past maps warped to the present."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import align
from .batch import Augment
from .config import Contract
from .stream import Message


@dataclass
class _Stored:
    stamp_ns: int
    odom_from_ego: np.ndarray
    bev: Tensor


class DriveQueues:
    """Past maps of every drive of the stream, with their noisy poses."""

    def __init__(
        self, contract: Contract, augment: Augment, seed: int, device: str = "cpu"
    ) -> None:
        if contract.queue is None:
            raise ValueError(f"contract {contract.name!r} has no queue")
        self._queue = contract.queue
        self._augment = augment
        self._random = np.random.default_rng(seed)
        self._device = device
        self._drives: dict[int, deque[_Stored]] = {}

    def history(self, messages: list[Message], has_history: bool) -> tuple[Tensor, Tensor]:
        """Aligned maps [S, cells, slots * C] and state [S, slots, 2] for the messages.

        Slot k - 1 holds the map nearest to k * stride before now, if it is less than half a stride
        off. Slots, and whole histories, are dropped at random; ego motion gets extra noise.
        """
        queue = self._queue
        shape = (len(messages), queue.grid.cells, queue.slots, queue.channels)
        maps = torch.zeros(shape, dtype=torch.bfloat16, device=self._device)
        state = torch.zeros(len(messages), queue.slots, 2)
        for sample, message in enumerate(messages):
            if message.new_drive:
                self._drives.pop(message.drive, None)
            stored = self._drives.get(message.drive)
            if not has_history or not stored:
                continue
            if self._random.random() < self._augment.history_drop:
                continue
            now_from_odom = np.linalg.inv(message.arrays["odom_from_ego_noisy"])
            for slot in range(queue.slots):
                entry, age_s = self._nearest(stored, message.stamp_ns, slot)
                if entry is None or self._random.random() < self._augment.slot_drop:
                    continue
                hist_from_now = np.linalg.inv(self._noise() @ now_from_odom @ entry.odom_from_ego)
                affine = align.index_affine(queue.grid, hist_from_now)
                past = entry.bev.reshape(queue.grid.rows, queue.grid.cols, queue.channels)
                warped = align.warp(queue.grid, past, affine)
                maps[sample, :, slot] = warped.reshape(queue.grid.cells, queue.channels)
                state[sample, slot] = torch.tensor([1.0, age_s])
        return maps.reshape(len(messages), queue.grid.cells, -1), state.to(self._device)

    def push(self, message: Message, bev: Tensor) -> None:
        """Queues the map [cells, C] of a message; what no slot can need any more is dropped."""
        drive = self._drives.setdefault(message.drive, deque())
        pose = message.arrays["odom_from_ego_noisy"].copy()
        drive.append(_Stored(message.stamp_ns, pose, bev.detach().float()))
        oldest_s = (self._queue.slots + 0.5) * self._queue.stride_s
        while (message.stamp_ns - drive[0].stamp_ns) * 1e-9 > oldest_s:
            drive.popleft()

    def _nearest(self, stored: deque[_Stored], now_ns: int, slot: int):
        wanted_s = (slot + 1) * self._queue.stride_s
        ages = np.array([(now_ns - entry.stamp_ns) * 1e-9 for entry in stored])
        best = int(np.argmin(np.abs(ages - wanted_s)))
        if abs(ages[best] - wanted_s) >= 0.5 * self._queue.stride_s or ages[best] <= 0.0:
            return None, 0.0
        return stored[best], float(ages[best])

    def _noise(self) -> np.ndarray:
        """A small rigid motion in the ground plane."""
        yaw = self._random.normal() * self._augment.ego_yaw_rad
        motion = np.eye(4)
        motion[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
        motion[:2, 3] = self._random.normal(size=2) * self._augment.ego_shift_m
        return motion
