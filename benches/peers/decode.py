"""Dense heads to elements, with vectorised NumPy; peaks, regressions, suppression of duplicates.

It does less than bevrt: lines are not cut where their type changes nor joined across gaps, and
nothing is tracked.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

MOST_PEAKS = 128
VEHICLES = 4
"""The first so many classes of objects are vehicles."""
LEAST_DISTANCE_M = np.array([1.2, 1.2, 1.2, 1.2, 0.8, 0.8, 0.4, 0.3])
VEHICLE_OVERLAP = 0.35
GROUPS = np.array([0, 0, 0, 0, 1, 1, 2, 3])
LEAST_LINE_M = 3.0
LEAST_CELLS = 6


@dataclass
class Peaks:
    """Peaks of a heat map, strongest first.

    kind, confidence: [n]; xy: f64 [n, 2], the centre that each and its neighbours agree on.
    values: f32 [n, channels] at the peaks.
    """

    kind: np.ndarray
    confidence: np.ndarray
    xy: np.ndarray
    values: np.ndarray


class DenseHead:
    """One head of a manifest."""

    def __init__(self, section: dict) -> None:
        grid = section["grid"]
        self.rows, self.cols, self.cell_m = grid["rows"], grid["cols"], grid["cell_m"]
        self.x_m = grid["x_min_m"] + (np.arange(self.rows) + 0.5) * self.cell_m
        self.y_m = grid["y_min_m"] + (np.arange(self.cols) + 0.5) * self.cell_m
        self.confidences = np.array(section["thresholds"], np.float32)
        self.thresholds = np.log(self.confidences / (1.0 - self.confidences))
        self._around = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)])

    def peaks(self, output: np.ndarray, offset: int) -> Peaks:
        """Peaks of the first channels of f32 [channels, rows, cols]; `offset` is dx's channel."""
        heat = output[: len(self.thresholds)]
        kind, row, col = np.nonzero(heat >= self.thresholds[:, None, None])
        rows = np.clip(row[:, None] + self._around[:, 0], 0, self.rows - 1)
        cols = np.clip(col[:, None] + self._around[:, 1], 0, self.cols - 1)
        logits = heat[kind[:, None], rows, cols]
        own = logits[:, 4]
        order = np.nonzero(own >= logits.max(axis=1, initial=-np.inf))[0]
        order = order[np.argsort(-own[order], kind="stable")][:MOST_PEAKS]
        rows, cols, logits = rows[order], cols[order], logits[order]
        centres = np.stack([self.x_m[rows], self.y_m[cols]], axis=-1)
        centres += np.moveaxis(output[offset : offset + 2, rows, cols], 0, -1)
        of_peak = centres[:, 4:5]
        is_near = np.linalg.norm(centres - of_peak, axis=-1) <= self.cell_m
        weights = np.where(is_near, (1.0 / (1.0 + np.exp(-logits))) ** 2, 0.0)[..., None]
        xy = (weights * centres).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
        confidence = 1.0 / (1.0 + np.exp(-logits[:, 4]))
        return Peaks(kind[order], confidence, xy, output[:, row[order], col[order]].T)


def suppressed(is_same: np.ndarray) -> np.ndarray:
    """Places that are kept when each takes away the later ones that are the same [n, n]."""
    kept = np.ones(len(is_same), bool)
    for place in range(len(is_same)):
        if kept[place]:
            kept[place + 1 :] &= ~is_same[place, place + 1 :]
    return np.nonzero(kept)[0]


def distances(xy: np.ndarray) -> np.ndarray:
    """Distance [n, n] of each from each."""
    return np.linalg.norm(xy[:, None] - xy[None], axis=-1)


def overlaps(xy: np.ndarray, size: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Share [n, n] of the smaller rectangle that lies in the bounding box of the other one."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    apart = xy[None] - xy[:, None]
    along = np.abs(cos[:, None] * apart[..., 0] + sin[:, None] * apart[..., 1])
    across = np.abs(cos[:, None] * apart[..., 1] - sin[:, None] * apart[..., 0])
    turn = yaw[None] - yaw[:, None]
    turn_cos, turn_sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    length, width = size[None, :, 0], size[None, :, 1]
    box = turn_cos * length + turn_sin * width, turn_sin * length + turn_cos * width
    shared = 1.0
    for own, other, offset in zip(size.T, box, (along, across), strict=True):
        most = np.minimum(own[:, None], other)
        shared = shared * np.clip(0.5 * (own[:, None] + other) - offset, 0.0, most)
    area = size.prod(axis=1)
    return shared / np.maximum(np.minimum(area[:, None], area[None]), 1e-6)


def objects(head: DenseHead, output: np.ndarray) -> dict[str, np.ndarray]:
    """Objects: kind, confidence, position, size, yaw, velocity, yaw rate, deviations."""
    peaks = head.peaks(output, offset=8)
    values = peaks.values
    size = np.clip(np.exp(values[:, 11:14]), 0.05, 40.0)
    yaw = np.arctan2(values[:, 14], values[:, 15])
    group = GROUPS[peaks.kind]
    is_same = distances(peaks.xy) < LEAST_DISTANCE_M[peaks.kind][:, None]
    is_vehicle = peaks.kind < VEHICLES
    is_same |= is_vehicle[:, None] & (overlaps(peaks.xy, size[:, :2], yaw) > VEHICLE_OVERLAP)
    kept = suppressed(is_same & (group[:, None] == group[None]))
    return {
        "kind": peaks.kind[kept], "confidence": peaks.confidence[kept],
        "position_m": np.concatenate([peaks.xy[kept], values[kept, 10:11]], axis=1),
        "size_m": size[kept], "yaw_rad": yaw[kept], "velocity_mps": values[kept, 16:18],
        "yaw_rate_radps": values[kept, 18], "sigma": np.exp(values[kept, 19:25]),
    }  # fmt: skip


def arrows(head: DenseHead, output: np.ndarray) -> dict[str, np.ndarray]:
    """Arrows: kind, confidence, position, yaw, deviation."""
    peaks = head.peaks(output, offset=8)
    kept = suppressed(distances(peaks.xy) < 2.0)
    values = peaks.values[kept]
    return {
        "kind": peaks.kind[kept], "confidence": peaks.confidence[kept],
        "position_m": np.concatenate([peaks.xy[kept], values[:, 12:13]], axis=1),
        "yaw_rad": np.arctan2(values[:, 10], values[:, 11]), "sigma": np.exp(values[:, 13]),
    }  # fmt: skip


def crosswalks(head: DenseHead, output: np.ndarray) -> dict[str, np.ndarray]:
    """Crosswalks: confidence, position, direction, length, width, deviation."""
    peaks = head.peaks(output, offset=1)
    theta = 0.5 * np.arctan2(peaks.values[:, 4], peaks.values[:, 3])
    size = np.clip(np.exp(peaks.values[:, 5:7]), 0.5, [60.0, 30.0])
    is_same = (distances(peaks.xy) < 2.0) | (overlaps(peaks.xy, size, theta) > 0.2)
    kept = suppressed(is_same)
    values = peaks.values[kept]
    return {
        "confidence": peaks.confidence[kept],
        "position_m": np.concatenate([peaks.xy[kept], values[:, 7:8]], axis=1),
        "theta_rad": theta[kept], "size_m": size[kept], "sigma": np.exp(values[:, 8]),
    }  # fmt: skip


def stop_lines(head: DenseHead, output: np.ndarray) -> dict[str, np.ndarray]:
    """Stop lines: confidence, position, direction, length, deviation."""
    peaks = head.peaks(output, offset=1)
    kept = suppressed(distances(peaks.xy) < 1.5)
    values = peaks.values[kept]
    return {
        "confidence": peaks.confidence[kept],
        "position_m": np.concatenate([peaks.xy[kept], values[:, 6:7]], axis=1),
        "theta_rad": 0.5 * np.arctan2(values[:, 4], values[:, 3]),
        "length_m": np.exp(values[:, 5]), "sigma": np.exp(values[:, 7]),
    }  # fmt: skip


def lanes(head: DenseHead, output: np.ndarray) -> list[dict]:
    """Lines: polylines with a point about every metre, marking, colour, confidence.

    Cells of paint and of road edges are gathered apart; connected cells are a line, whose points
    are put in order along its longer direction.
    """
    mask = output[0] >= head.thresholds.min()
    marking = output[6:10].argmax(axis=0)
    found = []
    for family in (marking < 3, marking == 3):
        count, labels = cv2.connectedComponents((mask & family).astype(np.uint8))
        row, col = np.nonzero(labels)
        label = labels[row, col]
        xyz = np.stack([
            head.x_m[row] + output[1, row, col],
            head.y_m[col] + output[2, row, col],
            output[5, row, col],
        ], axis=1)  # fmt: skip
        order = np.argsort(label, kind="stable")
        ends = np.searchsorted(label[order], np.arange(1, count + 1))
        for begin, end in pairwise(ends):
            if end - begin >= LEAST_CELLS:
                cells = order[begin:end]
                line = _line(head, output, marking, row[cells], col[cells], xyz[cells])
                if line is not None:
                    found.append(line)
    return sorted(found, key=lambda line: -line["confidence"])


def _line(
    head: DenseHead, output: np.ndarray, marking: np.ndarray,
    row: np.ndarray, col: np.ndarray, xyz: np.ndarray,
) -> dict | None:  # fmt: skip
    spread = np.cov(xyz[:, :2].T)
    direction = np.linalg.eigh(spread)[1][:, 1]
    direction *= np.sign(direction[np.abs(direction).argmax()])
    along = xyz[:, :2] @ direction
    begin, length = along.min(), np.ptp(along)
    confidence = float((1.0 / (1.0 + np.exp(-output[0, row, col]))).mean())
    kind = int(np.bincount(marking[row, col], minlength=4).argmax())
    if length < LEAST_LINE_M or confidence < head.confidences[min(kind, len(head.confidences) - 1)]:
        return None
    bin_of = (along - begin).astype(np.int64)
    counts = np.bincount(bin_of)
    points = np.stack([np.bincount(bin_of, xyz[:, k]) for k in range(3)], axis=1)
    colour = int(output[10:12, row, col].sum(axis=1).argmax())
    return {
        "points_m": points[counts > 0] / counts[counts > 0, None], "marking": kind,
        "colour": colour, "confidence": confidence,
        "sigma": float(np.exp(output[12, row, col]).mean()),
    }  # fmt: skip


DECODERS = {
    "objects": objects,
    "lanes": lanes,
    "arrows": arrows,
    "crosswalks": crosswalks,
    "stop_lines": stop_lines,
}


class Decoder:
    """All heads of a manifest."""

    def __init__(self, sections: list[dict]) -> None:
        self._heads = []
        for section in sections:
            if section.get("form", "dense") != "dense":
                raise ValueError(f"head {section['output']}: expected dense, found a query set")
            decode = DECODERS[section["kind"]]
            self._heads.append((section["output"], DenseHead(section), decode))

    def decode(self, outputs: dict[str, np.ndarray]) -> dict:
        """Elements by head."""
        return {name: decode(head, outputs[name][0]) for name, head, decode in self._heads}
