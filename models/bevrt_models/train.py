"""The training loop: reads drives in step from a stream, learns all heads, keeps checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import checkpoint, config, losses
from .batch import Augment, Batch, Sample, collate
from .history import DriveQueues
from .layers import RowNorm
from .metrics import Tracker
from .network import BevNetwork
from .optimiser import Optimiser
from .report import Clock, Reporter
from .stream import StreamError
from .workers import Workers


@dataclass
class TrainOptions:
    """What a run is made of; written beside its checkpoints."""

    out: Path
    minutes: float | None = None
    steps: int | None = None
    batch: int = 4
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: float = 0.02
    decay_from: float = 0.55
    final_rate: float = 0.01
    average: float = 0.998
    clip: float = 30.0
    freeze_norm_from: float = 0.9
    contract: config.Contract = field(default_factory=config.tiny_contract)
    has_history: bool = True
    threads: int = 1
    device: str = "cpu"
    seed: int = 1
    checkpoint_minutes: float = 5.0
    report_steps: int = 20
    metric_steps: int = 7
    resume: bool = False
    init_from: Path | None = None
    bf16: bool = True
    augment: Augment = field(default_factory=Augment)


class AveragedWeights:
    """Exponential moving average of weights and running statistics; what is exported."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._source = network.state_dict()
        self.values = {name: value.detach().clone() for name, value in self._source.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Moves towards the present weights; faster in the first steps."""
        decay = min(self._decay, (1.0 + step) / (10.0 + step))
        names = [name for name, value in self._source.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.values[name] for name in names], [self._source[name] for name in names],
            1.0 - decay,
        )  # fmt: skip

    def load(self, values: dict[str, Tensor]) -> None:
        """Goes on from saved values."""
        for name, value in values.items():
            self.values[name].copy_(value)


class Trainer:
    """One training run: network, optimiser, averaged weights, progress."""

    def __init__(self, options: TrainOptions) -> None:
        if (options.minutes is None) == (options.steps is None):
            raise ValueError("give either a time budget in minutes or a number of steps")
        self.workers = Workers(options.device)
        # The same weights everywhere; everything else random differs by process.
        torch.manual_seed(options.seed)
        self._seed = options.seed + 1000 * self.workers.rank
        torch.set_num_threads(options.threads)
        self.options = options
        self.contract = options.contract
        network = BevNetwork(self.contract)
        if options.init_from is not None:
            checkpoint.load_weights(network, checkpoint.weights_from(options.init_from))
        self.network = network.to(options.device, memory_format=torch.channels_last)
        self.optimiser = Optimiser(self.network, options.learning_rate, options.weight_decay)
        self.average = AveragedWeights(network, options.average)
        self.queues = DriveQueues(self.contract, options.augment, self._seed + 1, options.device)
        self.tracker = Tracker(self.contract)
        self.random = np.random.default_rng(self._seed + 2)
        self.step = 0
        self.samples = 0
        self.elapsed_s = 0.0
        self.is_stopping = False
        if options.resume and self.checkpoint_path.exists():
            self._load()
        self._is_over = self.progress() >= 1.0

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's state is kept."""
        return self.options.out / "checkpoint.pt"

    @property
    def sample_seed(self) -> int:
        """Seed of what is drawn at random per sample; another one after every resumption."""
        return self._seed + 3 + self.step

    def progress(self) -> float:
        """Share of the budget that is spent, 0..1."""
        if self.options.steps is not None:
            return min(self.step / self.options.steps, 1.0)
        return min(self.elapsed_s / (60.0 * self.options.minutes), 1.0)

    def run(self, samples: Iterable[Sample]) -> None:
        """Trains until the budget is spent or the samples end, then writes the final state.

        Setting `is_stopping` ends it after the step that is under way.
        """
        options = self.options
        if self.workers.is_first:
            options.out.mkdir(parents=True, exist_ok=True)
            chosen = json.dumps(
                asdict(options) | {"contract": options.contract.name}, default=str, indent=1
            )
            (options.out / "options.json").write_text(chosen + "\n")
        reporter = Reporter(self)
        last_saved = began = time.monotonic()
        spent_before = self.elapsed_s
        waited_from = time.perf_counter()
        for batch in batches(samples, options.batch):
            reporter.spent("wait", time.perf_counter() - waited_from)
            if self._is_over:
                break
            self._step(batch, reporter, spent_before + time.monotonic() - began)
            reporter.maybe_report()
            if time.monotonic() - last_saved > 60.0 * options.checkpoint_minutes:
                self.save()
                last_saved = time.monotonic()
            waited_from = time.perf_counter()
        self.workers.close()
        self.save()
        reporter.report()
        if self.progress() < 1.0:
            reporter.say(f"stopped at {100 * self.progress():.1f} %; --resume goes on from there")

    def _step(self, samples: list[Sample], reporter: Reporter, elapsed_s: float) -> None:
        options, messages = self.options, [sample.message for sample in samples]
        clock = Clock(reporter)
        batch = collate(self.contract, samples, options.augment, self.random, options.device)
        clock.mark("collate")
        history, state = self.queues.history(messages, options.has_history)
        clock.mark("align")
        rate = self._learning_rate()
        self._set_mode()
        kind = torch.device(options.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=options.bf16):
            outputs = self.network(
                batch.images, batch.tables, history if options.bf16 else history.float(), state
            )
        clock.mark("forward")
        parts = all_losses(outputs, batch)
        total = losses.total_loss(parts)
        clock.mark("loss")
        self.optimiser.zero_grad()
        total.backward()
        clock.mark("backward")
        self.elapsed_s, is_stopping = self.workers.average(
            self.network, elapsed_s, self.is_stopping
        )
        clock.mark("exchange")
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), options.clip)
        if torch.isfinite(norm):
            self.optimiser.step(rate)
            self.step += 1
            self.average.update(self.step)
        else:
            reporter.skipped += 1
        clock.mark("update")
        for message, bev in zip(messages, outputs["bev"], strict=True):
            self.queues.push(message, bev)
        self.samples += len(samples) * self.workers.count
        reporter.add(parts, total, float(norm), rate)
        if self.step % options.metric_steps == 0:
            self.tracker.add(outputs, messages, batch.targets.get("lanes"))
        clock.mark("metrics")
        self._is_over = is_stopping or self.progress() >= 1.0

    def _learning_rate(self) -> float:
        """Linear warm-up, then constant, then a straight line down to the final share."""
        options, done = self.options, self.progress()
        if done < options.warm_up:
            return options.learning_rate * (done / options.warm_up * 0.98 + 0.02)
        part = max(done - options.decay_from, 0.0) / (1.0 - options.decay_from)
        return options.learning_rate * (1.0 - (1.0 - options.final_rate) * part)

    def _set_mode(self) -> None:
        """Training mode; late in the run, normalisation by the running statistics that serve."""
        self.network.train()
        if self.progress() >= self.options.freeze_norm_from:
            for module in self.network.modules():
                if isinstance(module, (nn.BatchNorm2d, RowNorm)):
                    module.eval()

    def save(self) -> None:
        """Writes the checkpoint and the averaged weights as an fp16 archive."""
        if not self.workers.is_first:
            return
        checkpoint.save_checkpoint(
            self.checkpoint_path,
            {
                "network": self.network.state_dict(), "average": self.average.values,
                "optimiser": self.optimiser.state_dict(), "step": self.step,
                "samples": self.samples, "elapsed_s": self.elapsed_s,
            },
        )  # fmt: skip
        checkpoint.save_archive(self.options.out / "weights-fp16.npz", self.average.values)

    def _load(self) -> None:
        state = checkpoint.load_checkpoint(self.checkpoint_path)
        self.network.load_state_dict(state["network"])
        self.average.load(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.samples = state["step"], state["samples"]
        self.elapsed_s = state["elapsed_s"]


def batches(samples, size: int):
    """Groups samples into lists of `size` from different drives, keeping each drive's order.

    All samples of a group have equally many cameras. Raises StreamError if the stream has too few
    drives for that.
    """
    waiting: list[Sample] = []
    for sample in samples:
        waiting.append(sample)
        chosen, left, drives = [], [], set()
        for item in waiting:
            # A drive's second sample waits, and everything of the drive behind it.
            is_taken = (
                item.message.drive not in drives
                and len(chosen) < size
                and item.cameras == sample.cameras
            )
            (chosen if is_taken else left).append(item)
            drives.add(item.message.drive)
        if len(chosen) == size:
            yield chosen
            waiting = left
        elif len(waiting) > 16 * size:
            raise StreamError(
                f"{len(waiting)} messages came from {len(drives)} drives, but a step takes "
                f"{size} different ones: stream at least as many drives as the batch has samples"
            )


def all_losses(outputs: dict[str, Tensor], batch: Batch) -> losses.Losses:
    """The losses of every head that there is, by name, unweighted."""
    of_head = {
        "objects": lambda output, target: losses.object_losses(output, target, config.CONE),
        "lanes": losses.lane_losses,
        "arrows": losses.arrow_losses,
        "crosswalks": lambda output, target: losses.marking_losses("crosswalks", output, target, 2),
        "stop_lines": lambda output, target: losses.marking_losses("stop_lines", output, target, 1),
    }
    parts = losses.depth_loss(outputs["depth_logits"], batch.depth)
    if "objects" in batch.targets:
        parts |= losses.class_loss(outputs["class_logits"], batch.classes)
    for task, target in batch.targets.items():
        parts |= of_head[task](outputs[task], target)
    return parts
