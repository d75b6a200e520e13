"""Losses of all heads.

Means are learnt by L1, existence by focal losses. The spread of each regressed value is learnt by
the asymmetric Laplace likelihood of ln|residual| (the quantile loss): its optimum is the 68.27 %
quantile of |residual|, which is one standard deviation of a normal error and stays calibrated
when the errors have heavy tails. The residual is detached, so spreads never disturb the means.

What the truth does not tell has no weight: it adds neither to a loss nor to a gradient.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

ONE_SIGMA = 0.6827
Losses = dict[str, Tensor]

OBJECT_CLASS_WEIGHTS = (1.0, 2.0, 2.0, 2.0, 2.5, 2.5, 1.5, 3.0)
"""Weight of each class's heat map, about the root of how much rarer than cars the class is: the
score is a mean over classes."""

WEIGHTS = {
    "depth": 1.0, "classes": 1.0,
    "objects.heat": 1.5, "objects.kind": 0.3, "objects.offset": 0.8, "objects.z": 0.25,
    "objects.size": 0.3, "objects.yaw": 0.3, "objects.velocity": 0.5, "objects.yaw_rate": 0.1,
    "objects.sigma": 0.05,
    "lanes.mask": 2.0, "lanes.dice": 1.0, "lanes.offset": 4.0, "lanes.direction": 1.0,
    "lanes.z": 0.3, "lanes.type": 0.6, "lanes.colour": 0.2, "lanes.sigma": 0.05,
    "arrows.heat": 1.0, "arrows.kind": 1.0, "arrows.offset": 0.5, "arrows.yaw": 0.2,
    "arrows.z": 0.1, "arrows.sigma": 0.03,
    "crosswalks.heat": 0.5, "crosswalks.offset": 0.3, "crosswalks.direction": 0.2,
    "crosswalks.size": 0.2, "crosswalks.z": 0.1, "crosswalks.sigma": 0.03,
    "stop_lines.heat": 0.5, "stop_lines.offset": 0.4, "stop_lines.direction": 0.2,
    "stop_lines.size": 0.2, "stop_lines.z": 0.1, "stop_lines.sigma": 0.03,
}  # fmt: skip


def total_loss(losses: Losses) -> Tensor:
    """Weighted sum; every loss must have a weight."""
    return sum(WEIGHTS[name] * value for name, value in losses.items())


def depth_loss(logits: Tensor, target: Tensor) -> Losses:
    """Cross entropy of distance bins; logits [N, bins, h, w], target i64 [N, h, w], -1 = none."""
    value = F.cross_entropy(logits.float(), target, ignore_index=-1, reduction="sum")
    return {"depth": value / (target >= 0).sum().clamp(min=1)}


def class_loss(logits: Tensor, target: Tensor) -> Losses:
    """Focal cross entropy of object classes; logits [N, 1 + classes, h, w], target i64 [N, h, w],
    -1 = not told.

    Summed over cells, per object cell: most cells show none.
    """
    cross = F.cross_entropy(logits.float(), target, ignore_index=-1, reduction="none")
    value = ((1.0 - torch.exp(-cross)).pow(2) * cross).sum()
    return {"classes": value / (target > 0).sum().clamp(min=1)}


def heat_loss(
    logits: Tensor, heat: Tensor, negative: Tensor, known: Tensor,
    weights: tuple[float, ...] | None = None,
) -> Tensor:  # fmt: skip
    """Focal loss of centre heat maps (as in CornerNet), per centre.

    logits and heat [S, K, rows, cols]; negative [S, rows, cols] switches the cells that are no
    centres off, known [S, K] all cells of a class; weights has one number a class.
    """
    logits = logits.float()
    centre = heat >= 0.999
    p = torch.sigmoid(logits)
    # ln(1 - p) = -softplus(logit), ln p = -softplus(-logit)
    rejected = (1.0 - heat).pow(4) * p.pow(2) * F.softplus(logits) * negative[:, None]
    rejected = rejected * known[:, :, None, None]
    accepted = (1.0 - p).pow(2) * F.softplus(-logits)
    by_class = torch.where(centre, accepted, rejected).sum((0, 2, 3))
    if weights is not None:
        by_class = by_class * by_class.new_tensor(weights)
    return by_class.sum() / centre.sum().clamp(min=1)


def sigma_loss(ln_sigma: Tensor, residual: Tensor) -> Tensor:
    """Quantile loss of ln|residual|, elementwise; the residual gets no gradient."""
    miss = torch.log(residual.detach().abs() + 1e-3) - ln_sigma
    return torch.maximum(ONE_SIGMA * miss, (ONE_SIGMA - 1.0) * miss)


def kind_loss(logits: Tensor, label: Tensor, weight: Tensor, known: Tensor) -> Tensor:
    """Cross entropy between the classes of a centre head around each centre: which, not whether.

    logits [n, K], label [n], weight [n] and known [n, K] of the regressed cells. The heat map's own
    loss sees one cell an element; here all cells that regress it learn to tell the classes apart,
    but for those of which nothing is told.
    """
    logits = logits.masked_fill(known == 0.0, -1e4)
    return _mean(F.cross_entropy(logits, label, reduction="none"), weight)


class _Cells:
    """The regressed cells of a centre head.

    predicted [n, ch], values [n, V] (0 where nobody knows them), label [n], weight [n],
    value_weight [n, V] (0 where nobody knows the value), known [n, K] classes.
    """

    def __init__(self, output: Tensor, batch: dict[str, Tensor]) -> None:
        sample, row, col = torch.nonzero(batch["weight"], as_tuple=True)
        self.predicted = output.permute(0, 2, 3, 1)[sample, row, col].float()
        values = batch["values"].permute(0, 2, 3, 1)[sample, row, col]
        self.values = torch.nan_to_num(values)
        self.label = batch["label"][sample, row, col]
        self.weight = batch["weight"][sample, row, col]
        self.value_weight = self.weight[:, None] * ~torch.isnan(values)
        self.known = batch["known"][sample]


def _mean(loss: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean over cells of a loss [n, V] (summed over V) or [n]."""
    if loss.dim() == 2:
        loss = loss.sum(1)
    return (loss * weight).sum() / weight.sum().clamp(min=1e-3)


def object_losses(output: Tensor, batch: dict[str, Tensor], cone: int) -> Losses:
    """output [S, 25, rows, cols]; batch as targets.CentreTarget, stacked; `cone` has no heading."""
    classes = batch["heat"].shape[1]
    cells = _Cells(output, batch)
    values, weight, label = cells.values, cells.weight, cells.label
    kinds, predicted = cells.predicted[:, :classes], cells.predicted[:, classes:]
    mean, ln_sigma = predicted[:, :11], predicted[:, 11:]
    error = (mean - values).abs()
    heading = weight * (label != cone)
    moving, turning = cells.value_weight[:, 8], cells.value_weight[:, 10] * (label != cone)
    yaw_error = _angle(mean[:, 6], mean[:, 7]) - _angle(values[:, 6], values[:, 7])
    yaw_error = torch.remainder(yaw_error + math.pi, 2 * math.pi) - math.pi
    size_sigma = ln_sigma[:, 5:6].expand(-1, 3)
    spread = (
        _mean(sigma_loss(ln_sigma[:, 0:2], error[:, 0:2]), weight)
        + _mean(sigma_loss(ln_sigma[:, 2], yaw_error), heading)
        + _mean(sigma_loss(ln_sigma[:, 3:5], error[:, 8:10]), moving)
        + _mean(sigma_loss(size_sigma, error[:, 3:6]), weight) / 3.0
    )
    return {
        "objects.heat": heat_loss(
            output[:, :classes], batch["heat"], batch["negative"], batch["known"],
            OBJECT_CLASS_WEIGHTS,
        ),
        "objects.kind": kind_loss(kinds, label, weight, cells.known),
        "objects.offset": _mean(error[:, 0:2], weight),
        "objects.z": _mean(error[:, 2], weight),
        "objects.size": _mean(error[:, 3:6], weight),
        "objects.yaw": _mean(error[:, 6:8], heading),
        "objects.velocity": _mean(error[:, 8:10], moving),
        "objects.yaw_rate": _mean(error[:, 10], turning),
        "objects.sigma": spread,
    }  # fmt: skip


def arrow_losses(output: Tensor, batch: dict[str, Tensor]) -> Losses:
    """output [S, 14, rows, cols]: kinds, dx, dy, sin yaw, cos yaw, z, ln sigma."""
    classes = batch["heat"].shape[1]
    cells = _Cells(output, batch)
    weight = cells.weight
    kinds, predicted = cells.predicted[:, :classes], cells.predicted[:, classes:]
    error = (predicted[:, :5] - cells.values).abs()
    return {
        "arrows.heat": heat_loss(
            output[:, :classes], batch["heat"], batch["negative"], batch["known"]
        ),
        "arrows.kind": kind_loss(kinds, cells.label, weight, cells.known),
        "arrows.offset": _mean(error[:, 0:2], weight),
        "arrows.yaw": _mean(error[:, 2:4], weight),
        "arrows.z": _mean(error[:, 4], cells.value_weight[:, 4]),
        "arrows.sigma": _mean(
            sigma_loss(predicted[:, 5:6].expand(-1, 2), error[:, 0:2]), weight
        ),
    }  # fmt: skip


def marking_losses(name: str, output: Tensor, batch: dict[str, Tensor], sizes: int) -> Losses:
    """Crosswalks (sizes = 2) and stop lines (sizes = 1).

    output [S, 1 + 2 + 2 + sizes + 2, rows, cols]: logit, dx, dy, cos 2theta, sin 2theta, ln sizes,
    z, ln sigma.
    """
    cells = _Cells(output[:, 1:], batch)
    predicted, weight = cells.predicted, cells.weight
    error = (predicted[:, : 5 + sizes] - cells.values).abs()
    return {
        f"{name}.heat": heat_loss(
            output[:, :1], batch["heat"], batch["negative"], batch["known"]
        ),
        f"{name}.offset": _mean(error[:, 0:2], weight),
        f"{name}.direction": _mean(error[:, 2:4], weight),
        f"{name}.size": _mean(error[:, 4 : 4 + sizes], weight),
        f"{name}.z": _mean(error[:, 4 + sizes], cells.value_weight[:, 4 + sizes]),
        f"{name}.sigma": _mean(
            sigma_loss(predicted[:, 5 + sizes : 6 + sizes].expand(-1, 2), error[:, 0:2]), weight
        ),
    }  # fmt: skip


def lane_losses(output: Tensor, batch: dict[str, Tensor]) -> Losses:
    """output [S, 13, rows, cols]; batch as targets.LaneTarget, stacked."""
    logit = output[:, 0].float()
    mask, care = batch["mask"], batch["care"]
    p = torch.sigmoid(logit)
    cross = F.binary_cross_entropy_with_logits(logit, mask, reduction="none")
    focus = torch.where(mask > 0.5, 1.0 - p, p).pow(2)
    positives = mask.sum().clamp(min=1)
    overlap = (p * mask).sum()
    dice = 1.0 - (2.0 * overlap + 1.0) / ((p * care).sum() + positives + 1.0)
    dice = dice * (care.sum() > 0.0)

    sample, row, col = torch.nonzero(mask, as_tuple=True)
    predicted = output.permute(0, 2, 3, 1)[sample, row, col].float()
    values = batch["values"].permute(0, 2, 3, 1)[sample, row, col]
    kind, colour = batch["kind"][sample, row, col], batch["colour"][sample, row, col]
    count = max(len(sample), 1)
    has_z = ~torch.isnan(values[:, 4])
    values = torch.nan_to_num(values)
    error = (predicted[:, 1:6] - values).abs()
    # Normal of the true line from its double angle: the lateral part of the vector's error.
    theta = 0.5 * torch.atan2(values[:, 3], values[:, 2])
    residual = predicted[:, 1:3] - values[:, :2]
    lateral = -torch.sin(theta) * residual[:, 0] + torch.cos(theta) * residual[:, 1]
    coloured, typed = (colour >= 0).sum().clamp(min=1), (kind >= 0).sum().clamp(min=1)
    return {
        "lanes.mask": 4.0 * (focus * cross * care).sum() / positives,
        "lanes.dice": dice,
        "lanes.offset": error[:, :2].sum() / count,
        "lanes.direction": error[:, 2:4].sum() / count,
        "lanes.z": (error[:, 4] * has_z).sum() / has_z.sum().clamp(min=1),
        "lanes.type": F.cross_entropy(
            predicted[:, 6:10], kind, ignore_index=-1, reduction="sum"
        ) / typed,
        "lanes.colour": F.cross_entropy(
            predicted[:, 10:12], colour, ignore_index=-1, reduction="sum"
        ) / coloured,
        "lanes.sigma": sigma_loss(predicted[:, 12], lateral).sum() / count,
    }  # fmt: skip


def _angle(sine: Tensor, cosine: Tensor) -> Tensor:
    return torch.atan2(sine.detach(), cosine.detach())
