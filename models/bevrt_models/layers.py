"""Building blocks of the networks: convolutions, row-wise linear maps, the lift, history fusion.

Two memory layouts occur. Convolutions work on [N, C, H, W] (channels last in memory); everything
that goes cell by cell works on rows [cells, C], because gathers and matrix products want rows.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import RAY_GROUND, RAY_UNIT_M, DepthBins

BATCH_NORM_MOMENTUM = 0.03


class ConvBlock(nn.Sequential):
    """Convolution without bias, batch norm and, unless `relu` is off, a ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1,
        relu: bool = True,
    ) -> None:  # fmt: skip
        padding = dilation * (kernel // 2)
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(outputs, momentum=BATCH_NORM_MOMENTUM),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class ResidualBlock(nn.Module):
    """x + conv(conv(x)), then ReLU; same shape in and out."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels, dilation=dilation)
        self.second = ConvBlock(channels, channels, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return F.relu(x + self.second(self.first(x)))


class RowNorm(nn.Module):
    """Batch norm over rows that folds into the matrices before it when not training.

    In evaluation `scale_shift` gives the affine; multiplying weights by it inside the graph costs
    nothing, because the engine folds products of constants when it loads the network, and the
    stored weights stay those of training.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.eps = eps

    def scale_shift(self) -> tuple[Tensor, Tensor]:
        """[C] scale and [C] shift of the running statistics."""
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        return scale, self.bias - self.running_mean * scale

    def forward(self, rows: Tensor) -> Tensor:
        """[rows, C] -> [rows, C] by the statistics of the batch, or the running ones."""
        return F.batch_norm(
            rows, self.running_mean, self.running_var, self.weight, self.bias,
            self.training, BATCH_NORM_MOMENTUM, self.eps,
        )  # fmt: skip


def linear_weight(inputs: int, outputs: int, fan_in: int | None = None) -> nn.Parameter:
    """[inputs, outputs] matrix with He initialisation for ReLU outputs."""
    spread = (2.0 / (fan_in or inputs)) ** 0.5
    return nn.Parameter(torch.randn(inputs, outputs) * spread)


class FeatureRows(nn.Module):
    """[N, C, h, w] -> [N * h * w + 1, C]: a row per feature cell, then the zero row of null."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("null", torch.zeros(1, channels), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Rows in the order camera, row, column."""
        rows = features.permute(0, 2, 3, 1).reshape(-1, self.channels)
        return torch.cat([rows, as_type(self.null, rows)])


def as_type(x: Tensor, like: Tensor) -> Tensor:
    """x in the type of `like`; no node in an exported graph where they agree."""
    return x if x.dtype == like.dtype else x.to(like.dtype)


class Lift(nn.Module):
    """Gathers image features into voxels and mixes the heights of each cell, row by row.

    The voxel's feature is weighted by (leak + scale * p), where p is the probability that its
    camera ray ends at the voxel's distance; without depth bins the weight is one.
    """

    def __init__(self, channels: int, heights: int, outputs: int, has_depth: bool) -> None:
        super().__init__()
        self.channels = channels
        self.heights = heights
        self.mix = linear_weight(heights * channels, outputs)
        self.geometry = nn.Parameter(torch.randn(heights * 4, outputs) * 0.05)
        self.norm = RowNorm(outputs)
        self.has_depth = has_depth
        if has_depth:
            self.leak = nn.Parameter(torch.tensor([0.3]))
            self.scale = nn.Parameter(torch.tensor([2.0]))

    def forward(
        self, rows: Tensor, index: Tensor, geometry: Tensor,
        depth_rows: Tensor | None = None, depth_index: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Lifts.

        rows [R + 1, C] with the zero row last; index [cells * Z] into rows; geometry
        [cells, Z * 4]; depth_rows [R * D + 1, 1]; depth_index [cells * Z]. Gives [cells, outputs].
        """
        voxels = F.embedding(index, rows)
        if self.has_depth:
            voxels = voxels * self._weights(voxels, depth_rows, depth_index)
        columns = voxels.reshape(-1, self.heights * self.channels)
        if self.training:
            return F.relu(self.norm(columns @ self.mix + geometry @ self.geometry))
        scale, shift = self.norm.scale_shift()
        return F.relu(columns @ (self.mix * scale) + (geometry @ (self.geometry * scale) + shift))

    def _weights(self, voxels: Tensor, depth_rows: Tensor, depth_index: Tensor) -> Tensor:
        """What each voxel's feature counts, [cells * Z, 1] or as `voxels`."""
        if not self.training:
            return self.leak + self.scale * F.embedding(depth_index, depth_rows)
        # The same, but spelt out so that PyTorch's CPU kernels are fast, backwards too.
        likely = torch.gather(depth_rows[:, 0], 0, depth_index.long())[:, None]
        weights = as_type(self.leak + self.scale * likely, voxels)
        return weights.expand_as(voxels).contiguous()


class DistanceHead(nn.Module):
    """Logits of distance bins: what the features say, plus a peak where the ray meets the ground.

    The peak falls by `slope` a bin to both sides and counts as much as the features let it: fully
    on a road, not at all on a wall.
    """

    def __init__(self, inputs: int, bins: DepthBins) -> None:
        super().__init__()
        self.logits = output_layer(inputs, bins.count)
        self.trust = output_layer(inputs, 1)
        self.slope = nn.Parameter(torch.tensor([1.0]))
        per_ln = bins.count / math.log(bins.max_m / bins.min_m)
        # The bin's number minus that of a ray whose ground plane is RAY_UNIT_M away.
        first = 0.5 - per_ln * math.log(RAY_UNIT_M / bins.min_m)
        number = torch.arange(bins.count) + first
        self.register_buffer("number", number[None, :, None, None], persistent=False)
        self.register_buffer("per_ln", torch.tensor([per_ln]), persistent=False)

    def forward(self, features: Tensor, rays: Tensor) -> Tensor:
        """features [N, C, h, w], rays [N, 5, h, w] -> [N, bins, h, w]."""
        ground = rays[:, RAY_GROUND : RAY_GROUND + 1] * self.per_ln
        peak = torch.abs(self.number - ground) * self.slope
        return self.logits(features) - torch.sigmoid(self.trust(features)) * peak


def output_layer(inputs: int, channels: int) -> nn.Conv2d:
    """A layer whose channels are outputs; the optimiser treats them one by one."""
    layer = nn.Conv2d(inputs, channels, 1)
    layer.is_output = True
    return layer


class HistoryFusion(nn.Module):
    """Joins the present map with the aligned past ones, cell by cell.

    out = ReLU(norm(now Wn + history (Wh * (1 + g)) + place + b)). g [slots * C] and b [outputs]
    come from the slots' validity and age; they act on the weights, so they cost nothing per cell.
    `place` depends on the cell's position alone and is a constant after load.
    """

    def __init__(self, channels: int, slots: int, outputs: int, rows: int, cols: int) -> None:
        super().__init__()
        self.channels, self.slots, self.outputs = channels, slots, outputs
        self.now = linear_weight(channels, outputs, fan_in=2 * channels)
        self.past = linear_weight(channels * slots, outputs, fan_in=2 * channels * slots)
        self.norm = RowNorm(outputs)
        hidden = 32
        self.state_hidden = nn.Linear(2, hidden)
        self.state_gain = nn.Linear(hidden, channels)
        self.state_bias = nn.Linear(hidden, outputs)
        self.slot_bias = nn.Parameter(torch.zeros(slots, outputs))
        nn.init.zeros_(self.state_gain.weight)
        nn.init.zeros_(self.state_gain.bias)
        nn.init.zeros_(self.state_bias.weight)
        self.place_hidden = nn.Linear(8, 32)
        self.place_out = nn.Linear(32, outputs)
        x, y = torch.linspace(-1, 1, rows), torch.linspace(-1, 1, cols)
        self.register_buffer("place_x", x[:, None, None], persistent=False)
        self.register_buffer("place_y", y[None, :, None], persistent=False)

    def forward(self, now: Tensor, history: Tensor, state: Tensor) -> Tensor:
        """now [S * cells, C], history [S, cells, slots * C], state [S, slots, 2] -> [S, cells, O].

        state = (valid 0 or 1, age in seconds), both 0 where the slot is invalid.
        """
        samples = int(state.shape[0])
        hidden = F.relu(self.state_hidden(state))
        gain = (1.0 + self.state_gain(hidden)).reshape(samples, self.slots * self.channels, 1)
        valid = state[:, :, :1]
        slot_bias = valid * (self.state_bias(hidden) + self.slot_bias)
        bias = slot_bias.sum(1, keepdim=True)
        features = _place_features(self.place_x, self.place_y)
        place = self.place_out(F.relu(self.place_hidden(features)))
        past = self.past * gain
        if self.training:
            present = (now @ self.now).reshape(samples, -1, self.outputs)
            joined = present + torch.bmm(history, past.to(history.dtype))
            joined = joined + as_type(place + bias, joined)
            normed = self.norm(joined.reshape(-1, self.outputs))
            return F.relu(normed).reshape(samples, -1, self.outputs)
        scale, shift = self.norm.scale_shift()
        constant = place * scale + shift
        present = (now @ (self.now * scale)).reshape(samples, -1, self.outputs)
        past = torch.matmul(history, past * scale)
        return F.relu(present + past + (constant + bias * scale))


def _place_features(x: Tensor, y: Tensor) -> Tensor:
    """x [rows, 1, 1], y [1, cols, 1] -> [rows * cols, 8], all about -1..1.

    x, y, |x|, |y|, range, nearness, and sine and cosine of the bearing.
    """
    rows, cols = int(x.shape[0]), int(y.shape[1])
    x, y = x.expand(rows, cols, 1), y.expand(rows, cols, 1)
    distance = torch.sqrt(x * x + y * y) + 1e-6
    near = 1.0 / (1.0 + 8.0 * distance)
    planes = [x, y, x.abs(), y.abs(), distance, near, y / distance, x / distance]
    return torch.cat(planes, dim=-1).reshape(rows * cols, 8)


def upsample(x: Tensor) -> Tensor:
    """Twice the size by repeating each pixel, [N, C, H, W] -> [N, C, 2H, 2W]."""
    return F.interpolate(x, scale_factor=2, mode="nearest")
