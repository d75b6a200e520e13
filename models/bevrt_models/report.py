"""What a training run says of itself: a line on stderr and one in `log.jsonl` every few steps."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from torch import Tensor

from .losses import Losses

if TYPE_CHECKING:
    from .train import Trainer


SHOWN_LOSSES = ("objects.heat", "objects.offset", "objects.velocity", "lanes.mask", "arrows.kind")
"""Losses in the line on stderr; the others are in the file."""


class Clock:
    """Splits a step's time into parts."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._last = time.perf_counter()

    def mark(self, name: str) -> None:
        """The time since the last mark went into `name`."""
        now = time.perf_counter()
        self._reporter.spent(name, now - self._last)
        self._last = now


class Reporter:
    """Means since the last report: one line on stderr, one JSON object in log.jsonl."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.skipped = 0
        self._reset()

    def _reset(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._times: dict[str, float] = {}
        self._count, self._norm, self._rate = 0, 0.0, 0.0
        self._began, self._samples = time.monotonic(), self._trainer.samples

    def spent(self, name: str, seconds: float) -> None:
        """Adds to the time of a part of the step."""
        self._times[name] = self._times.get(name, 0.0) + seconds

    def add(self, parts: Losses, total: Tensor, norm: float, rate: float) -> None:
        """Adds a step: its losses, the gradient's norm and the learning rate."""
        for name, value in {"total": total, **parts}.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1
        self._norm += norm
        self._rate = rate

    def maybe_report(self) -> None:
        """Reports when enough steps have come together."""
        if self._count >= self._trainer.options.report_steps:
            self.report()

    def report(self) -> None:
        """Writes the means since the last report; nothing if there was no step."""
        if not self._count or not self._trainer.workers.is_first:
            return
        trainer = self._trainer
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        rate = (trainer.samples - self._samples) / max(time.monotonic() - self._began, 1e-6)
        done = trainer.progress()
        left_s = trainer.elapsed_s * (1.0 - done) / done if done > 0 else float("nan")
        record = {
            "step": trainer.step, "samples": trainer.samples, "progress": round(done, 4),
            "elapsed_s": round(trainer.elapsed_s, 1), "left_s": round(left_s, 1),
            "samples_per_s": round(rate, 2), "rate": self._rate,
            "gradient_norm": self._norm / self._count, "skipped": self.skipped, "loss": means,
            "metrics": trainer.tracker.summary(),
            "ms": {name: round(1e3 * v / self._count, 1) for name, v in self._times.items()},
        }  # fmt: skip
        with (trainer.options.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")
        shown = " ".join(
            f"{name} {record['metrics'][name]:.2f}"
            for name in (
                "vehicle.AP@1m", "vehicle.AP@2m", "pedestrian.AP@1m", "lanes.cell_F1",
                "arrows.AP@1m", "crosswalks.AP@1m", "stop_lines.AP@1m",
            ) if name in record["metrics"]
        )  # fmt: skip
        self.say(
            f"step {trainer.step} ({100 * done:.1f} %, {left_s / 60:.0f} min left) "
            f"{rate:.1f} samples/s  loss {means['total']:.3f} depth {means['depth']:.2f} "
            + " ".join(f"{name} {means[name]:.2f}" for name in SHOWN_LOSSES if name in means)
            + f"  {shown}"
        )
        self._reset()

    def say(self, text: str) -> None:
        """One line on stderr."""
        print(text, file=sys.stderr, flush=True)
