"""Training by `torchrun`, as `train.sh` does it: two processes, two steps, then two more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from synthetic import stream

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    """A folder with one stream for each process; they differ."""
    folder = tmp_path_factory.mktemp("streams")
    for number in range(2):
        data = stream(drives=1, steps=6, seed=100 * number)
        (folder / f"{number}.bin").write_bytes(data.getvalue())
    return folder


def train(streams, folder, steps):
    """Trains up to `steps`; what each process ends with."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(TESTS / "train_of_a_rank.py"), "train", "--out", str(folder), "--batch", "1",
        "--steps", str(steps), "--resume", "--stream-command", f"exec cat '{streams}/'$STREAM.bin",
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_end_with_the_same_weights_and_go_on_from_their_checkpoint(streams, tmp_path):
    first, second = train(streams, tmp_path, steps=2)
    assert first["step"] == second["step"] == 2
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["network"]
    for name, value in first["network"].items():
        assert torch.equal(value, second["network"][name]), name
        assert torch.equal(value, saved[name]), name

    third, fourth = train(streams, tmp_path, steps=4)
    assert third["step"] == fourth["step"] == 4
    moved = 0
    for name, value in third["network"].items():
        assert torch.equal(value, fourth["network"][name]), name
        moved += not torch.equal(value, saved[name])
    assert moved > 0.5 * len(saved)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    # Each step takes one sample of each process.
    assert [(line["step"], line["samples"]) for line in lines] == [(2, 4), (4, 8)]
