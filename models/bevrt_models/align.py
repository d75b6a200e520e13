"""Python twin of the runtime's aligner: past maps, drawn where they lie in the present ego frame.

For each cell centre p of the present grid the past map is read at `hist_from_now * p`, bilinear,
zero outside. The affine between continuous indices (a cell's centre has whole numbers) is composed
in f64, rounded to multiples of 2**-SNAP_BITS, and evaluated in f32. The rounding removes what cos
and sin leave of a zero, so identity, whole cells and quarter turns read single cells exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .config import BevGrid

SNAP_BITS = 24
"""Fraction bits of the affine: 6e-8 of a cell, far below what f32 evaluation resolves."""


def index_affine(grid: BevGrid, hist_from_now: np.ndarray) -> np.ndarray:
    """[2, 3] f64: past (row, col) = A [row, col, 1] of the present grid.

    hist_from_now [4, 4] is a rigid motion between ego frames; points lie at z = 0 and only their
    x and y are used.
    """
    rotation = np.asarray(hist_from_now, np.float64)[:2, :2]
    shift = np.asarray(hist_from_now, np.float64)[:2, 3]
    first_centre = np.array([grid.x_min_m, grid.y_min_m]) / grid.cell_m + 0.5
    offset = rotation @ first_centre + shift / grid.cell_m - first_centre
    affine = np.concatenate([rotation, offset[:, None]], axis=1)
    unit = float(1 << SNAP_BITS)
    return np.rint(affine * unit) / unit


def warp(grid: BevGrid, past: Tensor, affine: np.ndarray) -> Tensor:
    """Reads one past map f32 [rows, cols, C] through `affine`; same shape out."""
    rows, cols, channels = grid.rows, grid.cols, past.shape[-1]
    a = torch.from_numpy(affine.astype(np.float32)).to(past.device)
    i = torch.arange(rows, dtype=torch.float32, device=past.device)[:, None]
    j = torch.arange(cols, dtype=torch.float32, device=past.device)[None, :]
    row = (a[0, 0] * i + a[0, 1] * j + a[0, 2]).reshape(-1)
    col = (a[1, 0] * i + a[1, 1] * j + a[1, 2]).reshape(-1)
    row0, col0 = torch.floor(row), torch.floor(col)
    row_part, col_part = row - row0, col - col0
    indices, weights = [], []
    # Bounds are compared as floats: an index far outside does not fit an integer.
    for dr in (0, 1):
        for dc in (0, 1):
            r, c = row0 + dr, col0 + dc
            weight = (row_part if dr else 1.0 - row_part) * (col_part if dc else 1.0 - col_part)
            inside = (r >= 0) & (r <= rows - 1) & (c >= 0) & (c <= cols - 1)
            weights.append(torch.where(inside, weight, weight.new_zeros(())))
            indices.append((r.clamp(0, rows - 1) * cols + c.clamp(0, cols - 1)).int())
    return F.embedding_bag(
        torch.stack(indices, 1), past.reshape(rows * cols, channels), mode="sum",
        per_sample_weights=torch.stack(weights, 1),
    ).reshape(rows, cols, channels)  # fmt: skip
