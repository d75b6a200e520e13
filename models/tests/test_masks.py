"""What a message does not tell is not learnt: no loss, no gradient."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from synthetic import stream

from bevrt_models import config, losses
from bevrt_models.batch import Augment, Preparer, collate
from bevrt_models.network import BevNetwork
from bevrt_models.stream import read_messages
from bevrt_models.train import Trainer, TrainOptions, all_losses

OF_NUSCENES = frozenset(
    {"depth", "classes", "arrows", "objects.van", "lanes.road_edge", "lanes.z", "crosswalks.z",
     "stop_lines.z"}
)  # fmt: skip
"""As `bevrt train-stream --nuscenes` masks a scene with a map expansion."""

CHANNELS = config.HEAD_CHANNELS


@pytest.fixture(scope="module")
def messages():
    return list(read_messages(stream(drives=2, steps=2)))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return BevNetwork(config.tiny_contract())


def masked(message, names, **arrays):
    return dataclasses.replace(message, masked=names, arrays=message.arrays | arrays)


def learnt(network, message):
    """Losses by name, and the gradient of their weighted sum at every output."""
    contract, augment = config.tiny_contract(), Augment()
    batch = collate(
        contract, [Preparer(contract, augment, 1)(message)], augment, np.random.default_rng(1)
    )
    with torch.no_grad():
        outputs = network(
            batch.images, batch.tables, torch.zeros(1, 16384, 128), torch.zeros(1, 4, 2)
        )
    outputs = {name: value.clone().requires_grad_() for name, value in outputs.items()}
    parts = all_losses(outputs, batch)
    total = losses.total_loss(parts)
    total.backward()
    assert torch.isfinite(total)
    zero = {name: torch.zeros_like(value) for name, value in outputs.items()}
    return (
        {name: float(value.detach()) for name, value in parts.items()},
        {name: zero[name] if value.grad is None else value.grad for name, value in outputs.items()},
    )


def at(gradients, head, channel):
    """The gradient at one channel of a head."""
    return gradients[head][:, CHANNELS[head].index(channel)]


@pytest.mark.parametrize("task", list(CHANNELS))
def test_a_masked_task_has_no_loss_and_no_gradient(network, messages, task):
    parts, gradients = learnt(network, masked(messages[0], frozenset({task})))
    mine = {name: value for name, value in parts.items() if name.split(".")[0] == task}
    assert mine and set(mine.values()) == {0.0}, mine
    assert torch.isfinite(gradients[task]).all() and not gradients[task].any()
    others = set(CHANNELS) - {task}
    assert all(gradients[other].any() for other in others)


def test_the_masks_of_nuscenes_leave_out_what_its_tables_do_not_tell(network, messages):
    objects = messages[0].arrays["objects"].copy()
    objects[::2, 8:11] = np.nan
    told = masked(messages[0], frozenset(), objects=objects)
    _, everything = learnt(network, told)
    parts, gradients = learnt(network, masked(told, OF_NUSCENES))
    silent = ("depth", "classes", "lanes.z", "crosswalks.z", "stop_lines.z")
    assert all(parts[name] == 0.0 for name in silent), parts
    assert not any(value for name, value in parts.items() if name.startswith("arrows."))
    for name in ("depth_logits", "class_logits", "arrows"):
        assert everything[name].any() and not gradients[name].any(), name
    for head in ("lanes", "crosswalks", "stop_lines"):
        assert at(everything, head, "z_m").any() and not at(gradients, head, "z_m").any()
    assert not at(gradients, "objects", "class_van").any()
    assert at(gradients, "objects", "class_car").any()
    # Far from every line nobody knows whether there is a road edge.
    mask = at(gradients, "lanes", "mask") != 0.0
    assert 0 < mask.sum() < 0.5 * (at(everything, "lanes", "mask") != 0.0).sum()


def test_an_unknown_velocity_teaches_nothing_and_a_known_one_as_before(network, messages):
    def velocities(unknown):
        objects = messages[0].arrays["objects"].copy()
        objects[:, 8] = 1.5
        objects[unknown, 8:11] = np.nan
        parts, gradients = learnt(network, masked(messages[0], frozenset(), objects=objects))
        cells = at(gradients, "objects", "vx_mps") != 0.0
        return parts["objects.velocity"], cells, at(gradients, "objects", "ln_sigma_vx") != 0.0

    some, cells, spread = velocities(np.s_[::2])
    _, all_cells, _ = velocities(np.s_[:0])
    none, no_cells, no_spread = velocities(np.s_[:])
    assert some > 0.0 and 0 < cells.sum() < all_cells.sum()
    assert torch.equal(cells, spread)
    assert none == 0.0 and not no_cells.any() and not no_spread.any()


def test_lines_of_unknown_type_are_lines(network, messages):
    lanes = messages[0].arrays["lanes"].copy()
    lanes[:, 2:] = -1
    parts, gradients = learnt(network, masked(messages[0], frozenset(), lanes=lanes))
    assert parts["lanes.type"] == parts["lanes.colour"] == 0.0
    assert parts["lanes.offset"] > 0.0
    assert not at(gradients, "lanes", "type_dashed").any()


def test_the_trainer_takes_a_step_on_masked_messages(tmp_path, messages):
    trainer = Trainer(TrainOptions(out=tmp_path, steps=1, batch=2, metric_steps=1))
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    prepare = Preparer(trainer.contract, trainer.options.augment, 1)
    trainer.run(prepare(masked(message, OF_NUSCENES)) for message in messages[:2])
    assert trainer.step == 1
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert line["skipped"] == 0 and np.isfinite(line["loss"]["total"])
    assert line["loss"]["depth"] == line["loss"]["arrows.heat"] == 0.0
    assert not any(name.startswith("arrows.") for name in line["metrics"])
    after = trainer.network.state_dict()
    moved = [name for name in before if name.startswith("objects.")]
    assert any(not torch.equal(before[name], after[name]) for name in moved)
