"""Whether OpenCV and bevrt make the same network input of the same NV12 images.

Compares levels (0 to 255): 99.9 % of all values within one level, all within three. OpenCV rounds
to whole levels, bevrt does not, so half a level of the difference is OpenCV's.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

import numpy as np

from frames import read_frames
from preprocess import Preprocessor

LEAST_SHARE = 0.999
MOST_USUAL = 1.0
MOST_EVER = 3.0


def differences(folder: Path, package: Path) -> np.ndarray:
    """Differences of all values of the dumped frames, in levels."""
    section = tomllib.loads((package / "manifest.toml").read_text())["preprocess"]
    mean, std = (np.array(section[key], np.float32)[:, None, None] for key in ("mean", "std"))
    frames = read_frames(folder)
    found = []
    for frame in range(frames.dumped()):
        of_bevrt = frames.tensor(frame, "images") * std + mean
        for camera, image in enumerate(frames.images[frame]):
            preprocessor = Preprocessor(section, image.shape[1], image.shape[0] * 2 // 3)
            of_opencv = np.empty(of_bevrt.shape[1:], np.float32)
            preprocessor.run_into(image, of_opencv)
            found.append(np.abs(of_opencv * std + mean - of_bevrt[camera]).ravel())
    if not found:
        raise ValueError(f"{folder}: expected tensors of dumped frames, found none")
    return np.concatenate(found)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="folder of --dump-frames")
    parser.add_argument("--package", type=Path, default=Path("models/packages/tiny"))
    arguments = parser.parse_args()
    found = differences(arguments.frames, arguments.package)
    share = float((found <= MOST_USUAL).mean())
    print(
        f"{found.size} values: {100 * share:.3f} % within {MOST_USUAL:.0f} level, "
        f"mean {found.mean():.3f}, worst {found.max():.2f} levels"
    )
    if share < LEAST_SHARE or found.max() > MOST_EVER:
        expected = (
            f"{100 * LEAST_SHARE} % within {MOST_USUAL:.0f} level, all within {MOST_EVER:.0f}"
        )
        print(f"the inputs differ: expected {expected}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
