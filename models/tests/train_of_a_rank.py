"""Runs `python -m bevrt_models` and keeps the weights that this process's trainer ends with."""

import os
import sys

import torch

from bevrt_models.__main__ import main
from bevrt_models.train import Trainer

run = Trainer.run


def run_and_keep(self: Trainer, samples) -> None:
    run(self, samples)
    file = self.options.out / f"rank{os.environ['RANK']}.pt"
    torch.save({"step": self.step, "network": self.network.state_dict()}, file)


Trainer.run = run_and_keep
if __name__ == "__main__":
    sys.exit(main())
