"""Alignment of the feature queue beside ONNX Runtime's GridSample and OpenCV's warpAffine.

All work on the same maps with the same motion, in turn, round by round, on one thread. ONNX
Runtime and OpenCV run in this process and bevrt in its own, so each side is held against a plain
copy of the output's bytes in its own process. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
SCALE, ZERO_POINT = 1.0 / 32.0, 128
"""Of the 8-bit storage, as in `benches/kernels/src/history.rs`."""
STORED_AS = {"f32": "f16", "f16": "f16", "u8": "u8"}
"""What bevrt's queue holds where the others hold f32, f16 or u8: it has no storage of 32 bits."""
MOST_DIFFERENCE = {"f32": 0.01, "f16": 0.01, "u8": 0.001}
"""Between GridSample's result and bevrt's: what rounding makes of values up to 4."""


class Peers:
    """The maps of one storage, and what each library makes of them."""

    def __init__(self, folder: Path, storage: str, threads: int) -> None:
        shape = json.loads((folder / "align.json").read_text())
        self.slots, rows, cols = shape["slots"], shape["rows"], shape["cols"]
        self.channels, self.size = shape["channels"], (cols, rows)
        maps = np.fromfile(folder / "maps.f32", np.float32)
        maps = maps.reshape(self.slots, rows, cols, self.channels)
        aligned = np.fromfile(folder / "aligned.f32", np.float32)
        self.expected = aligned.reshape(rows, cols, self.slots, self.channels)
        self.storage = storage
        self.last = stored(maps, storage)
        self.first = np.ascontiguousarray(self.last.transpose(0, 3, 1, 2))
        affines = shape["affines"]
        # OpenCV takes (x, y) = (column, row).
        self.affines = [
            np.array([[a["col"][1], a["col"][0], a["col"][2]],
                      [a["row"][1], a["row"][0], a["row"][2]]])
            for a in affines
        ]  # fmt: skip
        self.history = np.empty_like(self.expected)
        self.source = np.ones_like(self.expected)
        cv2.setNumThreads(threads)
        self.session = grid_sample_session(threads)
        self.grid = sampling_grid(self.affines, rows, cols)
        self.binding = self.session.io_binding()
        self.sampled = np.empty((self.slots, self.channels, rows, cols), np.float32)
        self.binding.bind_cpu_input("grid", self.grid)
        self.binding.bind_output(
            "out", "cpu", 0, np.float32, self.sampled.shape, self.sampled.ctypes.data
        )

    def copy(self) -> None:
        np.copyto(self.history, self.source)

    def grid_sample(self) -> None:
        """All slots at once, channels first, as the operator takes them."""
        self.binding.bind_cpu_input("maps", widened(self.first, self.storage))
        self.session.run_with_iobinding(self.binding)

    def warp_affine(self) -> None:
        """Slot by slot, all channels at once, into the place that the network reads."""
        for slot, affine in enumerate(self.affines):
            # OpenCV warps no f16, and with 8 bits a border of another level than 0 in four channels
            # at most: both are widened before.
            wide = widened(self.last[slot], self.storage)
            self.history[:, :, slot] = cv2.warpAffine(wide, affine, self.size, flags=FLAGS)

    def check(self) -> None:
        """GridSample must agree with bevrt."""
        self.grid_sample()
        sampled = self.sampled.transpose(2, 3, 0, 1)
        off = float(np.abs(sampled - self.expected).max())
        if not off < MOST_DIFFERENCE[self.storage]:
            raise SystemExit(f"{self.storage}: GridSample and bevrt differ by {off}")


def stored(maps: np.ndarray, storage: str) -> np.ndarray:
    """Maps as the storage holds them."""
    if storage == "f32":
        return maps
    if storage == "f16":
        return maps.astype(np.float16)
    return np.clip(np.rint(maps / SCALE) + ZERO_POINT, 0, 255).astype(np.uint8)


def widened(maps: np.ndarray, storage: str) -> np.ndarray:
    """Stored maps as f32."""
    if storage == "u8":
        return (maps.astype(np.float32) - ZERO_POINT) * np.float32(SCALE)
    return maps.astype(np.float32, copy=False)


def sampling_grid(affines: list[np.ndarray], rows: int, cols: int) -> np.ndarray:
    """[slots, rows, cols, 2]: places in −1 to 1, corners at the middles of the border cells."""
    row, col = np.mgrid[0:rows, 0:cols]
    here = np.stack([col, row, np.ones_like(row)], axis=-1)
    places = np.stack([here @ affine.T for affine in affines])
    return (2.0 * places / [cols - 1, rows - 1] - 1.0).astype(np.float32)


def grid_sample_session(threads: int) -> onnxruntime.InferenceSession:
    """A network of one GridSample."""
    node = helper.make_node(
        "GridSample", ["maps", "grid"], ["out"],
        mode="linear", padding_mode="zeros", align_corners=1,
    )  # fmt: skip
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "align",
        [tensor("maps", TensorProto.FLOAT, ["s", "c", "h", "w"]),
         tensor("grid", TensorProto.FLOAT, ["s", "h", "w", 2])],
        [tensor("out", TensorProto.FLOAT, ["s", "c", "h", "w"])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers)


def median_ms(work: Callable[[], None], times: int) -> float:
    """Median time of some runs."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        found.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(found)


def bevrt_round(kernels: Path, storage: str, times: int) -> dict[str, float]:
    """Medians of bevrt's alignment and of its copy."""
    command = [kernels, "align", storage, str(times)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    return {name: statistics.median(values) for name, values in found.items()}


def measure(arguments: argparse.Namespace, storage: str) -> list[dict[str, float]]:
    """One entry a round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [arguments.kernels, "align-input", STORED_AS[storage], folder]
        subprocess.run(command, check=True)
        peers = Peers(folder, storage, arguments.threads)
    peers.check()
    rounds = []
    for number in range(arguments.rounds):
        print(f"{storage}: round {number + 1} of {arguments.rounds}", file=sys.stderr)
        found = bevrt_round(arguments.kernels, STORED_AS[storage], arguments.times)
        works = {"copy": peers.copy, "grid": peers.grid_sample, "warp": peers.warp_affine}
        found |= {name: median_ms(work, arguments.times) for name, work in works.items()}
        found["bevrt / copy"] = found["align_ms"] / found["memcpy_ms"]
        found["grid / bevrt"] = found["grid"] / found["copy"] / found["bevrt / copy"]
        found["warp / bevrt"] = found["warp"] / found["copy"] / found["bevrt / copy"]
        rounds.append(found)
    return rounds


def row(storage: str, rounds: list[dict[str, float]]) -> str:
    """A line of the table: medians over rounds, ratios with their range."""

    def middle(name: str) -> str:
        return f"{statistics.median(found[name] for found in rounds):.2f}"

    def ratio(name: str) -> str:
        values = [found[name] for found in rounds]
        return f"{middle(name)} ({min(values):.2f} to {max(values):.2f})"

    cells = [
        storage, middle("align_ms"), middle("memcpy_ms"), ratio("bevrt / copy"),
        middle("grid"), ratio("grid / bevrt"), middle("warp"), ratio("warp / bevrt"),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measures every storage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", type=Path, default=Path("target/release/kernels"))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--times", type=int, default=40, help="runs of each in a round")
    parser.add_argument("--threads", type=int, default=1, help="of OpenCV and ONNX Runtime")
    arguments = parser.parse_args()
    print(
        "| maps | bevrt, ms | memcpy, ms | bevrt / memcpy | GridSample, ms | as fast as GridSample "
        "| warpAffine, ms | as fast as warpAffine |\n|---|---|---|---|---|---|---|---|"
    )
    for storage in STORED_AS:
        print(row(storage, measure(arguments, storage)), flush=True)


if __name__ == "__main__":
    main()
