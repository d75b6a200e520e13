"""Our networks: image encoder, two lifts, history fusion, BEV encoder and five heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import config
from .layers import (
    ConvBlock,
    DistanceHead,
    FeatureRows,
    HistoryFusion,
    Lift,
    ResidualBlock,
    as_type,
    output_layer,
    upsample,
)

QUEUE_LIMIT = 6.0
"""Values of the queued map lie in 0..QUEUE_LIMIT, so that fp16 and 8 bit hold them."""

AUXILIARY = "auxiliary."
"""Prefix of the weights that serve training alone and are not exported."""

HIDDEN = {"objects": 48, "lanes": 32, "arrows": 32, "crosswalks": 16, "stop_lines": 16}
"""Channels of each head's own convolution."""

HEAT_PRIOR = -4.0
"""Initial bias of every heat map: about 2 % confidence everywhere."""


class Widths:
    """Numbers of channels: those of `tiny` times a factor, in steps of 16."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def __call__(self, channels: int) -> int:
        return max(16, 16 * round(channels * self._factor / 16))


class ImageEncoder(nn.Module):
    """[N, 3, h, w] -> features at stride 8 [N, w(64), h / 8, w / 8] and stride 4 [N, w(32), ...].

    Rays [N, 5, h / 8, w / 8] join at stride 8, so that distances can start from the ground plane.
    Without `has_fine` there is no stride 4.
    """

    def __init__(self, w: Widths, has_fine: bool) -> None:
        super().__init__()
        c4, c8, c16, c32, neck = w(32), w(64), w(128), w(192), w(64)
        self.stem = ConvBlock(3, w(32), stride=2)
        self.level4 = nn.Sequential(ConvBlock(w(32), c4, stride=2), ResidualBlock(c4))
        self.level8 = nn.Sequential(
            ConvBlock(c4, c8, stride=2), ResidualBlock(c8), ResidualBlock(c8)
        )
        self.level16 = nn.Sequential(
            ConvBlock(c8, c16, stride=2), ResidualBlock(c16), ResidualBlock(c16)
        )
        self.level32 = nn.Sequential(ConvBlock(c16, c32, stride=2), ResidualBlock(c32))
        self.rays = nn.Sequential(
            nn.Conv2d(config.RAY_CHANNELS, 32, 1), nn.ReLU(inplace=True), nn.Conv2d(32, neck, 1)
        )
        self.lateral32 = nn.Conv2d(c32, neck, 1)
        self.lateral16 = nn.Conv2d(c16, neck, 1)
        self.lateral8 = nn.Conv2d(c8, neck, 1)
        self.has_fine = has_fine
        if has_fine:
            self.lateral4 = nn.Conv2d(c4, w(32), 1)
            self.reduce8 = nn.Conv2d(neck, w(32), 1)
        self.out8 = ConvBlock(neck, neck)
        if has_fine:
            self.out4 = ConvBlock(w(32), w(32))

    def forward(self, images: Tensor, rays: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features at stride 8 and at stride 4."""
        x4 = self.level4(self.stem(images))
        x8 = self.level8(x4)
        x16 = self.level16(x8)
        x32 = self.level32(x16)
        p16 = F.relu(self.lateral16(x16) + upsample(self.lateral32(x32)))
        p8 = F.relu(self.lateral8(x8) + upsample(p16) + self.rays(rays))
        f8 = self.out8(p8)
        if not self.has_fine:
            return f8, None
        return f8, self.out4(F.relu(self.lateral4(x4) + upsample(self.reduce8(p8))))


class BevEncoder(nn.Module):
    """U-net over the coarse grid: [S, w(64), 128, 128] -> [S, w(48), 128, 128]."""

    def __init__(self, w: Widths) -> None:
        super().__init__()
        inputs, half, quarter, outputs = w(64), w(80), w(128), w(48)
        self.down2 = nn.Sequential(ConvBlock(inputs, half, stride=2), ResidualBlock(half))
        self.down4 = nn.Sequential(
            ConvBlock(half, quarter, stride=2), ResidualBlock(quarter),
            ResidualBlock(quarter, dilation=2),
        )  # fmt: skip
        self.up_half = nn.Conv2d(quarter, half, 1)
        self.join_half = ConvBlock(half, half)
        self.up_full = nn.Conv2d(half, outputs, 1)
        self.skip_full = nn.Conv2d(inputs, outputs, 1)
        self.join_full = ConvBlock(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Context of the whole grid at full resolution."""
        half = self.down2(x)
        joined = F.relu(half + upsample(self.up_half(self.down4(half))))
        joined = self.join_half(joined)
        full = F.relu(self.skip_full(x) + upsample(self.up_full(joined)))
        return self.join_full(full)


class MarkingEncoder(nn.Module):
    """Fine branch: lift [S, w(32), 168, 84] and coarse context -> [S, w(48), 168, 84]."""

    def __init__(self, w: Widths) -> None:
        super().__init__()
        full, half = w(48), w(64)
        self.context = nn.Conv2d(w(48), w(32), 1)
        self.enter = ConvBlock(w(32), full)
        self.down2 = nn.Sequential(
            ConvBlock(full, half, stride=2), ConvBlock(half, half, dilation=2),
            ConvBlock(half, half, dilation=3),
        )  # fmt: skip
        self.up = nn.Conv2d(half, full, 1)
        self.leave = ConvBlock(full, full)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """`coarse` is the context cropped to the fine grid, [S, w(48), 84, 42]."""
        full = self.enter(fine + upsample(self.context(coarse)))
        half = self.down2(full)
        return self.leave(F.relu(full + upsample(self.up(half))))


def _head(inputs: int, hidden: int, channels: int, heat_channels: int) -> nn.Sequential:
    last = output_layer(hidden, channels)
    nn.init.normal_(last.weight, std=0.01)
    with torch.no_grad():
        last.bias.zero_()
        last.bias[:heat_channels] = HEAT_PRIOR
    return nn.Sequential(ConvBlock(inputs, hidden), last)


class BevNetwork(nn.Module):
    """The merged network, or a twin of it with fewer heads.

    Several samples may be stacked: images [S * N, 3, h, w] and indices that already count rows
    over all samples (null = number of all rows). The exported graph has S = 1.
    """

    def __init__(self, contract: config.Contract | None = None) -> None:
        super().__init__()
        self.contract = contract or config.tiny_contract()
        queue, coarse = self.contract.queue, self.contract.lift("coarse")
        self._marks = tuple(task for task in self.contract.tasks if task != "objects")
        w = Widths(self.contract.width)
        self.encoder = ImageEncoder(w, has_fine=bool(self._marks))
        self.coarse_features = nn.Conv2d(w(64), w(48), 1)
        self.depth = DistanceHead(w(64), coarse.depth_bins)
        self.auxiliary = nn.ModuleDict(
            {"classes": output_layer(w(64), 1 + len(config.OBJECT_CLASSES))}
        )
        self.coarse_rows = FeatureRows(w(48))
        self.register_buffer("no_depth", torch.zeros(1, 1), persistent=False)
        self.coarse_lift = Lift(w(48), len(coarse.heights_m), w(64), has_depth=True)
        self.queue_map = nn.Linear(w(64), queue.channels)
        self.fusion = HistoryFusion(
            queue.channels, queue.slots, w(64), coarse.grid.rows, coarse.grid.cols
        )
        self.bev_encoder = BevEncoder(w)
        if self._marks:
            self.fine_rows = FeatureRows(w(32))
            fine = self.contract.lift("fine")
            self.fine_lift = Lift(w(32), len(fine.heights_m), w(32), has_depth=False)
            self.marking_encoder = MarkingEncoder(w)
        for head in self.contract.heads:
            classes = 1 if head.kind == "lanes" else len(head.classes)
            layers = _head(w(48), w(HIDDEN[head.kind]), head.channels, classes)
            self.add_module(head.kind, layers)

    def forward(
        self, images: Tensor, tables: dict[str, Tensor], history: Tensor, state: Tensor
    ) -> dict[str, Tensor]:
        """Runs S samples.

        images [S * N, 3, h, w]; tables: rays [S * N, 5, h / 8, w / 8], coarse_index,
        coarse_depth_index [S * cells * Z], coarse_geometry [S * cells, Z * 4], fine_index,
        fine_geometry likewise; history [S, cells, slots * C]; state [S, slots, 2].
        Gives the heads [S, channels, rows, cols], `bev` [S, cells, C], `depth_logits`
        [S * N, bins, h / 8, w / 8] and, likewise, `class_logits`.
        """
        coarse = self.contract.lift("coarse").grid
        samples = int(state.shape[0])
        f8, f4 = self.encoder(images, tables["rays"])
        depth_logits = self.depth(f8, tables["rays"])
        depth = F.softmax(depth_logits.permute(0, 2, 3, 1), dim=-1).reshape(-1, 1)
        lifted = self.coarse_lift(
            self.coarse_rows(self.coarse_features(f8)), tables["coarse_index"],
            tables["coarse_geometry"],
            torch.cat([depth, as_type(self.no_depth, depth)]), tables["coarse_depth_index"],
        )  # fmt: skip
        bev = torch.clamp(self.queue_map(lifted), 0.0, QUEUE_LIMIT)
        fused = self.fusion(bev, history, state)
        plane = fused.reshape(samples, coarse.rows, coarse.cols, -1).permute(0, 3, 1, 2)
        context = self.bev_encoder(plane)
        outputs = {"bev": bev.reshape(samples, coarse.cells, -1)}
        if "objects" in self.contract.tasks:
            outputs["objects"] = self.objects(context)
        if self._marks:
            markings = self._markings(f4, tables, context)
            outputs |= {task: self.get_submodule(task)(markings) for task in self._marks}
        outputs["depth_logits"] = depth_logits
        outputs["class_logits"] = self.auxiliary["classes"](f8)
        return outputs

    def _markings(self, f4: Tensor, tables: dict[str, Tensor], context: Tensor) -> Tensor:
        """Features [S, w(48), rows, cols] of the fine grid."""
        fine, coarse = self.contract.lift("fine").grid, self.contract.lift("coarse").grid
        rows = self.fine_lift(self.fine_rows(f4), tables["fine_index"], tables["fine_geometry"])
        plane = rows.reshape(-1, fine.rows, fine.cols, rows.shape[-1]).permute(0, 3, 1, 2)
        # Each coarse cell under the fine grid is split into 2 x 2.
        r0 = round((fine.x_min_m - coarse.x_min_m) / coarse.cell_m)
        c0 = round((fine.y_min_m - coarse.y_min_m) / coarse.cell_m)
        under = context[:, :, r0 : r0 + fine.rows // 2, c0 : c0 + fine.cols // 2]
        return self.marking_encoder(plane, under)
