"""Turns a stream message's truth into the dense targets of the heads, on the heads' own grids.

Every value is one that the runtime's decoder inverts: offsets are metres from a cell's centre,
sizes are logarithms, directions of period pi are (cos 2 theta, sin 2 theta). What no camera has
seen within two seconds is neither positive nor negative: its cells are ignored. So is what the
truth does not tell: see `stream.MASKS`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import config
from .config import BevGrid

HEAT_HALF_WINDOW = 4
IGNORE_HALF_WINDOW = 9
LANE_POSITIVE_M = 0.3
LANE_IGNORE_M = 0.45
LANE_SAMPLE_M = 0.3
LANE_KNOWN_M = 1.2
"""Where road edges are not told, a cell is known to be no line only this near to a line: lanes are
wider, so that no road edge lies there."""


@dataclass
class CentreTarget:
    """Target of a head that marks centres.

    heat [K, rows, cols] in 0..1 with ones at centre cells; negative [rows, cols] 0 where nothing
    may be learnt from silence; values [2 + V, rows, cols]: offset x, offset y, then the head's
    values, NaN where nobody knows them; weight [rows, cols] of the regression, 0 where there is
    none; label [rows, cols] the class that the regression belongs to; known [K] 0 for a class of
    which nothing is told.
    """

    heat: np.ndarray
    negative: np.ndarray
    values: np.ndarray
    weight: np.ndarray
    label: np.ndarray
    known: np.ndarray


@dataclass
class LaneTarget:
    """Target of the lane head.

    mask [rows, cols] 1 on a seen line; care [rows, cols] 0 where the mask is not learnt; values
    [5, rows, cols]: dx_m, dy_m, cos 2theta, sin 2theta, z_m (NaN where nobody knows it); kind and
    colour [rows, cols] class indices, -1 where nobody knows them (colour of road edges, too).
    """

    mask: np.ndarray
    care: np.ndarray
    values: np.ndarray
    kind: np.ndarray
    colour: np.ndarray


def centre_target(
    grid: BevGrid, classes: int, label: np.ndarray, xy_m: np.ndarray, seen: np.ndarray,
    values: np.ndarray, sigma_cells: np.ndarray, ignore_m: np.ndarray, reach_cells: float,
    known: np.ndarray | None = None,
) -> CentreTarget:  # fmt: skip
    """Draws centres [M] into a target.

    label [M] class; xy_m [M, 2] centres; seen [M] bool; values [M, V]; sigma_cells [M] of the
    heat's Gaussian; ignore_m [M] radius that an unseen element silences; reach_cells how far from
    the centre cell the values are learnt; known [K] False for classes of which nothing is told, all
    by default. Centres outside of the grid are left out.
    """
    rows, cols = grid.rows, grid.cols
    target = CentreTarget(
        heat=np.zeros((classes, rows, cols), np.float32),
        negative=np.ones((rows, cols), np.float32),
        values=np.zeros((2 + values.shape[1], rows, cols), np.float32),
        weight=np.zeros((rows, cols), np.float32),
        label=np.zeros((rows, cols), np.int64),
        known=np.ones(classes, np.float32) if known is None else known.astype(np.float32),
    )
    seen = seen & (target.known[label] > 0.0)
    row_f, col_f = grid.to_index(xy_m[:, 0], xy_m[:, 1])
    row, col = np.rint(row_f).astype(np.int64), np.rint(col_f).astype(np.int64)
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)

    unseen = np.flatnonzero(~seen)
    if unseen.size:
        r, c, d2, owner = _window(row[unseen], col[unseen], IGNORE_HALF_WINDOW, rows, cols)
        near = d2 <= (ignore_m[unseen][owner] / grid.cell_m) ** 2 + 0.5
        target.negative[r[near], c[near]] = 0.0

    drawn = np.flatnonzero(seen & inside)
    if not drawn.size:
        return target
    r, c, d2, owner = _window(row[drawn], col[drawn], HEAT_HALF_WINDOW, rows, cols)
    element = drawn[owner]
    gauss = np.exp(-d2 / (2.0 * sigma_cells[element] ** 2)).astype(np.float32)
    flat = (label[element] * rows + r) * cols + c
    np.maximum.at(target.heat.reshape(-1), flat, gauss)

    reach = d2 <= reach_cells**2
    r, c, element, d2 = r[reach], c[reach], element[reach], d2[reach]
    # The nearest centre owns a cell that several reach: it is written last.
    order = np.argsort(-d2, kind="stable")
    r, c, element, d2 = r[order], c[order], element[order], d2[order]
    x, y = grid.centres_x_m()[r], grid.centres_y_m()[c]
    target.values[0, r, c] = xy_m[element, 0] - x
    target.values[1, r, c] = xy_m[element, 1] - y
    target.values[2:, r, c] = values[element].T
    target.weight[r, c] = np.exp(-d2 / reach_cells**2)
    target.label[r, c] = label[element]
    return target


def head_target(
    task: str, grid: BevGrid, arrays: dict[str, np.ndarray],
    masked: frozenset[str] = frozenset(),
) -> CentreTarget | LaneTarget:  # fmt: skip
    """The target of a head from a message's arrays; `masked` as in the message."""
    is_told = task not in masked
    if task == "lanes":
        count = None if is_told else 0
        target = lane_target(grid, arrays["lane_points"], arrays["lanes"][:count])
        if not is_told:
            target.care[:] = 0.0
        elif "lanes.road_edge" in masked:
            _keep_near_lines(grid, target)
    elif task == "objects":
        names = [f"objects.{name}" for name in config.OBJECT_CLASSES]
        known = np.array([is_told and name not in masked for name in names])
        return object_target(grid, arrays["objects"], known)
    else:
        draw = {
            "arrows": arrow_target, "crosswalks": crosswalk_target, "stop_lines": stop_line_target,
        }  # fmt: skip
        target = draw[task](grid, arrays[task][: None if is_told else 0])
        target.known *= is_told
    if f"{task}.z" in masked:
        target.values[-1] = np.nan
    return target


def _keep_near_lines(grid: BevGrid, target: LaneTarget) -> None:
    """Leaves out of the mask's learning what lies far from every seen line."""
    row, col = np.nonzero(target.mask)
    half = int(np.ceil(LANE_KNOWN_M / grid.cell_m))
    r, c, d2, _ = _window(row, col, half, grid.rows, grid.cols)
    near = d2 <= (LANE_KNOWN_M / grid.cell_m) ** 2
    is_near = np.zeros_like(target.care)
    is_near[r[near], c[near]] = 1.0
    target.care *= is_near


def object_target(
    grid: BevGrid, objects: np.ndarray, known: np.ndarray | None = None
) -> CentreTarget:
    """objects f32 [M, 16] of the stream; values: z, ln sizes, sin/cos yaw, velocity, yaw rate.

    A velocity that nobody knows is NaN, the yaw rate with it. known as in `centre_target`.
    """
    objects = objects.astype(np.float64).reshape(-1, 16)
    length, width, height = np.maximum(objects[:, 4:7], 0.05).T
    yaw = objects[:, 7]
    values = np.stack(
        [objects[:, 3], np.log(length), np.log(width), np.log(height), np.sin(yaw), np.cos(yaw),
         objects[:, 8], objects[:, 9], objects[:, 10]], axis=1,
    )  # fmt: skip
    return centre_target(
        grid, len(config.OBJECT_CLASSES), objects[:, 0].astype(np.int64), objects[:, 1:3],
        objects[:, 13] > 0.5, values,
        sigma_cells=np.clip(0.12 * (length + width) / grid.cell_m, 0.65, 1.5),
        ignore_m=0.5 * np.hypot(length, width) + 0.5, reach_cells=1.5, known=known,
    )  # fmt: skip


def arrow_target(grid: BevGrid, arrows: np.ndarray) -> CentreTarget:
    """arrows f32 [A, 7]: x, y, z, yaw, class, seen, id; values: sin yaw, cos yaw, z."""
    arrows = arrows.astype(np.float64).reshape(-1, 7)
    count = len(arrows)
    yaw = arrows[:, 3]
    return centre_target(
        grid, len(config.ARROW_KINDS), arrows[:, 4].astype(np.int64), arrows[:, :2],
        arrows[:, 5] > 0.5, np.stack([np.sin(yaw), np.cos(yaw), arrows[:, 2]], axis=1),
        sigma_cells=np.full(count, 1.2), ignore_m=np.full(count, 2.0), reach_cells=2.3,
    )  # fmt: skip


def crosswalk_target(grid: BevGrid, crosswalks: np.ndarray) -> CentreTarget:
    """crosswalks f32 [C, 8]: x, y, z, theta, length, width, seen, id.

    Values: cos 2theta, sin 2theta, ln length, ln width, z.
    """
    walks = crosswalks.astype(np.float64).reshape(-1, 8)
    count = len(walks)
    theta2 = 2.0 * walks[:, 3]
    values = np.stack(
        [np.cos(theta2), np.sin(theta2), np.log(np.maximum(walks[:, 4], 0.1)),
         np.log(np.maximum(walks[:, 5], 0.1)), walks[:, 2]], axis=1,
    )  # fmt: skip
    return centre_target(
        grid, 1, np.zeros(count, np.int64), walks[:, :2], walks[:, 6] > 0.5, values,
        sigma_cells=np.full(count, 2.0), ignore_m=np.full(count, 3.6), reach_cells=3.0,
    )  # fmt: skip


def stop_line_target(grid: BevGrid, stop_lines: np.ndarray) -> CentreTarget:
    """stop_lines f32 [T, 7]: x, y, z, theta, length, seen, id.

    Values: cos 2theta, sin 2theta, ln length, z.
    """
    lines = stop_lines.astype(np.float64).reshape(-1, 7)
    count = len(lines)
    theta2 = 2.0 * lines[:, 3]
    values = np.stack(
        [np.cos(theta2), np.sin(theta2), np.log(np.maximum(lines[:, 4], 0.1)), lines[:, 2]], axis=1
    )
    return centre_target(
        grid, 1, np.zeros(count, np.int64), lines[:, :2], lines[:, 5] > 0.5, values,
        sigma_cells=np.full(count, 1.6), ignore_m=np.full(count, 3.0), reach_cells=2.3,
    )  # fmt: skip


def lane_target(grid: BevGrid, points: np.ndarray, lanes: np.ndarray) -> LaneTarget:
    """Draws polylines.

    points f32 [P, 4]: x, y, z, seen; lanes i32 [L, 4]: first point, count, type, colour. A cell is
    positive within LANE_POSITIVE_M of a seen line and not learnt up to LANE_IGNORE_M, nor near
    an unseen line.
    """
    rows, cols = grid.rows, grid.cols
    target = LaneTarget(
        mask=np.zeros((rows, cols), np.float32), care=np.ones((rows, cols), np.float32),
        values=np.zeros((5, rows, cols), np.float32), kind=np.zeros((rows, cols), np.int64),
        colour=np.full((rows, cols), -1, np.int64),
    )  # fmt: skip
    start, lane = _segments(lanes)
    if not start.size:
        return target
    points = points.astype(np.float64)
    p0, p1 = points[start, :3], points[start + 1, :3]
    seen = points[start, 3] + points[start + 1, 3] >= 1.0
    keep = _touches(grid, p0, p1)
    p0, p1, seen, lane = p0[keep], p1[keep], seen[keep], lane[keep]
    along = p1 - p0
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)

    # Candidate cells: 3 x 3 around samples along each segment; distances are exact afterwards.
    pieces = np.ceil(length / LANE_SAMPLE_M).astype(np.int64)
    owner = np.repeat(np.arange(len(p0)), pieces)
    if not owner.size:
        return target
    ordinal = np.arange(owner.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    t = (ordinal + 0.5) / pieces[owner]
    sample = p0[owner, :2] + along[owner, :2] * t[:, None]
    row_f, col_f = grid.to_index(sample[:, 0], sample[:, 1])
    r, c, _, index = _window(
        np.rint(row_f).astype(np.int64), np.rint(col_f).astype(np.int64), 1, rows, cols
    )
    owner = owner[index]
    pair = np.unique((r * cols + c) * len(p0) + owner)
    cell, owner = pair // len(p0), pair % len(p0)
    x, y = grid.centres_x_m()[cell // cols], grid.centres_y_m()[cell % cols]
    a, d, n = p0[owner], along[owner], length[owner]
    t = np.clip(((x - a[:, 0]) * d[:, 0] + (y - a[:, 1]) * d[:, 1]) / (n * n), 0.0, 1.0)
    dx, dy = a[:, 0] + t * d[:, 0] - x, a[:, 1] + t * d[:, 1] - y
    distance = np.hypot(dx, dy)

    care, mask = target.care.reshape(-1), target.mask.reshape(-1)
    care[cell[distance <= LANE_IGNORE_M]] = 0.0
    positive = np.flatnonzero(seen[owner] & (distance <= LANE_POSITIVE_M))
    # The nearest line owns a cell: it is written last.
    positive = positive[np.argsort(-distance[positive], kind="stable")]
    cell, owner = cell[positive], owner[positive]
    care[cell], mask[cell] = 1.0, 1.0
    unit = along[owner, :2] / length[owner][:, None]
    values = np.stack(
        [dx[positive], dy[positive], unit[:, 0] ** 2 - unit[:, 1] ** 2, 2 * unit[:, 0] * unit[:, 1],
         p0[owner, 2] + t[positive] * along[owner, 2]]
    )  # fmt: skip
    target.values.reshape(5, -1)[:, cell] = values
    kind, colour = lanes[lane[owner], 2], lanes[lane[owner], 3]
    target.kind.reshape(-1)[cell] = kind
    target.colour.reshape(-1)[cell] = np.where(kind == config.ROAD_EDGE, -1, colour)
    return target


def depth_target(depth_m: np.ndarray, bins: config.DepthBins) -> np.ndarray:
    """depth f32 [N, h, w], 0 = none -> i64 [N, h, w] bin, -1 = none."""
    return np.where(depth_m > 0.0, bins.bin_of(depth_m), -1)


def class_target(codes: np.ndarray, is_told: bool = True) -> np.ndarray:
    """codes u8 [N, h, w], 255 = no object -> i64 [N, h, w], 0 = none, else 1 + code.

    All -1 where nobody knows.
    """
    if not is_told:
        return np.full(codes.shape, -1, np.int64)
    return np.where(codes == 255, 0, codes.astype(np.int64) + 1)


def _window(row, col, half, rows, cols):
    """Cells of square windows: row, column, squared distance to the centre, owner; inside only."""
    span = np.arange(-half, half + 1)
    dr, dc = (part.reshape(-1) for part in np.meshgrid(span, span, indexing="ij"))
    r, c = row[:, None] + dr, col[:, None] + dc
    d2 = np.broadcast_to((dr * dr + dc * dc).astype(np.float64), r.shape)
    owner = np.broadcast_to(np.arange(len(row))[:, None], r.shape)
    inside = (r >= 0) & (r < rows) & (c >= 0) & (c < cols)
    return r[inside], c[inside], d2[inside], owner[inside]


def _segments(lanes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of each segment's first point, and its lane."""
    lanes = lanes.reshape(-1, 4)
    counts = np.maximum(lanes[:, 1].astype(np.int64) - 1, 0)
    lane = np.repeat(np.arange(len(lanes)), counts)
    ordinal = np.arange(lane.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return lanes[lane, 0].astype(np.int64) + ordinal, lane


def _touches(grid: BevGrid, p0: np.ndarray, p1: np.ndarray) -> np.ndarray:
    """Whether a segment's bounding box meets the grid."""
    low, high = np.minimum(p0, p1), np.maximum(p0, p1)
    x_max = grid.x_min_m + grid.rows * grid.cell_m
    y_max = grid.y_min_m + grid.cols * grid.cell_m
    return (
        (high[:, 0] > grid.x_min_m) & (low[:, 0] < x_max)
        & (high[:, 1] > grid.y_min_m) & (low[:, 1] < y_max)
    )  # fmt: skip
