"""Several trainers that step together: each has its own drives, all have the same weights.

Started by `torchrun` (or by hand with its environment variables), each process reads its own
stream; gradients are averaged once a step. Alone, all of this does nothing.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor, distributed, nn


class Workers:
    """The processes of a run; `rank` 0 writes checkpoints and reports."""

    def __init__(self, device: str = "cpu") -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1:
            distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")

    @property
    def is_first(self) -> bool:
        """Whether this process speaks for all."""
        return self.rank == 0

    def average(self, network: nn.Module, elapsed_s: float, stop: bool) -> tuple[float, bool]:
        """Averages the gradients and running statistics of all processes, in place.

        Also gives one time for all, so that their schedules agree to the last bit, and whether any
        wants to stop.
        """
        if self.count == 1:
            return elapsed_s, stop
        values = [p.grad for p in network.parameters() if p.grad is not None]
        values += [b for b in network.buffers() if b.is_floating_point()]
        # f32 holds the seconds of a run to well below one step.
        shared = torch.tensor([elapsed_s, float(stop)], device=values[0].device)
        flat = torch.cat([*(value.reshape(-1) for value in values), shared])
        distributed.all_reduce(flat)
        flat /= self.count
        _spread(flat, values)
        return float(flat[-2]), bool(flat[-1] > 0.0)

    def close(self) -> None:
        """Leaves the group."""
        if self.count > 1:
            distributed.destroy_process_group()


def _spread(flat: Tensor, into: list[Tensor]) -> None:
    """Copies consecutive pieces of `flat` into the tensors."""
    start = 0
    for tensor in into:
        tensor.copy_(flat[start : start + tensor.numel()].reshape(tensor.shape))
        start += tensor.numel()
