"""Template: a network whose heads are query sets: boxes as DETR gives them, point lists as MapTR.

Matrices in, no history; `boxes_scores`, `boxes_boxes`, `map_scores`, `map_points` out. Put your own
network in place of the encoder, the lift and the attention; what must stay is the form of inputs
and outputs. A softmax with a class "nothing" becomes a logit by `log(p) - log(1 - p)`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .config import (
    BOX_CHANNELS,
    OBJECT_CLASSES,
    BevGrid,
    Contract,
    GroundRange,
    MapQueries,
    ObjectQueries,
    Preprocess,
)
from .in_graph import MatrixLift

WIDTH, BINS = 16, 8
HEIGHTS_M = (0.0, 1.2)
DEPTH_M = (1.0, 33.0)
GRID = BevGrid(-24.0, -16.0, 2.0, 24, 16)
RANGE = GroundRange(-24.0, 24.0, -16.0, 16.0)


def maptr_like_contract() -> Contract:
    """24 boxes, 32 map elements of 20 points, 48 m x 32 m."""
    return Contract(
        name="maptr_like",
        preprocess=Preprocess(width=64, height=32, crop_top=0.25),
        lifts=(),
        queue=None,
        heads=(
            ObjectQueries("boxes", 24, RANGE, OBJECT_CLASSES, (0.3,) * 8),
            MapQueries(
                "map", 32, 20, RANGE,
                classes=("divider", "boundary", "ped_crossing", "stop_line", "centreline"),
                elements=("dashed", "road_edge", "crosswalk", "stop_line", "ignored"),
                sigma_m=(0.3, 0.4, 0.6, 0.5, 1.0), thresholds=(0.3,) * 5,
            ),
        ),
        largest_distortion_px=1.0,
    )  # fmt: skip


class QueryReader(nn.Module):
    """Learnt queries that read a map by attention."""

    def __init__(self, queries: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, WIDTH))
        self.key, self.value = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens [cells, WIDTH] -> [queries, WIDTH]."""
        attention = torch.matmul(self.queries, self.key(tokens).transpose(0, 1))
        attention = (attention / math.sqrt(WIDTH)).softmax(dim=1)
        return torch.relu(self.queries + torch.matmul(attention, self.value(tokens)))


class BoxHead(nn.Module):
    """Scores and boxes in the columns of the contract."""

    def __init__(self, head: ObjectQueries) -> None:
        super().__init__()
        self.reader = QueryReader(head.queries)
        self.scores = nn.Linear(WIDTH, len(head.classes))
        self.values = nn.Linear(WIDTH, len(BOX_CHANNELS))
        box = head.range
        self.register_buffer("first_m", torch.tensor([box.x_min_m, box.y_min_m]))
        self.register_buffer(
            "extent_m", torch.tensor([box.x_max_m - box.x_min_m, box.y_max_m - box.y_min_m])
        )

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [cells, WIDTH] -> logits [1, Q, 8], boxes [1, Q, 17]."""
        found = self.reader(tokens)
        values = self.values(found)
        centre = self.first_m + self.extent_m * values[:, :2].sigmoid()
        boxes = torch.cat([centre, values[:, 2:]], dim=1)
        return self.scores(found)[None], boxes[None]


class PointHead(nn.Module):
    """Scores and points; a few curves mixed stand for what a decoder refines layer by layer."""

    def __init__(self, head: MapQueries) -> None:
        super().__init__()
        self.reader = QueryReader(head.queries)
        self.scores = nn.Linear(WIDTH, len(head.classes))
        share = torch.linspace(0.0, 1.0, head.points)
        turn = 2.0 * math.pi * share
        curves = torch.stack([torch.ones_like(share), 3.0 * (share - 0.5), turn.sin(), turn.cos()])
        self.register_buffer("curves", curves)
        self.mix = nn.Linear(WIDTH, 2 * curves.shape[0])

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [cells, WIDTH] -> logits [1, Q, K], points [1, Q, P, 2] in 0..1 of the range."""
        found = self.reader(tokens)
        mix = self.mix(found).reshape(-1, 2, self.curves.shape[0])
        points = torch.matmul(mix, self.curves).transpose(1, 2).sigmoid()
        return self.scores(found)[None], points[None]


class MapTrLike(nn.Module):
    """Encoder, depth, lift, query heads."""

    def __init__(self, contract: Contract) -> None:
        super().__init__()
        size = contract.preprocess
        boxes, elements = contract.heads
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(8, 12, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(12, WIDTH + BINS, 3, 2, 1),
        )  # fmt: skip
        self.lift = MatrixLift(GRID, HEIGHTS_M, (size.height, size.width), DEPTH_M, BINS)
        self.to_bev = nn.Conv2d(WIDTH * len(HEIGHTS_M), WIDTH, 1)
        self.boxes, self.elements = BoxHead(boxes), PointHead(elements)

    def forward(
        self, images: Tensor, intrinsics: Tensor, ego_from_cam: Tensor, camera_valid: Tensor
    ) -> dict[str, Tensor]:
        """The contract's inputs and outputs, by name."""
        encoded = self.encoder(images)
        features, depth = encoded[:, :WIDTH], encoded[:, WIDTH:].softmax(dim=1)
        lifted = self.lift(features, depth, intrinsics, ego_from_cam, camera_valid)
        tokens = torch.tanh(self.to_bev(lifted)).reshape(WIDTH, -1).transpose(0, 1)
        box_scores, boxes = self.boxes(tokens)
        map_scores, points = self.elements(tokens)
        return {"boxes_scores": box_scores, "boxes_boxes": boxes,
                "map_scores": map_scores, "map_points": points}  # fmt: skip
