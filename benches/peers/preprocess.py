"""Six NV12 images to the network's input, with OpenCV."""

from __future__ import annotations

import cv2
import numpy as np


class Preprocessor:
    """Crop, NV12 to RGB, area resize, planes, (level - mean) / std.

    The crop comes first and copies nothing: OpenCV takes luma and chroma as two arrays.
    """

    def __init__(self, section: dict, width: int, height: int) -> None:
        self._size = section["width"], section["height"]
        self._is_bgr = section["colour"] == "bgr"
        aspect = section["height"] / section["width"]
        wanted = round(width * aspect)
        if wanted > height or width % 2:
            raise ValueError(f"expected images at least as tall as {wanted}, found {height}")
        top = min(round(section["crop_top"] * height), height - wanted)
        # Chroma rows stand for two rows of luma, so a crop begins at an even row.
        self._first = top - top % 2
        self._skipped = top - self._first
        self._last = top + wanted + (top + wanted) % 2
        self._kept = wanted
        self._height = height
        mean, std = (np.array(section[key], np.float32) for key in ("mean", "std"))
        self._gain = (1.0 / std)[:, None, None]
        self._offset = (-mean / std)[:, None, None]
        self._rgb = np.empty((self._last - self._first, width, 3), np.uint8)
        self._small = np.empty((section["height"], section["width"], 3), np.uint8)

    def run_into(self, nv12: np.ndarray, out: np.ndarray) -> None:
        """Writes u8 [height * 3 / 2, width] as f32 [3, h, w]."""
        levels = self.levels(nv12)
        planes = cv2.split(levels)
        for plane, target, gain, offset in zip(planes, out, self._gain, self._offset, strict=True):
            np.multiply(plane, gain, out=target, casting="unsafe")
            target += offset

    def levels(self, nv12: np.ndarray) -> np.ndarray:
        """The resized image u8 [h, w, 3] in the network's colour order."""
        luma = nv12[self._first : self._last]
        chroma = nv12[self._height + self._first // 2 : self._height + self._last // 2]
        chroma = chroma.reshape(chroma.shape[0], -1, 2)
        code = cv2.COLOR_YUV2BGR_NV12 if self._is_bgr else cv2.COLOR_YUV2RGB_NV12
        rgb = cv2.cvtColorTwoPlane(luma, chroma, code, self._rgb)
        rgb = rgb[self._skipped : self._skipped + self._kept]
        return cv2.resize(rgb, self._size, self._small, interpolation=cv2.INTER_AREA)
