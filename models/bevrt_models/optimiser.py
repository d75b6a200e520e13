"""The optimiser: Muon for kernels and matrices inside the network, AdamW for the rest.

Muon replaces a matrix's momentum by the nearest orthogonal one, so all directions of a layer learn
at the same pace; its steps are scaled to the size of AdamW's, and one learning rate serves both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST_MATRIX = 16
"""Matrices with fewer rows or columns gain nothing from being orthogonalised."""


class Optimiser:
    """Muon and AdamW under one learning rate.

    Muon takes matrices; a kernel [out, in, h, w] that lies channels-last in memory is one,
    [out, h * w * in], in the same storage.
    """

    def __init__(self, network: nn.Module, rate: float, weight_decay: float) -> None:
        self._kernels: list[tuple[nn.Parameter, nn.Parameter]] = []
        self._parameters = list(network.parameters())
        matrices, decayed, plain = [], [], []
        last = _last_layers(network)
        for name, value in network.named_parameters():
            view = _matrix_view(value)
            if name in last or view is None or min(view.shape) < SMALLEST_MATRIX:
                (decayed if value.dim() >= 2 else plain).append(value)
            elif value.dim() == 2:
                matrices.append(value)
            else:
                matrix = nn.Parameter(view)
                self._kernels.append((value, matrix))
                matrices.append(matrix)
        self._parts = [
            torch.optim.Muon(
                matrices, lr=rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw",
                ns_steps=4,
            ),
            torch.optim.AdamW(
                [{"params": decayed, "weight_decay": weight_decay},
                 {"params": plain, "weight_decay": 0.0}], lr=rate, fused=True,
            ),
        ]  # fmt: skip

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for value in self._parameters:
            value.grad = None

    def step(self, rate: float) -> None:
        """One step along the gradients at this learning rate."""
        for kernel, matrix in self._kernels:
            matrix.grad = None if kernel.grad is None else _matrix_of(kernel.grad)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    def state_dict(self) -> dict:
        """State of both parts."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state: dict) -> None:
        """Goes on from a saved state."""
        for part, saved in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(saved)


def _matrix_of(kernel: Tensor) -> Tensor:
    """[out, in, h, w] -> [out, h * w * in]."""
    return kernel.permute(0, 2, 3, 1).reshape(kernel.shape[0], -1)


def _matrix_view(value: Tensor) -> Tensor | None:
    """The matrix that shares the parameter's memory, if there is one.

    Raises ValueError for a kernel that does not lie channels-last.
    """
    if value.dim() == 2:
        return value
    if value.dim() != 4:
        return None
    view = _matrix_of(value.detach())
    if view.data_ptr() != value.data_ptr():
        raise ValueError("kernels must lie channels-last in memory")
    return view


def _last_layers(network: nn.Module) -> set[str]:
    """Names of the layers that write an output: their rows mean different things."""
    return {
        f"{name}.weight" for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and getattr(module, "is_output", False)
    }  # fmt: skip
