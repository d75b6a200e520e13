"""Decodes query sets the long way, for tests of the runtime's decoders.

Nothing is shared with them: rectangles are found by turning, straight pieces by an SVD.
"""

from __future__ import annotations

import numpy as np

from .config import Contract, MapQueries, ObjectQueries

LEAST_LINE_M = 3.0
LEAST_WIDTH_M = 0.5
TURNS = 7200


def decoded_sets(contract: Contract, outputs: dict[str, np.ndarray]) -> dict | None:
    """The strongest element of each kind of a network's query sets; None if it has none."""
    found = {}
    for head in contract.heads:
        if isinstance(head, ObjectQueries):
            scores, boxes = outputs[f"{head.output}_scores"][0], outputs[f"{head.output}_boxes"][0]
            found["objects"] = _strongest_box(head, scores, boxes)
        elif isinstance(head, MapQueries):
            scores = outputs[f"{head.output}_scores"][0]
            points = outputs[f"{head.output}_points"][0]
            found |= _strongest_elements(head, scores, points)
    return found or None


def _ranked(head, scores: np.ndarray) -> list[tuple[float, int, int]]:
    """(confidence, query, class) of the queries that reach a threshold, strongest first."""
    confidence = 1.0 / (1.0 + np.exp(-scores.astype(np.float64)))
    reached = np.where(confidence >= np.array(head.thresholds), confidence, 0.0)
    best = reached.argmax(axis=1)
    ranked = [(reached[query, kind], query, kind) for query, kind in enumerate(best)]
    return sorted(((float(c), q, int(k)) for c, q, k in ranked if c > 0.0), reverse=True)


def _strongest_box(head: ObjectQueries, scores: np.ndarray, boxes: np.ndarray) -> dict:
    confidence, query, kind = _ranked(head, scores)[0]
    box = boxes[query].astype(np.float64)
    return {
        "class": kind, "confidence": confidence, "position_m": box[:3].tolist(),
        "size_m": np.exp(box[3:6]).tolist(), "yaw_rad": float(np.arctan2(box[6], box[7])),
        "velocity_mps": box[8:10].tolist(), "yaw_rate_radps": float(box[10]),
        "sigma_position_m": np.exp(box[11:13]).tolist(),
    }  # fmt: skip


def _strongest_elements(head: MapQueries, scores: np.ndarray, points: np.ndarray) -> dict:
    box, found = head.range, {}
    first = np.array([box.x_min_m, box.y_min_m])
    extent = np.array([box.x_max_m, box.y_max_m]) - first
    for confidence, query, kind in _ranked(head, scores):
        metres = points[query].astype(np.float64)
        if head.coordinates == "normalised":
            metres[:, :2] = first + metres[:, :2] * extent
        element = head.elements[kind]
        name, described = {
            "crosswalk": ("crosswalks", _rectangle),
            "stop_line": ("stop_lines", _straight),
            "ignored": ("", lambda _points: None),
        }.get(element, ("lanes", _line))
        values = described(metres[:, :2])
        if values is not None and name not in found:
            found[name] = {"confidence": confidence, "element": element, **values}
    return found


def _line(points: np.ndarray) -> dict | None:
    """The ends of a line in the order of growing x, or y where it runs across."""
    if np.linalg.norm(np.diff(points, axis=0), axis=1).sum() < 1.2 * LEAST_LINE_M:
        return None
    run = points[-1] - points[0]
    if run[np.abs(run).argmax()] < 0:
        points = points[::-1]
    return {"first_m": points[0].tolist(), "last_m": points[-1].tolist()}


def _rectangle(points: np.ndarray) -> dict | None:
    """The rectangle of least area around points, by turning them."""
    best = None
    for turn in np.linspace(0.0, np.pi / 2, TURNS, endpoint=False):
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        turned = points @ axes.T
        sides = turned.max(axis=0) - turned.min(axis=0)
        if best is None or sides.prod() < best[0]:
            best = sides.prod(), sides, 0.5 * (turned.max(axis=0) + turned.min(axis=0)) @ axes
    _, sides, centre = best
    if sides.min() < LEAST_WIDTH_M:
        return None
    return {"centre_m": centre.tolist(), "length_m": float(sides.max()),
            "width_m": float(sides.min())}  # fmt: skip


def _straight(points: np.ndarray) -> dict | None:
    """The piece along the direction of largest spread."""
    mean = points.mean(axis=0)
    direction = np.linalg.svd(points - mean)[2][0]
    along = (points - mean) @ direction
    if np.ptp(along) < 0.5:
        return None
    centre = mean + 0.5 * (along.min() + along.max()) * direction
    return {"centre_m": centre.tolist(), "length_m": float(np.ptp(along)),
            "cos_2theta": float(direction[0] ** 2 - direction[1] ** 2)}  # fmt: skip
