"""The contract of a network, and that of `tiny`: grids, lifts, queue and heads, named once.

Everything here is also written into the package's manifest; the runtime reads it there.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

OBJECT_CLASSES = ("car", "van", "truck", "bus", "motorcycle", "cyclist", "pedestrian", "cone")
LANE_TYPES = ("solid", "dashed", "double", "road_edge")
LANE_COLOURS = ("white", "yellow")
# Bit set of directions: straight 1, left 2, right 4, u-turn 8.
ARROW_KINDS = (1, 2, 4, 3, 5, 6, 7, 8)

ROAD_EDGE = LANE_TYPES.index("road_edge")
CONE = OBJECT_CLASSES.index("cone")
PEDESTRIAN = OBJECT_CLASSES.index("pedestrian")

OBJECT_CHANNELS = (
    *(f"class_{name}" for name in OBJECT_CLASSES),
    "offset_x_m", "offset_y_m", "z_m", "ln_length", "ln_width", "ln_height",
    "sin_yaw", "cos_yaw", "vx_mps", "vy_mps", "yaw_rate",
    "ln_sigma_x", "ln_sigma_y", "ln_sigma_yaw", "ln_sigma_vx", "ln_sigma_vy", "ln_sigma_size",
)  # fmt: skip
LANE_CHANNELS = (
    "mask", "dx_m", "dy_m", "cos_2theta", "sin_2theta", "z_m",
    *(f"type_{name}" for name in LANE_TYPES), *(f"colour_{name}" for name in LANE_COLOURS),
    "ln_sigma_lateral",
)  # fmt: skip
ARROW_CHANNELS = (
    *(f"kind_{kind}" for kind in ARROW_KINDS),
    "dx_m", "dy_m", "sin_yaw", "cos_yaw", "z_m", "ln_sigma_position",
)  # fmt: skip
CROSSWALK_CHANNELS = (
    "centre", "dx_m", "dy_m", "cos_2theta", "sin_2theta", "ln_length", "ln_width", "z_m",
    "ln_sigma_position",
)  # fmt: skip
STOP_LINE_CHANNELS = (
    "centre", "dx_m", "dy_m", "cos_2theta", "sin_2theta", "ln_length", "z_m", "ln_sigma_position",
)  # fmt: skip

HEAD_CHANNELS = {
    "objects": OBJECT_CHANNELS,
    "lanes": LANE_CHANNELS,
    "arrows": ARROW_CHANNELS,
    "crosswalks": CROSSWALK_CHANNELS,
    "stop_lines": STOP_LINE_CHANNELS,
}


SIGMA_CHANNELS = {
    "object_x": ("objects", "ln_sigma_x"), "object_y": ("objects", "ln_sigma_y"),
    "object_yaw": ("objects", "ln_sigma_yaw"), "object_vx": ("objects", "ln_sigma_vx"),
    "object_vy": ("objects", "ln_sigma_vy"), "object_size": ("objects", "ln_sigma_size"),
    "arrow_position": ("arrows", "ln_sigma_position"),
    "crosswalk_position": ("crosswalks", "ln_sigma_position"),
    "stop_line_position": ("stop_lines", "ln_sigma_position"),
    "lane_lateral": ("lanes", "ln_sigma_lateral"),
}  # fmt: skip
"""Head and channel of each standard deviation, by the name that `bevrt eval` gives it."""


BOX_CHANNELS = ("x_m", "y_m", *OBJECT_CHANNELS[len(OBJECT_CLASSES) + 2 :])
"""Columns of a box of an object query: the channels of a dense head with the position itself."""


RAY_CHANNELS = 5
RAY_GROUND = 3
RAY_UNIT_M = 10.0
"""Planes a camera of the `rays` input: unit vector in ego, ln (ground distance / unit), ln
focal length."""


@dataclass(frozen=True)
class BevGrid:
    """A grid on the ground in ego: row i has x = x_min + (i + 0.5) cell, column j y likewise."""

    x_min_m: float
    y_min_m: float
    cell_m: float
    rows: int
    cols: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.cols

    def centres_x_m(self) -> np.ndarray:
        """[rows] f64: x of the cell centres."""
        return self.x_min_m + (np.arange(self.rows) + 0.5) * self.cell_m

    def centres_y_m(self) -> np.ndarray:
        """[cols] f64: y of the cell centres."""
        return self.y_min_m + (np.arange(self.cols) + 0.5) * self.cell_m

    def to_index(self, x_m: np.ndarray, y_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Continuous (row, column) of a point; a cell's centre has whole numbers."""
        return (
            (x_m - self.x_min_m) / self.cell_m - 0.5,
            (y_m - self.y_min_m) / self.cell_m - 0.5,
        )


@dataclass(frozen=True)
class DepthBins:
    """Geometrically spaced bins of Euclidean distance from the camera."""

    count: int
    min_m: float
    max_m: float

    def bin_of(self, distance_m: np.ndarray) -> np.ndarray:
        """Index of the bin, clamped to 0..count-1; distances must be positive."""
        scale = self.count / math.log(self.max_m / self.min_m)
        index = np.floor(scale * np.log(np.maximum(distance_m, 1e-3) / self.min_m))
        return np.clip(index, 0, self.count - 1).astype(np.int64)


@dataclass(frozen=True)
class Lift:
    """One gather of image features into BEV voxels through the projection table."""

    name: str
    grid: BevGrid
    heights_m: tuple[float, ...]
    stride: int
    taps: int = 1
    geometry: bool = True
    depth_bins: DepthBins | None = None


@dataclass(frozen=True)
class Queue:
    """The feature queue: single-frame maps kept in the runtime.

    `alignment` says who brings them into the present ego frame: "runtime" or "graph".
    """

    grid: BevGrid
    channels: int
    slots: int
    stride_s: float
    storage: str = "f16"
    alignment: str = "runtime"


@dataclass(frozen=True)
class Preprocess:
    """How a source image becomes network input: crop, area resize, (level - mean) / std."""

    width: int = 352
    height: int = 128
    crop_top: float = 0.353333
    kernel: str = "area"
    colour: str = "rgb"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (64.0, 64.0, 64.0)


@dataclass(frozen=True)
class Head:
    """A dense head: its grid, classes and default thresholds of confidence."""

    kind: str
    grid: BevGrid
    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    channels: int

    def output_shapes(self) -> dict[str, list[int]]:
        """Shape of each output of the network, by name."""
        return {self.kind: [1, self.channels, self.grid.rows, self.grid.cols]}

    def manifest_fields(self) -> dict:
        """The head's section of the manifest."""
        return {"kind": self.kind, "output": self.kind, "grid": self.grid,
                "classes": self.classes, "thresholds": self.thresholds}  # fmt: skip


@dataclass(frozen=True)
class GroundRange:
    """A rectangle on the ground in ego axes, in metres."""

    x_min_m: float
    x_max_m: float
    y_min_m: float
    y_max_m: float


@dataclass(frozen=True)
class ObjectQueries:
    """A head that gives a set of boxes: `<output>_scores` and `<output>_boxes`."""

    output: str
    queries: int
    range: GroundRange
    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    kind: str = "objects"

    def output_shapes(self) -> dict[str, list[int]]:
        """Shape of each output of the network, by name."""
        return {f"{self.output}_scores": [1, self.queries, len(self.classes)],
                f"{self.output}_boxes": [1, self.queries, len(BOX_CHANNELS)]}  # fmt: skip

    def manifest_fields(self) -> dict:
        """The head's section of the manifest."""
        return {"kind": self.kind, "form": "queries", "output": self.output,
                "queries": self.queries, "range": self.range, "classes": self.classes,
                "thresholds": self.thresholds}  # fmt: skip


@dataclass(frozen=True)
class MapQueries:
    """A head that gives a set of point lists: `<output>_scores` and `<output>_points`.

    `elements` says what each class is: solid, dashed, double, road_edge, yellow_solid,
    yellow_dashed, yellow_double, crosswalk, stop_line or ignored. `sigma_m` is the standard
    deviation of each class's positions as it was measured: 68 % of the errors lie below it.
    """

    output: str
    queries: int
    points: int
    range: GroundRange
    classes: tuple[str, ...]
    elements: tuple[str, ...]
    sigma_m: tuple[float, ...]
    thresholds: tuple[float, ...]
    dimensions: int = 2
    coordinates: str = "normalised"
    kind: str = "map_elements"

    def output_shapes(self) -> dict[str, list[int]]:
        """Shape of each output of the network, by name."""
        return {f"{self.output}_scores": [1, self.queries, len(self.classes)],
                f"{self.output}_points":
                    [1, self.queries, self.points, self.dimensions]}  # fmt: skip

    def manifest_fields(self) -> dict:
        """The head's section of the manifest."""
        return {"kind": self.kind, "form": "queries", "output": self.output,
                "queries": self.queries, "points": self.points, "dimensions": self.dimensions,
                "coordinates": self.coordinates, "range": self.range, "classes": self.classes,
                "elements": self.elements, "sigma_m": self.sigma_m,
                "thresholds": self.thresholds}  # fmt: skip


COARSE_GRID = BevGrid(-51.2, -51.2, 0.8, 128, 128)
FINE_GRID = BevGrid(-33.6, -16.8, 0.4, 168, 84)
ARROW_CLASS_NAMES = (
    "straight", "left", "right", "straight_left", "straight_right", "left_right",
    "straight_left_right", "u_turn",
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """Everything that a network, its trainer and its manifest agree on.

    `width` is the number of channels inside relative to `tiny`, for our own networks.
    `largest_distortion_px` is set for a network that takes the cameras as matrices: how far a lens
    may move a pixel of the network's image from where its pinhole matrix has it.
    """

    name: str
    preprocess: Preprocess
    lifts: tuple[Lift, ...]
    queue: Queue | None
    heads: tuple[Head | ObjectQueries | MapQueries, ...]
    ray_stride: int | None = None
    width: float = 1.0
    largest_distortion_px: float | None = None
    world: str = "1"
    version: str = "0.1.0"
    tolerance: dict[str, float] = field(
        default_factory=lambda: {"fp32": 1e-3, "fp16": 2e-2, "int8-cpu": 0.15, "int8-trt": 0.2}
    )

    @property
    def tasks(self) -> tuple[str, ...]:
        """Kinds of the heads, in order."""
        return tuple(head.kind for head in self.heads)

    def lift(self, name: str) -> Lift:
        """The lift of that name; KeyError if there is none."""
        for lift in self.lifts:
            if lift.name == name:
                return lift
        raise KeyError(f"no lift named {name!r} in contract {self.name!r}")

    def head(self, kind: str) -> Head:
        """The head of that kind; KeyError if there is none."""
        for head in self.heads:
            if head.kind == kind:
                return head
        raise KeyError(f"no head of kind {kind!r} in contract {self.name!r}")


def tiny_contract(tasks: Collection[str] = tuple(HEAD_CHANNELS)) -> Contract:
    """The contract of the network that ships as `tiny`, or of its twin with fewer heads.

    A twin has what its heads need: without markings it has no fine lift. Raises ValueError for a
    task that there is not.
    """
    unknown = set(tasks) - HEAD_CHANNELS.keys()
    if unknown or not tasks:
        raise ValueError(
            f"tasks: expected some of {', '.join(HEAD_CHANNELS)}, found {sorted(tasks)}"
        )
    bins = DepthBins(32, 2.0, 72.0)
    lifts = [Lift("coarse", COARSE_GRID, (0.0, 0.6, 1.4, 2.6), stride=8, depth_bins=bins)]
    if set(tasks) != {"objects"}:
        lifts.append(Lift("fine", FINE_GRID, (-0.5, 0.0, 0.5), stride=4))
    heads = (
        Head("objects", COARSE_GRID, OBJECT_CLASSES, (0.3,) * 8, len(OBJECT_CHANNELS)),
        Head("lanes", FINE_GRID, LANE_TYPES, (0.5,) * 4, len(LANE_CHANNELS)),
        Head("arrows", FINE_GRID, ARROW_CLASS_NAMES, (0.3,) * 8, len(ARROW_CHANNELS)),
        Head("crosswalks", FINE_GRID, ("crosswalk",), (0.3,), len(CROSSWALK_CHANNELS)),
        Head("stop_lines", FINE_GRID, ("stop_line",), (0.3,), len(STOP_LINE_CHANNELS)),
    )
    heads = tuple(head for head in heads if head.kind in tasks)
    return Contract(
        name=_named("tiny", heads),
        preprocess=Preprocess(),
        lifts=tuple(lifts),
        queue=Queue(COARSE_GRID, channels=32, slots=4, stride_s=0.5),
        heads=heads,
        ray_stride=8,
    )


def base_contract(tasks: Collection[str] = tuple(HEAD_CHANNELS)) -> Contract:
    """The contract of `base`, for GPUs: twice the resolution and half as many channels again."""
    tiny = tiny_contract(tasks)
    return replace(
        tiny, name=_named("base", tiny.heads), width=1.5,
        preprocess=replace(tiny.preprocess, width=704, height=256),
        queue=replace(tiny.queue, channels=48),
    )  # fmt: skip


def resized(
    contract: Contract, image: tuple[int, int] | None, cells: int | None, slots: int | None
) -> Contract:
    """The contract with another image (width, height), a coarse grid of `cells` x `cells` around
    the ego, another number of past maps; None keeps what is there.

    Raises ValueError for sizes that the network cannot have.
    """
    if image is not None:
        if image[0] % 32 or image[1] % 32 or min(image) < 64:
            raise ValueError(f"image: expected multiples of 32 from 64 on, found {image}")
        contract = replace(
            contract, preprocess=replace(contract.preprocess, width=image[0], height=image[1])
        )
    if cells is not None:
        if cells % 4 or not 88 <= cells <= 256:
            raise ValueError(f"cells: expected a multiple of 4 in 88..256, found {cells}")
        half_m = 0.5 * cells * COARSE_GRID.cell_m
        grid = BevGrid(-half_m, -half_m, COARSE_GRID.cell_m, cells, cells)

        def moved(part):
            return replace(part, grid=grid) if part.grid == COARSE_GRID else part

        contract = replace(
            contract,
            lifts=tuple(map(moved, contract.lifts)),
            heads=tuple(map(moved, contract.heads)),
            queue=moved(contract.queue),
        )
    if slots is not None:
        if not 1 <= slots <= 8:
            raise ValueError(f"slots: expected 1 to 8, found {slots}")
        contract = replace(contract, queue=replace(contract.queue, slots=slots))
    return contract


def _named(name: str, heads: tuple[Head, ...]) -> str:
    if len(heads) == len(HEAD_CHANNELS):
        return name
    return "-".join([name, *(head.kind for head in heads)])


NETWORKS = {"tiny": tiny_contract, "base": base_contract}
"""Contracts of our own networks, by name."""
