"""Two processes that train together hold the same gradients, statistics and time."""

import os
import socket

import torch
from torch import multiprocessing, nn

from bevrt_models.workers import Workers


def _network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))


def _process(rank: int, port: int, results) -> None:
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(rank),
    }  # fmt: skip
    workers = Workers()
    network = _network()
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, 1.0 + 2.0 * rank)
    network[1].running_mean.fill_(10.0 * rank)
    elapsed_s, stop = workers.average(network, 100.0 + rank, stop=rank == 1)
    gradients = [float(p.grad.min()) for p in network.parameters()]
    gradients += [float(p.grad.max()) for p in network.parameters()]
    results.put((rank, workers.is_first, gradients, network[1].running_mean.tolist(),
                 elapsed_s, stop))  # fmt: skip
    workers.close()


def test_two_processes_agree_on_everything_that_decides_a_step():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_process, args=(rank, port, results)) for rank in (0, 1)]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    for rank, (number, is_first, gradients, mean, elapsed_s, stop) in enumerate(found):
        assert number == rank and is_first == (rank == 0)
        assert set(gradients) == {2.0} and mean == [5.0] * 3
        assert elapsed_s == 100.5 and stop


def test_alone_nothing_changes():
    network = _network()
    network[0].weight.grad = torch.ones_like(network[0].weight)
    assert Workers().average(network, 3.0, stop=False) == (3.0, False)
    assert torch.equal(network[0].weight.grad, torch.ones_like(network[0].weight))
