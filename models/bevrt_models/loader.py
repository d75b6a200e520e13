"""Samples of stream commands, prepared in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .batch import Augment, Preparer, Sample
from .config import Contract
from .stream import read_messages

DRIVES_APART = 1000
"""Numbers of drives of neighbouring streams differ by this."""


class CommandSamples(IterableDataset):
    """What a shell command streams, one run of it in each worker process.

    The command finds its number, which counts over all trainers, in the variable STREAM.
    """

    def __init__(
        self, command: str, first: int, contract: Contract, augment: Augment, seed: int
    ) -> None:
        self._command, self._first = command, first
        self._contract, self._augment, self._seed = contract, augment, seed

    def __iter__(self) -> Iterator[Sample]:
        """Samples until the command ends; drives are renumbered so that no two streams share any.

        Raises StreamError for bytes that do not follow the protocol.
        """
        worker = get_worker_info()
        number = self._first + (worker.id if worker else 0)
        prepare = Preparer(self._contract, self._augment, self._seed + number)
        with subprocess.Popen(
            self._command, shell=True, stdout=subprocess.PIPE, bufsize=1 << 20,
            env=os.environ | {"STREAM": str(number)},
        ) as process:  # fmt: skip
            try:
                for message in read_messages(process.stdout):
                    message.drive += number * DRIVES_APART
                    yield prepare(message)
            finally:
                process.terminate()


def command_samples(
    command: str, streams: int, rank: int, contract: Contract, augment: Augment, seed: int
) -> Iterator[Sample]:
    """Samples of `streams` runs of a command in turn, a few prepared ahead by each."""
    samples = CommandSamples(command, rank * streams, contract, augment, seed)
    return iter(
        DataLoader(
            samples, batch_size=None, num_workers=streams, prefetch_factor=4,
            multiprocessing_context="spawn", collate_fn=_as_it_is,
            worker_init_fn=_leave_interrupts_to_the_trainer,
        )
    )  # fmt: skip


def _as_it_is(sample: Sample) -> Sample:
    return sample


def _leave_interrupts_to_the_trainer(_worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
