"""The loop on a synthetic stream: it runs, resumes, and learns what it is shown."""

import json

import numpy as np
import onnx
import pytest
import torch
from synthetic import stream

from bevrt_models import checkpoint
from bevrt_models.__main__ import main
from bevrt_models.batch import Augment, Preparer
from bevrt_models.config import tiny_contract
from bevrt_models.stream import StreamError, read_messages
from bevrt_models.train import Trainer, TrainOptions, batches


@pytest.fixture(scope="module")
def recorded():
    return stream(drives=2, steps=6)


def prepared(recorded, trainer):
    recorded.seek(0)
    return map(Preparer(trainer.contract, trainer.options.augment, 1), read_messages(recorded))


def options(folder, **changes):
    return TrainOptions(out=folder, batch=2, report_steps=1, metric_steps=1, **changes)


def test_a_run_that_is_resumed_goes_on_where_it_stopped(tmp_path, recorded):
    first = Trainer(options(tmp_path, steps=2))
    first.run(prepared(recorded, first))
    second = Trainer(options(tmp_path, steps=4, resume=True))
    assert second.step == 2 and second.samples == 4
    for name, value in first.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)
    second.run(prepared(recorded, second))
    assert second.step == 4
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert all(np.isfinite(line["loss"]["total"]) for line in lines)
    stored = checkpoint.weights_from(tmp_path / "checkpoint.pt")
    checkpoint.load_weights(Trainer(options(tmp_path, steps=1)).network, stored)


def test_the_ablation_runs_the_same_way(tmp_path, recorded):
    trainer = Trainer(options(tmp_path, steps=1, has_history=False))
    trainer.run(prepared(recorded, trainer))
    assert trainer.step == 1


@pytest.mark.parametrize("tasks", [("objects",), ("lanes",), ("arrows", "stop_lines")])
def test_twins_learn_their_tasks_alone_and_come_back_from_their_weights(tmp_path, recorded, tasks):
    trainer = Trainer(options(tmp_path, steps=2, contract=tiny_contract(tasks)))
    trainer.run(prepared(recorded, trainer))
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    heads = {name.split(".")[0] for name in line["loss"]}
    depths = {"depth", "total"} | ({"classes"} if "objects" in tasks else set())
    assert heads == depths | set(tasks)
    file = tmp_path / "twin-fp32.onnx"
    assert main(["export", str(tmp_path / "checkpoint.pt"), "--out", str(file)]) == 0
    outputs = [output.name for output in onnx.load(file).graph.output]
    assert outputs == ["bev", *tasks]
    assert ("fine_index" in {i.name for i in onnx.load(file).graph.input}) == (
        tasks != ("objects",)
    )


def test_a_task_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="signs"):
        tiny_contract(("objects", "signs"))


def test_a_budget_must_be_given_once(tmp_path):
    with pytest.raises(ValueError, match="either"):
        Trainer(options(tmp_path))
    with pytest.raises(ValueError, match="either"):
        Trainer(options(tmp_path, steps=1, minutes=1.0))


class _Item:
    def __init__(self, drive, step, cameras=6):
        self.cameras = cameras
        self.message = type("M", (), {"drive": drive, "step": step})


def test_batches_take_different_drives_and_keep_their_order():
    order = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (2, 1), (0, 2), (1, 2), (2, 2), (0, 3)]
    last: dict[int, int] = {}
    count = 0
    for batch in batches((_Item(*pair) for pair in order), 2):
        assert len({item.message.drive for item in batch}) == 2
        for item in batch:
            assert item.message.step == last.get(item.message.drive, -1) + 1
            last[item.message.drive] = item.message.step
            count += 1
    assert count >= 8


def test_samples_of_different_rigs_do_not_meet():
    order = [(drive, step, 4 if drive % 3 == 0 else 6) for step in range(6) for drive in range(6)]
    found = list(batches((_Item(*one) for one in order), 2))
    assert {item.cameras for batch in found for item in batch} == {4, 6}
    assert all(len({item.cameras for item in batch}) == 1 for batch in found)
    assert sum(len(batch) for batch in found) == len(order)


def test_a_stream_of_too_few_drives_is_refused():
    with pytest.raises(StreamError, match="from 2 drives"):
        list(batches((_Item(step % 2, step // 2) for step in range(500)), 3))


def test_a_lost_camera_leaves_the_tables(recorded):
    recorded.seek(0)
    message = next(read_messages(recorded))
    before = message.arrays["coarse_index"].copy()
    Preparer(tiny_contract(), Augment(camera_drop=1.0), 5)(message)
    after = message.arrays["coarse_index"]
    null, cameras = 6 * 16 * 44, set((before[before < 6 * 704] // 704).tolist())
    left = set((after[after < null] // 704).tolist())
    assert len(cameras - left) == 1
    gone = before != after
    assert (after[gone] == null).all()
    assert (message.arrays["coarse_depth_index"][gone] == null * 32).all()
    assert np.abs(message.arrays["coarse_geometry"].reshape(-1, 4)[gone]).max() == 0.0
