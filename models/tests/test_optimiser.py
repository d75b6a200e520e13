"""Muon on kernels that stay where they are, AdamW on the rest."""

import copy

import pytest
import torch
from torch import nn

from bevrt_models.layers import output_layer
from bevrt_models.optimiser import Optimiser


def _network() -> nn.Module:
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.Conv2d(32, 48, 3, bias=False), output_layer(48, 20)
    )
    return network.to(memory_format=torch.channels_last)


def _learn(network: nn.Module, optimiser: Optimiser, rate: float) -> None:
    optimiser.zero_grad()
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    network(images).square().sum().backward()
    optimiser.step(rate)


def _singular_values(kernel: torch.Tensor) -> torch.Tensor:
    return torch.linalg.svdvals(kernel.permute(0, 2, 3, 1).reshape(kernel.shape[0], -1))


def test_a_step_moves_a_kernel_equally_in_all_directions():
    network = _network()
    optimiser = Optimiser(network, rate=1e-2, weight_decay=0.0)
    before = network[1].weight.detach().clone()
    _learn(network, optimiser, 1e-2)
    moved = _singular_values(network[1].weight.detach() - before)
    gradient = _singular_values(network[1].weight.grad)
    # 20 outputs behind it leave the gradient that many directions.
    assert gradient[0] > 8.0 * gradient[15] and moved[0] < 3.0 * moved[15]
    # About the size of AdamW's steps.
    mean = (moved.square().sum() / before.numel()).sqrt()
    assert 0.05 * 1e-2 < mean < 0.25 * 1e-2
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last)


def test_everything_learns_and_the_rate_counts():
    for rate, is_moving in ((1e-2, True), (0.0, False)):
        network = _network()
        before = [p.detach().clone() for p in network.parameters()]
        _learn(network, Optimiser(network, rate=1e-2, weight_decay=0.0), rate)
        for old, new in zip(before, network.parameters(), strict=True):
            assert torch.equal(old, new) != is_moving


def test_a_saved_state_goes_on_as_if_it_had_not_stopped():
    one, other = _network(), _network()
    first = Optimiser(one, 1e-2, 0.1)
    _learn(one, first, 1e-2)
    other.load_state_dict(one.state_dict())
    second = Optimiser(other, 1e-2, 0.1)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    _learn(one, first, 1e-2)
    _learn(other, second, 1e-2)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_kernel_in_another_layout_is_refused():
    network = _network().to(memory_format=torch.contiguous_format)
    with pytest.raises(ValueError, match="channels-last"):
        Optimiser(network, 1e-2, 0.0)
