"""The whole job in Python: OpenCV, NumPy and ONNX Runtime's own interface.

Six NV12 images → network input → aligned past maps → run → elements, frame after frame without a
pause, each followed by a bare run on the same inputs. Prints a report as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from decode import Decoder
from frames import Frames, read_frames
from past_maps import PastMaps
from preprocess import Preprocessor

STAGES = ("preprocess", "align", "network", "decode")


class Pipeline:
    """A package's network with everything around it."""

    def __init__(self, package: Path, precision: str, threads: int, frames: Frames) -> None:
        manifest = tomllib.loads((package / "manifest.toml").read_text())
        fitting = [n for n in manifest["network"] if n["precision"] == precision]
        if not fitting:
            raise ValueError(f"{package}: expected a network of precision {precision}, found none")
        cv2.setNumThreads(threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        self._session = onnxruntime.InferenceSession(
            package / fitting[0]["file"], options, providers=["CPUExecutionProvider"]
        )
        self._outputs = [output.name for output in self._session.get_outputs()]
        taken = {value.name for value in self._session.get_inputs()}
        self._inputs = {name: frames.tensor(0, name) for name in frames.tensor_names()}
        if self._inputs.keys() != taken:
            raise ValueError(f"expected inputs {sorted(taken)}, found {sorted(self._inputs)}")
        self._preprocessors = [
            Preprocessor(manifest["preprocess"], image.shape[1], image.shape[0] * 2 // 3)
            for image in frames.images[0]
        ]
        self._images = self._inputs["images"]
        self._past = PastMaps(manifest["queue"])
        self._inputs |= {"history": self._past.history, "history_state": self._past.state}
        self._decoder = Decoder(manifest["head"])

    def frame(
        self, images: list[np.ndarray], stamp_s: float, odom_from_ego: np.ndarray
    ) -> tuple[dict, list[float]]:
        """Elements of one frame set, and the seconds that each of STAGES took."""
        marks = [time.perf_counter()]
        for image, preprocessor, out in zip(images, self._preprocessors, self._images, strict=True):
            preprocessor.run_into(image, out)
        marks.append(time.perf_counter())
        self._past.align(stamp_s, odom_from_ego)
        marks.append(time.perf_counter())
        values = self._session.run(self._outputs, self._inputs)
        marks.append(time.perf_counter())
        outputs = dict(zip(self._outputs, values, strict=True))
        found = self._decoder.decode(outputs)
        self._past.store(stamp_s, odom_from_ego, outputs["bev"])
        marks.append(time.perf_counter())
        return found, np.diff(marks).tolist()

    def bare_run(self) -> float:
        """Seconds of the network alone on the inputs as they stand."""
        begin = time.perf_counter()
        self._session.run(self._outputs, self._inputs)
        return time.perf_counter() - begin


def measure(pipeline: Pipeline, frames: Frames, seconds: float, warm_up: int) -> dict:
    """Frames for some seconds after the warm-up; milliseconds."""
    rows, elements, frame = [], {}, 0
    begin = None
    while begin is None or time.perf_counter() - begin < seconds:
        if frame == warm_up:
            begin = time.perf_counter()
        images = frames.images[frame % frames.sets]
        start = time.perf_counter()
        found, stages = pipeline.frame(images, frames.stamp_s(frame), frames.odom_from_ego(frame))
        whole = time.perf_counter() - start
        if frame >= warm_up:
            rows.append([*stages, whole, pipeline.bare_run()])
            for name, of_head in found.items():
                count = len(of_head) if isinstance(of_head, list) else len(of_head["confidence"])
                elements[name] = elements.get(name, 0) + count
        frame += 1
    times = 1e3 * np.array(rows)
    names = (*STAGES, "total", "bare_run")
    return {
        "frames": len(rows),
        "median_ms": dict(zip(names, np.median(times, axis=0).tolist(), strict=True)),
        "total_per_bare": float(np.median(times[:, -2] / times[:, -1])),
        "elements_per_frame": {name: count / len(rows) for name, count in elements.items()},
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="folder of --dump-frames")
    parser.add_argument("--package", type=Path, default=Path("models/packages/tiny"))
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-up", type=int, default=25, help="frames; fills the queue")
    arguments = parser.parse_args()
    frames = read_frames(arguments.frames)
    pipeline = Pipeline(arguments.package, arguments.precision, arguments.threads, frames)
    report = measure(pipeline, frames, arguments.seconds, arguments.warm_up)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
