"""Template: a detector that lifts by depth and aligns its history by itself, as BEVDet does.

Matrices in; raw past maps with their motions in; dense heads out. Put your own network in place of
the encoder, the lift and the heads; what must stay is the form of inputs and outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import (
    OBJECT_CHANNELS,
    OBJECT_CLASSES,
    STOP_LINE_CHANNELS,
    BevGrid,
    Contract,
    Head,
    Preprocess,
    Queue,
)
from .in_graph import HistoryAligner, MatrixLift

FEATURES, BINS = 12, 8
HEIGHTS_M = (0.0, 1.2)
DEPTH_M = (1.0, 33.0)


def bevdet_like_contract() -> Contract:
    """24 x 16 cells of 2 m, two slots of 0.4 s, objects and stop lines."""
    grid = BevGrid(-24.0, -16.0, 2.0, 24, 16)
    return Contract(
        name="bevdet_like",
        preprocess=Preprocess(width=64, height=32, crop_top=0.25, colour="bgr",
                              mean=(103.5, 116.3, 123.7), std=(57.4, 57.1, 58.4)),
        lifts=(),
        queue=Queue(grid, channels=8, slots=2, stride_s=0.4, alignment="graph"),
        heads=(
            Head("objects", grid, OBJECT_CLASSES, (0.3,) * 8, len(OBJECT_CHANNELS)),
            Head("stop_lines", grid, ("stop_line",), (0.3,), len(STOP_LINE_CHANNELS)),
        ),
        largest_distortion_px=1.0,
    )  # fmt: skip


class BevDetLike(nn.Module):
    """Encoder, depth, lift, aligned history, heads."""

    def __init__(self, contract: Contract) -> None:
        super().__init__()
        queue, size = contract.queue, contract.preprocess
        self.contract = contract
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(8, 12, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(12, FEATURES + BINS, 3, 2, 1),
        )  # fmt: skip
        self.lift = MatrixLift(queue.grid, HEIGHTS_M, (size.height, size.width), DEPTH_M, BINS)
        self.to_bev = nn.Conv2d(FEATURES * len(HEIGHTS_M), queue.channels, 1)
        self.aligner = HistoryAligner(queue.grid, queue.slots)
        self.fusion = nn.Conv2d(queue.channels * (1 + queue.slots), 16, 3, 1, 1)
        self.heads = nn.ModuleDict(
            {head.kind: nn.Conv2d(16, head.channels, 3, 1, 1) for head in contract.heads}
        )

    def forward(
        self, images: Tensor, intrinsics: Tensor, ego_from_cam: Tensor, camera_valid: Tensor,
        history: Tensor, history_state: Tensor, history_from_now: Tensor,
    ) -> dict[str, Tensor]:  # fmt: skip
        """The contract's inputs and outputs, by name."""
        grid = self.contract.queue.grid
        encoded = self.encoder(images)
        features, depth = encoded[:, :FEATURES], encoded[:, FEATURES:].softmax(dim=1)
        lifted = self.lift(features, depth, intrinsics, ego_from_cam, camera_valid)
        bev = torch.tanh(self.to_bev(lifted))
        past = self.aligner(history, history_from_now)
        # An invalid slot is zero; an old one counts less.
        share = history_state[:, 0] * torch.exp(-history_state[:, 1])
        past = (past * share[:, None, None, None]).reshape(1, -1, grid.rows, grid.cols)
        body = torch.relu(self.fusion(torch.cat([bev, past], dim=1)))
        outputs = {name: head(body) for name, head in self.heads.items()}
        return {"bev": bev[0].permute(1, 2, 0), **outputs}
