"""Command line: `python -m bevrt_models COMMAND --help`."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

from .config import HEAD_CHANNELS, NETWORKS, resized


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bevrt_models", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a network on a stream of simulated drives")
    train.add_argument("--network", choices=NETWORKS, default="tiny")
    train.add_argument("--out", type=Path, required=True, help="folder of the run")
    budget = train.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="time budget; the schedule follows it")
    budget.add_argument("--steps", type=int, help="number of steps instead of a time budget")
    source = train.add_mutually_exclusive_group()
    source.add_argument("--stream", default="-", help="file or pipe of the stream, - for stdin")
    source.add_argument(
        "--stream-command",
        help="shell command that writes a stream to stdout; the variable STREAM counts its runs",
    )
    train.add_argument("--streams", type=int, default=1, help="runs of the command, a process each")
    train.add_argument("--batch", type=int, default=4, help="drives stepped together")
    train.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    train.add_argument(
        "--decay-from",
        type=float,
        default=0.55,
        help="share of the budget after which the rate falls; 0 to anneal trained weights",
    )
    train.add_argument(
        "--tasks", type=lambda text: tuple(text.split(",")), default=HEAD_CHANNELS,
        help="heads of a twin, separated by commas; all of them by default",
    )  # fmt: skip
    train.add_argument("--no-history", action="store_true", help="ablation: history always empty")
    train.add_argument(
        "--threads", type=int, default=1,
        help="threads of the trainer; one core each for trainer and stream serves two cores best",
    )  # fmt: skip
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--fp32", action="store_true", help="no bf16 autocast")
    train.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    train.add_argument("--init-from", type=Path, help="checkpoint, archive, .onnx or package")
    train.add_argument("--checkpoint-minutes", type=float, default=5.0)
    train.set_defaults(run=_train)

    export = commands.add_parser("export", help="write the ONNX file of trained weights")
    export.add_argument("weights", type=Path, help="checkpoint, archive, .onnx or package")
    export.add_argument("--network", choices=NETWORKS, default="tiny")
    export.add_argument("--out", type=Path, required=True, help="the .onnx file")
    export.set_defaults(run=_export)

    package = commands.add_parser("package", help="write a model package from trained weights")
    package.add_argument(
        "weights", type=Path,
        help="checkpoint, archive, .onnx or package; `random` for an untrained network",
    )  # fmt: skip
    package.add_argument("--network", choices=NETWORKS, default="tiny")
    package.add_argument("--out", type=Path, required=True, help="folder of the package")
    package.add_argument("--version", default="0.1.0", help="version of the package")
    package.add_argument("--world", default="1", help="version of the world it was trained on")
    package.add_argument("--thresholds", type=Path, help="JSON: head -> list, one a class")
    package.add_argument(
        "--sigmas", type=Path,
        help="report of `bevrt eval --json` over tuning drives, to correct standard deviations by",
    )  # fmt: skip
    package.add_argument(
        "--image", type=_size, help="with `random`: another image of the network, WIDTHxHEIGHT"
    )
    package.add_argument("--cells", type=int, help="with `random`: rows and columns of the grid")
    package.add_argument("--slots", type=int, help="with `random`: past maps in the queue")
    package.set_defaults(run=_package)

    golden = commands.add_parser("golden", help="write a package's golden cases")
    golden.add_argument("package", type=Path)
    golden.add_argument(
        "--stream", default="-", help="file of an unaugmented training stream, - for stdin"
    )
    golden.add_argument("--rig", type=Path, required=True, help="rig file of that stream")
    golden.add_argument("--cases", type=int, default=1)
    golden.set_defaults(run=_golden)

    hashes = commands.add_parser("hashes", help="write the hashes of a package's golden cases anew")
    hashes.add_argument("package", type=Path)
    hashes.set_defaults(run=_hashes)

    quantise = commands.add_parser("quantise", help="write a package's INT8 network")
    quantise.add_argument("package", type=Path)
    quantise.add_argument("--precision", default="int8-cpu", help="int8-cpu or int8-trt")
    quantise.add_argument(
        "--stream", default="-", help="file of an unaugmented stream of tuning drives, - for stdin"
    )
    quantise.add_argument("--frames", type=int, default=60, help="frames to calibrate with")
    quantise.add_argument("--keep-float", nargs="*", default=[], help="nodes that stay in float")
    quantise.set_defaults(run=_quantise)

    cost = commands.add_parser("cost", help="GFLOP, parameters and latency of an ONNX file")
    cost.add_argument("file", type=Path)
    cost.add_argument("--cameras", type=int, default=6)
    cost.add_argument("--threads", type=int, default=2)
    cost.set_defaults(run=_cost)

    example = commands.add_parser("example", help="write an example of a network that is brought")
    example.add_argument("family", choices=("foreign", "bevdet_like", "maptr_like"))
    example.add_argument("--out", type=Path, required=True, help="folder of the package")
    example.set_defaults(run=_example)
    return parser


def _train(options: argparse.Namespace) -> int:
    from .batch import Preparer
    from .loader import command_samples
    from .stream import BackgroundReader
    from .train import Trainer, TrainOptions

    trainer = Trainer(
        TrainOptions(
            out=options.out, minutes=options.minutes, steps=options.steps, batch=options.batch,
            learning_rate=options.rate, decay_from=options.decay_from,
            has_history=not options.no_history, contract=NETWORKS[options.network](options.tasks),
            threads=options.threads, device=options.device, seed=options.seed,
            bf16=not options.fp32, resume=options.resume, init_from=options.init_from,
            checkpoint_minutes=options.checkpoint_minutes,
        )
    )  # fmt: skip

    def stop(_signal, _frame) -> None:
        trainer.is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    contract, augment = trainer.contract, trainer.options.augment
    if options.stream_command:
        trainer.run(
            command_samples(
                options.stream_command, options.streams, trainer.workers.rank, contract, augment,
                trainer.sample_seed,
            )
        )  # fmt: skip
        return 0
    with _stream(options) as source:
        reader = BackgroundReader(source, Preparer(contract, augment, trainer.sample_seed))
        trainer.run(reader)
        reader.stop()
    return 0


@contextmanager
def _stream(options: argparse.Namespace):
    if options.stream == "-":
        yield sys.stdin.buffer
    else:
        with Path(options.stream).open("rb") as source:
            yield source


def _size(text: str) -> tuple[int, int]:
    """Parses WIDTHxHEIGHT."""
    width, height = map(int, text.split("x"))
    return width, height


def _network(options: argparse.Namespace):
    """The network with the weights that were asked for, and the heads that these have."""
    from .checkpoint import load_weights, weights_from
    from .network import BevNetwork

    contract = NETWORKS[options.network]
    sizes = [getattr(options, name, None) for name in ("image", "cells", "slots")]
    if options.weights == Path("random"):
        return BevNetwork(resized(contract(), *sizes))
    if any(size is not None for size in sizes):
        raise ValueError("--image, --cells and --slots: expected with `random`, found weights")
    values = weights_from(options.weights)
    heads = {name.split(".")[0] for name in values}
    network = BevNetwork(contract([task for task in HEAD_CHANNELS if task in heads]))
    load_weights(network, values)
    return network


def _export(options: argparse.Namespace) -> int:
    from .export import export

    export(_network(options), options.out)
    return 0


def _package(options: argparse.Namespace) -> int:
    from .package import write_package

    write_package(
        _network(options), options.out, options.version, options.world, options.thresholds,
        options.sigmas,
    )  # fmt: skip
    return 0


def _golden(options: argparse.Namespace) -> int:
    from .golden import write_golden

    with _stream(options) as source:
        write_golden(options.package, source, options.rig, options.cases)
    return 0


def _hashes(options: argparse.Namespace) -> int:
    from .package import write_file_hashes

    write_file_hashes(options.package)
    return 0


def _quantise(options: argparse.Namespace) -> int:
    from .quantise import quantise

    with _stream(options) as source:
        quantise(options.package, options.precision, source, options.frames, options.keep_float)
    return 0


def _cost(options: argparse.Namespace) -> int:
    from .cost import gigaflops, latency_ms, parameters

    for name, value in gigaflops(options.file, options.cameras).items():
        print(f"{name:8s} {value:7.3f} GFLOP")
    print(f"{parameters(options.file) / 1e6:.3f} M parameters")
    p50, p90 = latency_ms(options.file, options.cameras, options.threads)
    print(f"{p50:.1f} ms median, {p90:.1f} ms p90, {options.threads} threads")
    return 0


def _example(options: argparse.Namespace) -> int:
    from .families import write_bevdet_like, write_maptr_like
    from .foreign import write_foreign

    writers = {
        "foreign": write_foreign, "bevdet_like": write_bevdet_like, "maptr_like": write_maptr_like,
    }  # fmt: skip
    writers[options.family](options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
