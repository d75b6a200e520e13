"""Frames that `bevrt bench --dump-frames` wrote: NV12 pixels, stamps, ego motion, tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORMAT = 1
EVENTS = "frames.json"
PIXELS = "frames.nv12"


@dataclass(frozen=True)
class Frames:
    """Frame sets of a drive that is gone through round and round.

    images: [set][camera], each u8 [height * 3 / 2, width].
    poses: f64 [sets, 3, 3], planar odom_from_ego at each set's stamp.
    round: f64 [3, 3], how far one round goes in the odometry frame.
    """

    folder: Path
    images: list[list[np.ndarray]]
    stamps_s: np.ndarray
    poses: np.ndarray
    round: np.ndarray
    period_s: float

    @property
    def sets(self) -> int:
        """Frame sets of one round."""
        return len(self.images)

    def odom_from_ego(self, frame: int) -> np.ndarray:
        """Planar pose [3, 3] of the frame-th set, counted through all rounds."""
        rounds, place = divmod(frame, self.sets)
        return np.linalg.matrix_power(self.round, rounds) @ self.poses[place]

    def stamp_s(self, frame: int) -> float:
        """Stamp of the frame-th set."""
        rounds, place = divmod(frame, self.sets)
        return rounds * self.period_s + float(self.stamps_s[place])

    def tensor(self, frame: int, name: str) -> np.ndarray:
        """An input of the network as bevrt had it in one of the first frames."""
        return np.load(self.folder / "tensors" / f"frame_{frame:03}" / "inputs" / f"{name}.npy")

    def tensor_names(self) -> list[str]:
        """Names of the inputs that were dumped."""
        inputs = self.folder / "tensors" / "frame_000" / "inputs"
        return sorted(path.stem for path in inputs.glob("*.npy"))

    def dumped(self) -> int:
        """Frames whose tensors were dumped."""
        return len(list((self.folder / "tensors").glob("frame_*")))


def read_frames(folder: Path) -> Frames:
    """Reads a folder that `bevrt bench --dump-frames` wrote."""
    file = json.loads((folder / EVENTS).read_text())
    if file["format"] != FORMAT:
        raise ValueError(f"{folder / EVENTS}: expected format {FORMAT}, found {file['format']}")
    first = file["cameras"][0]["name"]
    reference = _reference_of(folder / "rig.toml") or first
    camera = [camera["name"] for camera in file["cameras"]].index(reference)
    images = [event for event in file["events"] if "image" in event]
    of_reference = [event for event in images if event["image"]["camera"] == camera]
    stamps_ns = np.array([event["stamp_ns"] for event in of_reference])
    track = _Track(file)
    return Frames(
        folder=folder,
        images=_read_pixels(folder / PIXELS, file["cameras"], file["sets"]),
        stamps_s=stamps_ns * 1e-9,
        poses=np.stack([track.at(stamp) for stamp in stamps_ns]),
        round=track.round(int(stamps_ns[0]), file["period_ns"]),
        period_s=file["period_ns"] * 1e-9,
    )


def _reference_of(rig: Path) -> str | None:
    """The reference camera named in a rig file."""
    for line in rig.read_text().splitlines():
        if line.startswith("reference"):
            return line.split("=", 1)[1].strip().strip('"')
    return None


def _read_pixels(path: Path, cameras: list[dict], sets: int) -> list[list[np.ndarray]]:
    pixels = np.fromfile(path, np.uint8)
    images, offset = [], 0
    for _ in range(sets):
        of_set = []
        for camera in cameras:
            shape = camera["height"] * 3 // 2, camera["width"]
            end = offset + shape[0] * shape[1]
            of_set.append(pixels[offset:end].reshape(shape))
            offset = end
        images.append(of_set)
    if offset != pixels.size:
        raise ValueError(f"{path}: expected {offset} bytes, found {pixels.size}")
    return images


class _Track:
    """Planar poses along one round, from speed and yaw rate or from poses."""

    def __init__(self, file: dict) -> None:
        events = [event for event in file["lead"] + file["events"] if "image" not in event]
        events.sort(key=lambda event: event["stamp_ns"])
        self._stamps_ns = np.array([event["stamp_ns"] for event in events])
        self._rates = None
        if "rates" in events[0]:
            rates = [event["rates"] for event in events]
            self._rates = np.array([[r["speed_mps"], r["yaw_rate_radps"]] for r in rates])
            self._states = self._integrated()
        else:
            matrices = np.array([event["pose"] for event in events])
            yaw = np.unwrap(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
            self._states = np.stack([matrices[:, 0, 3], matrices[:, 1, 3], yaw], axis=1)
            self._given_round = np.array(file["round"])[np.ix_([0, 1, 3], [0, 1, 3])]

    def _integrated(self) -> np.ndarray:
        """[samples, 3] x, y, yaw by mean rates between samples."""
        steps_s = np.diff(self._stamps_ns) * 1e-9
        speed, rate = (self._rates[:-1] + self._rates[1:]).T / 2
        yaw = np.concatenate([[0.0], np.cumsum(rate * steps_s)])
        middle = yaw[:-1] + rate * steps_s / 2
        x = np.concatenate([[0.0], np.cumsum(speed * steps_s * np.cos(middle))])
        y = np.concatenate([[0.0], np.cumsum(speed * steps_s * np.sin(middle))])
        return np.stack([x, y, yaw], axis=1)

    def at(self, stamp_ns: int) -> np.ndarray:
        """Planar pose [3, 3] at a stamp, beyond the ends by the nearest samples."""
        last = len(self._stamps_ns) - 2
        place = int(np.clip(np.searchsorted(self._stamps_ns, stamp_ns) - 1, 0, last))
        begin, end = self._stamps_ns[place : place + 2]
        part = (stamp_ns - begin) / (end - begin)
        x, y, yaw = self._states[place] + part * (self._states[place + 1] - self._states[place])
        cos, sin = np.cos(yaw), np.sin(yaw)
        return np.array([[cos, -sin, x], [sin, cos, y], [0.0, 0.0, 1.0]])

    def round(self, begin_ns: int, period_ns: int) -> np.ndarray:
        """How far one round goes [3, 3], in the odometry frame."""
        if self._rates is None:
            return self._given_round
        return self.at(begin_ns + period_ns) @ np.linalg.inv(self.at(begin_ns))
