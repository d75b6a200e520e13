"""Quick figures of merit on the training stream.

They show whether training goes well; published figures come from the exported package through the
runtime. Every frame of the stream is new, so these are no training-set figures, but they see the
augmented, partly history-less network of the moment.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .config import BevGrid, Contract
from .stream import Message

OBJECT_GROUPS = {"vehicle": (0, 1, 2, 3), "two_wheel": (4, 5), "pedestrian": (6,), "cone": (7,)}


def peaks(heat_logits: Tensor, values: Tensor, grid: BevGrid, count: int = 100):
    """Highest local maxima (3 x 3) of one sample's heat maps.

    heat_logits [K, rows, cols]; values [2 + V, rows, cols], offsets first. Gives class [n],
    score [n], xy [n, 2] and the values [n, 2 + V] at the peaks, as numpy arrays.
    """
    score = torch.sigmoid(heat_logits.float())
    highest = F.max_pool2d(score[None], 3, 1, 1)[0]
    score = torch.where(score == highest, score, score.new_zeros(())).reshape(-1)
    top, flat = score.topk(min(count, score.numel()))
    kind, cell = flat // grid.cells, flat % grid.cells
    row, col = cell // grid.cols, cell % grid.cols
    at = values.float()[:, row, col].T.numpy()
    x = grid.centres_x_m()[row.numpy()] + at[:, 0]
    y = grid.centres_y_m()[col.numpy()] + at[:, 1]
    return kind.numpy(), top.numpy(), np.stack([x, y], 1), at


def match(xy: np.ndarray, score: np.ndarray, truth_xy: np.ndarray, limit_m: float) -> np.ndarray:
    """Greedy matching by score: bool [n], whether a detection took a truth within the limit."""
    hit = np.zeros(len(xy), bool)
    if not len(truth_xy) or not len(xy):
        return hit
    distance = np.linalg.norm(xy[:, None] - truth_xy[None], axis=2)
    for index in np.argsort(-score, kind="stable"):
        best = int(np.argmin(distance[index]))
        if distance[index, best] < limit_m:
            hit[index] = True
            distance[:, best] = np.inf
    return hit


def average_precision(score: np.ndarray, hit: np.ndarray, truths: int) -> float:
    """Area under the monotone precision envelope; nan without truth."""
    if truths == 0:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(hit[order])
    precision = found / np.arange(1, len(found) + 1)
    recall = found / truths
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope))


class Tracker:
    """Running figures over the last `window` samples that were looked at."""

    def __init__(self, contract: Contract, window: int = 200) -> None:
        self._contract = contract
        self._frames: deque[dict] = deque(maxlen=window)

    def add(
        self, outputs: dict[str, Tensor], messages: list[Message],
        lanes: dict[str, Tensor] | None,
    ) -> None:  # fmt: skip
        """Decodes the heads of a step and keeps what matters; `lanes` is the lane head's target."""
        outputs = {
            task: outputs[task].detach().float().cpu() for task in self._contract.tasks
        }  # fmt: skip
        if lanes is not None:
            lanes = {name: lanes[name].cpu() for name in ("mask", "care")}
        for sample, message in enumerate(messages):
            frame: dict = {}
            if "objects" in outputs and "objects" not in message.masked:
                self._objects(frame, outputs["objects"][sample], message.arrays["objects"])
            for name, classes, column in (
                ("arrows", 8, 5), ("crosswalks", 1, 6), ("stop_lines", 1, 5)
            ):  # fmt: skip
                if name in outputs and name not in message.masked:
                    truth = message.arrays[name]
                    self._marks(frame, name, outputs[name][sample], truth, classes, column)
            if lanes is not None and "lanes" not in message.masked:
                mask, care = lanes["mask"][sample] > 0.5, lanes["care"][sample] > 0.5
                found = (outputs["lanes"][sample, 0] > 0.0) & care
                frame["lanes"] = (int((found & mask).sum()), int(found.sum()), int(mask.sum()))
            self._frames.append(frame)

    def summary(self) -> dict[str, float]:
        """AP by group and distance, lane cell F1; empty before the first sample."""
        result: dict[str, float] = {}
        names = {name for frame in self._frames for name in frame if name != "lanes"}
        for name in sorted(names):
            parts = [frame[name] for frame in self._frames if name in frame]
            score = np.concatenate([part[0] for part in parts])
            hit = np.concatenate([part[1] for part in parts])
            result[name] = average_precision(score, hit, sum(part[2] for part in parts))
        cells = [frame["lanes"] for frame in self._frames if "lanes" in frame]
        if cells:
            both, found, true = np.sum(cells, axis=0)
            result["lanes.cell_F1"] = float(2 * both / max(found + true, 1))
        return result

    def _objects(self, frame: dict, output: Tensor, objects: np.ndarray) -> None:
        head = self._contract.head("objects")
        kind, score, xy, _ = peaks(output[:8], output[8:], head.grid)
        near = np.hypot(xy[:, 0], xy[:, 1]) < 40.0
        in_range = np.hypot(objects[:, 1], objects[:, 2]) < 40.0
        for group, classes in OBJECT_GROUPS.items():
            mine = near & np.isin(kind, classes)
            truth = np.isin(objects[:, 0].astype(int), classes) & in_range
            counted, ignored = truth & (objects[:, 13] > 0.5), truth & (objects[:, 13] <= 0.5)
            for limit in (1.0, 2.0):
                hit = match(xy[mine], score[mine], objects[counted, 1:3], limit)
                silent = ~hit & match(xy[mine], score[mine], objects[ignored, 1:3], limit)
                frame[f"{group}.AP@{limit:.0f}m"] = (
                    score[mine][~silent], hit[~silent], int(counted.sum())
                )  # fmt: skip

    def _marks(self, frame, name, output, truth, classes, seen_column) -> None:
        head = self._contract.head(name)
        kind, score, xy, _ = peaks(output[:classes], output[classes:], head.grid, 60)
        limit_x, limit_y = 30.0, 15.0
        near = (np.abs(xy[:, 0]) < limit_x) & (np.abs(xy[:, 1]) < limit_y)
        inside = (np.abs(truth[:, 0]) < limit_x) & (np.abs(truth[:, 1]) < limit_y)
        seen = truth[:, seen_column] > 0.5
        scores, hits, truths = [], [], 0
        for label in range(classes):
            mine = near & (kind == label)
            alike = truth[:, 4].astype(int) == label if classes > 1 else np.ones(len(truth), bool)
            hit = match(xy[mine], score[mine], truth[inside & seen & alike, :2], 1.0)
            silent = ~hit & match(xy[mine], score[mine], truth[~seen & alike, :2], 1.0)
            scores.append(score[mine][~silent])
            hits.append(hit[~silent])
            truths += int((inside & seen & alike).sum())
        frame[f"{name}.AP@1m"] = (np.concatenate(scores), np.concatenate(hits), truths)
