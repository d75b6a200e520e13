import torch

from bevrt_models import config, losses
from bevrt_models.network import BevNetwork
from bevrt_models.train import all_losses


def test_every_loss_has_a_weight():
    named = set(losses.WEIGHTS)
    heads = {name.split(".")[0] for name in named}
    assert heads == {"depth", "classes", *config.HEAD_CHANNELS}


def test_the_sigma_loss_is_least_at_the_one_sigma_quantile():
    torch.manual_seed(0)
    residual = 0.37 * torch.randn(20000)
    candidates = torch.linspace(-3, 1, 401)
    means = torch.stack([losses.sigma_loss(s.expand(20000), residual).mean() for s in candidates])
    best = candidates[means.argmin()].exp().item()
    assert abs(best - 0.37) < 0.02


def test_the_sigma_loss_leaves_the_mean_alone():
    residual = torch.ones(4, requires_grad=True)
    ln_sigma = torch.zeros(4, requires_grad=True)
    losses.sigma_loss(ln_sigma, residual).sum().backward()
    assert residual.grad is None and ln_sigma.grad is not None


def test_the_heat_loss_is_small_for_the_truth_and_ignores_switched_off_cells():
    heat = torch.zeros(1, 1, 8, 8)
    heat[0, 0, 3, 4] = 1.0
    right = torch.where(heat > 0.5, 9.0, -9.0)
    on, known = torch.ones(1, 8, 8), torch.ones(1, 1)
    assert losses.heat_loss(right, heat, on, known) < 1e-3
    wrong = right.clone()
    wrong[0, 0, 6, 6] = 9.0
    assert losses.heat_loss(wrong, heat, on, known) > 5.0
    off = on.clone()
    off[0, 6, 6] = 0.0
    assert losses.heat_loss(wrong, heat, off, known) < 1e-3


def test_losses_without_any_truth_are_finite():
    from synthetic import stream

    from bevrt_models.batch import Augment, Preparer, collate
    from bevrt_models.stream import read_messages

    contract = config.tiny_contract()
    message = next(read_messages(stream(1, 1)))
    for name in ("objects", "lane_points", "lanes", "arrows", "crosswalks", "stop_lines"):
        message.arrays[name] = message.arrays[name][:0]
    message.arrays["depth"] = message.arrays["depth"] * 0
    sample = Preparer(contract, Augment(), 1)(message)
    batch = collate(contract, [sample], Augment(), __import__("numpy").random.default_rng(1))
    network = BevNetwork(contract)
    outputs = network(batch.images, batch.tables, torch.zeros(1, 16384, 128), torch.zeros(1, 4, 2))
    parts = all_losses(outputs, batch)
    assert set(parts) == set(losses.WEIGHTS)
    total = losses.total_loss(parts)
    total.backward()
    assert torch.isfinite(total)
