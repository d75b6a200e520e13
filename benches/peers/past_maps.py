"""The queue of past BEV maps, aligned to the present ego frame with OpenCV."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
"""Zeros outside. All channels of a map go at once: far faster than groups of four, or NumPy."""


class PastMaps:
    """Maps of the last slots * stride seconds; slot k is the one nearest to k strides ago."""

    def __init__(self, section: dict) -> None:
        grid = section["grid"]
        self._grid, self._slots = grid, section["slots"]
        self._channels, self._stride_s = section["channels"], section["stride_s"]
        self._maps: deque[tuple[float, np.ndarray, np.ndarray]] = deque()
        self._size = grid["cols"], grid["rows"]
        shape = grid["rows"], grid["cols"]
        self.history = np.zeros((1, *shape, self._slots * self._channels), np.float32)
        self.state = np.zeros((self._slots, 2), np.float32)

    def align(self, stamp_s: float, odom_from_ego: np.ndarray) -> None:
        """Writes `history` f32 [1, H, W, slots * C] and `state` f32 [slots, 2]."""
        for slot in range(self._slots):
            found = self._nearest(stamp_s - (slot + 1) * self._stride_s)
            begin = slot * self._channels
            part = self.history[0, :, :, begin : begin + self._channels]
            if found is None:
                part[:] = 0.0
                self.state[slot] = 0.0
                continue
            then_s, then, bev = found
            affine = self._index_affine(np.linalg.inv(then) @ odom_from_ego)
            part[:] = cv2.warpAffine(bev, affine, self._size, flags=FLAGS)
            self.state[slot] = 1.0, stamp_s - then_s

    def store(self, stamp_s: float, odom_from_ego: np.ndarray, bev: np.ndarray) -> None:
        """Keeps the present map f32 [H, W, C]."""
        self._maps.append((stamp_s, odom_from_ego, bev))
        oldest = stamp_s - (self._slots + 0.5) * self._stride_s
        while self._maps[0][0] < oldest:
            self._maps.popleft()

    def _nearest(self, wanted_s: float) -> tuple[float, np.ndarray, np.ndarray] | None:
        best = min(self._maps, key=lambda kept: abs(kept[0] - wanted_s), default=None)
        if best is None or abs(best[0] - wanted_s) > self._stride_s / 10 + 1e-6:
            return None
        return best

    def _index_affine(self, past_from_now: np.ndarray) -> np.ndarray:
        """[2, 3]: (column, row) of the past map from (column, row) of the present one."""
        grid = self._grid
        rotation, shift = past_from_now[:2, :2], past_from_now[:2, 2]
        first = np.array([grid["x_min_m"], grid["y_min_m"]]) / grid["cell_m"] + 0.5
        offset = rotation @ first + shift / grid["cell_m"] - first
        return np.concatenate([rotation, offset[:, None]], axis=1)[::-1][:, [1, 0, 2]]
