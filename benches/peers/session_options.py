"""What ONNX Runtime's options bring to a network: each measured in turn against the runtime's own.

    python benches/peers/session_options.py --network FILE.onnx --threads 2

Every round runs each variant once, in an order that changes; the ratio is taken to the baseline of
the same round. The baseline is what `OnnxRuntime::load` sets. `--ops` shows instead, for the
baseline, the operators of the optimised graph with their shares of the kernels' time: how much is
convolution, and how much moves data from one layout to another.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

CAMERAS = "cameras"
SPINNING = "session.intra_op.allow_spinning"
LEVELS = onnxruntime.GraphOptimizationLevel


def baseline(threads: int, cameras: int) -> onnxruntime.SessionOptions:
    """The options of the runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.add_free_dimension_override_by_name(CAMERAS, cameras)
    options.log_severity_level = 3
    return options


def attribute(name: str, value: object) -> Callable[[onnxruntime.SessionOptions], None]:
    """A change of an attribute of the options."""
    return lambda options: setattr(options, name, value)


def entry(key: str, value: str) -> Callable[[onnxruntime.SessionOptions], None]:
    """A change of a configuration entry."""
    return lambda options: options.add_session_config_entry(key, value)


VARIANTS: dict[str, Callable[[onnxruntime.SessionOptions], None]] = {
    "baseline": lambda options: None,
    "baseline again": lambda options: None,
    "graph optimisation: extended": attribute(
        "graph_optimization_level", LEVELS.ORT_ENABLE_EXTENDED
    ),
    "graph optimisation: basic": attribute("graph_optimization_level", LEVELS.ORT_ENABLE_BASIC),
    "no spinning": entry(SPINNING, "0"),
    "no prepacking": entry("session.disable_prepacking", "1"),
    "no memory pattern": attribute("enable_mem_pattern", False),
    "no arena": attribute("enable_cpu_mem_arena", False),
    "denormals as zero": entry("session.set_denormal_as_zero", "1"),
    "not deterministic": attribute("use_deterministic_compute", False),
    "no memory reuse": attribute("enable_mem_reuse", False),
    "quantised pairs cleaned up": entry("session.enable_quant_qdq_cleanup", "1"),
}


def feeds(session: onnxruntime.InferenceSession, cameras: int) -> dict[str, np.ndarray]:
    """Normal noise for floats, zeros for indices."""
    generator = np.random.default_rng(0)
    values = {}
    for tensor in session.get_inputs():
        shape = [size if isinstance(size, int) else cameras for size in tensor.shape]
        if tensor.type == "tensor(int32)":
            values[tensor.name] = np.zeros(shape, np.int32)
        else:
            values[tensor.name] = generator.normal(size=shape).astype(np.float32)
    return values


def open_session(
    arguments: argparse.Namespace, change: Callable[[onnxruntime.SessionOptions], None]
) -> onnxruntime.InferenceSession:
    """A session of the network with one change."""
    options = baseline(arguments.threads, arguments.cameras)
    change(options)
    return onnxruntime.InferenceSession(
        arguments.network, options, providers=["CPUExecutionProvider"]
    )


def measure(arguments: argparse.Namespace) -> None:
    """Prints the median ratio of each variant, with the quarters of its rounds."""
    sessions = {name: open_session(arguments, change) for name, change in VARIANTS.items()}
    inputs = feeds(sessions["baseline"], arguments.cameras)
    for session in sessions.values():
        for _ in range(3):
            session.run(None, inputs)
    order = list(sessions)
    ratios = collections.defaultdict(list)
    times = []
    shuffle = random.Random(0)
    for _ in range(arguments.rounds):
        shuffle.shuffle(order)
        spent = {}
        for name in order:
            # The first run after another session's wakes its threads and caches.
            sessions[name].run(None, inputs)
            began = time.perf_counter()
            sessions[name].run(None, inputs)
            spent[name] = time.perf_counter() - began
        times.append(spent["baseline"])
        for name, seconds in spent.items():
            ratios[name].append(seconds / spent["baseline"])
    print(f"baseline: median {1e3 * statistics.median(times):.1f} ms, {arguments.rounds} rounds\n")
    print("| option | time against the baseline | middle half of the rounds |")
    print("|---|---|---|")
    for name in VARIANTS:
        low, middle, high = statistics.quantiles(ratios[name], n=4)
        print(f"| {name} | {middle:.3f} | {low:.3f} to {high:.3f} |")


def show_operators(arguments: argparse.Namespace) -> None:
    """Prints operators of the optimised graph, their number and share of the kernels' time."""
    with tempfile.TemporaryDirectory() as folder:

        def profiled(options: onnxruntime.SessionOptions) -> None:
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")

        session = open_session(arguments, profiled)
        inputs = feeds(session, arguments.cameras)
        for _ in range(arguments.rounds):
            session.run(None, inputs)
        events = json.loads(Path(session.end_profiling()).read_text())
    kernels = collections.defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kernels[event["args"]["op_name"]].append(event["dur"])
    whole = sum(map(sum, kernels.values()))
    print("| operator | nodes | share of the kernels' time |")
    print("|---|---|---|")
    for name, spent in sorted(kernels.items(), key=lambda item: -sum(item[1])):
        print(f"| {name} | {len(spent) // arguments.rounds} | {100 * sum(spent) / whole:.1f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", required=True, help="ONNX file")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--ops", action="store_true", help="show the operators, measure no option")
    arguments = parser.parse_args()
    if arguments.ops:
        show_operators(arguments)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
