"""Cases that tie the aligner's twin to the runtime's; run as a program it writes them anew.

The past map holds value(i, j, c) = ((i * 131 + j * 17 + c * 7) mod 251) / 16 - 4: exact in fp16.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent / "fixtures" / "align.json"
MOTIONS = {
    "identity": (0.0, 0.0, 0.0),
    "two cells ahead, one to the right": (1.6, -0.8, 0.0),
    "quarter turn": (0.0, 0.0, np.pi / 2),
    "quarter turn back with a shift": (0.8, 2.4, -np.pi / 2),
    "half turn": (0.0, 0.0, np.pi),
    "part of a cell": (0.3, 0.25, 0.0),
    "a curve": (3.1, 0.4, 0.13),
    "far away": (500.0, 0.0, 0.5),
}


def past_map(rows: int, cols: int, channels: int) -> np.ndarray:
    """The past map, f32 [rows, cols, channels]."""
    i, j, c = np.meshgrid(np.arange(rows), np.arange(cols), np.arange(channels), indexing="ij")
    return (((i * 131 + j * 17 + c * 7) % 251) / 16.0 - 4.0).astype(np.float32)


def pose(x_m: float, y_m: float, yaw_rad: float) -> np.ndarray:
    """hist_from_now [4, 4] f64."""
    matrix = np.eye(4)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:2, 3] = [x_m, y_m]
    return matrix


def cases() -> dict:
    """All cases with the twin's results."""
    import torch

    from bevrt_models import align
    from bevrt_models.config import BevGrid

    grid = BevGrid(-4.8, -4.8, 0.8, 12, 12)
    past = past_map(grid.rows, grid.cols, 3)
    found = []
    for name, motion in MOTIONS.items():
        matrix = pose(*motion)
        aligned = align.warp(grid, torch.from_numpy(past), align.index_affine(grid, matrix))
        found.append(
            {"name": name, "hist_from_now": matrix.reshape(-1).tolist(),
             "aligned": [round(float(v), 7) for v in aligned.reshape(-1)]}
        )  # fmt: skip
    return {
        "grid": {"x_min_m": -4.8, "y_min_m": -4.8, "cell_m": 0.8, "rows": 12, "cols": 12},
        "channels": 3,
        "past": "value(i, j, c) = ((131 i + 17 j + 7 c) mod 251) / 16 - 4, channels last",
        "cases": found,
    }


if __name__ == "__main__":
    sys.path.insert(0, str(FILE.parents[2]))
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(cases()) + "\n")
