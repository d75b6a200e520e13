"""A stream of plausible geometry without a renderer: boxes and marks projected into colour blobs.

The world is flat and empty but for a few coloured boxes and marks that stand still in an odometry
frame while the vehicle drives. Cameras are ideal pinholes. It exists so that training can be tested
without the simulator; the tables follow the same rules as those of the runtime.
"""

from __future__ import annotations

import io

import numpy as np

from bevrt_models.config import Contract, Lift, tiny_contract
from bevrt_models.stream import Message, encode, read_messages

YAWS = np.radians([0.0, 55.0, -55.0, 110.0, -110.0, 180.0])
FOCAL_PX = np.array([278.0, 278.0, 278.0, 278.0, 278.0, 178.0])
CENTRE_PX = (175.5, 60.0)
HEIGHT_M = 1.5


def camera_points(points_ego: np.ndarray, camera: int) -> np.ndarray:
    """[n, 3] ego -> [n, 3] optical axes of the camera."""
    c, s = np.cos(YAWS[camera]), np.sin(YAWS[camera])
    forward = points_ego[:, 0] * c + points_ego[:, 1] * s
    left = -points_ego[:, 0] * s + points_ego[:, 1] * c
    return np.stack([-left, HEIGHT_M - points_ego[:, 2], forward], axis=1)


def magnification(contract: Contract) -> int:
    """How many times larger the contract's pictures are than those of `tiny`."""
    return contract.preprocess.width // tiny_contract().preprocess.width


def project(
    points_ego: np.ndarray, camera: int, times: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixel u and v (nan behind) and Euclidean distance; pictures so many `times` larger."""
    cam = camera_points(points_ego, camera)
    depth = np.where(cam[:, 2] > 0.1, cam[:, 2], np.nan)
    u = FOCAL_PX[camera] * cam[:, 0] / depth + CENTRE_PX[0]
    v = FOCAL_PX[camera] * cam[:, 1] / depth + CENTRE_PX[1]
    u, v = (times * (pixel + 0.5) - 0.5 for pixel in (u, v))
    return u, v, np.linalg.norm(cam, axis=1)


def rays(contract: Contract) -> np.ndarray:
    """[N, 5, h, w] as the runtime gives them: unit ray in ego, ln(ground / 10 m), ln focal."""
    size, stride = contract.preprocess, contract.ray_stride
    rows, cols = size.height // stride, size.width // stride
    times = magnification(contract)
    v, u = np.meshgrid((np.arange(rows) + 0.5) * stride / times - 0.5,
                       (np.arange(cols) + 0.5) * stride / times - 0.5, indexing="ij")  # fmt: skip
    planes = np.empty((len(YAWS), 5, rows, cols), np.float32)
    for camera, yaw in enumerate(YAWS):
        right, down = (u - CENTRE_PX[0]) / FOCAL_PX[camera], (v - CENTRE_PX[1]) / FOCAL_PX[camera]
        c, s = np.cos(yaw), np.sin(yaw)
        ray = np.stack([c + right * s, s - right * c, -down]) / np.sqrt(1 + right**2 + down**2)
        ground_m = np.where(ray[2] < -HEIGHT_M / 100, HEIGHT_M / np.maximum(-ray[2], 1e-9), 100.0)
        planes[camera, :3] = ray
        planes[camera, 3] = np.log(np.clip(ground_m, 1.0, 100.0) / 10.0)
        planes[camera, 4] = np.log(times * FOCAL_PX[camera] / stride)
    return planes


def table(contract: Contract, lift: Lift) -> dict[str, np.ndarray]:
    """Index, depth index and geometry of a lift, one tap, most central camera."""
    size, cameras, times = contract.preprocess, len(YAWS), magnification(contract)
    rows, cols = size.height // lift.stride, size.width // lift.stride
    x, y = np.meshgrid(lift.grid.centres_x_m(), lift.grid.centres_y_m(), indexing="ij")
    count, levels = lift.grid.cells, len(lift.heights_m)
    index = np.full((count, levels), cameras * rows * cols, np.int32)
    geometry = np.zeros((count, levels, 4), np.float32)
    range_m = np.ones((count, levels))
    for level, z in enumerate(lift.heights_m):
        points = np.stack([x.ravel(), y.ravel(), np.full(count, z)], axis=1)
        best = np.full(count, -1.0)
        for camera in range(cameras):
            u, v, distance = project(points, camera, times)
            uf, vf = (u + 0.5) / lift.stride - 0.5, (v + 0.5) / lift.stride - 0.5
            inside = (uf > -0.5) & (uf < cols - 0.5) & (vf > -0.5) & (vf < rows - 0.5)
            border = np.minimum(np.minimum(u, size.width - u) / size.width,
                                np.minimum(v, size.height - v) / size.height)  # fmt: skip
            border = np.where(inside, border, -np.inf)
            take = border > best
            best[take] = border[take]
            ui, vi = np.rint(uf[take]).astype(int), np.rint(vf[take]).astype(int)
            ui, vi = np.clip(ui, 0, cols - 1), np.clip(vi, 0, rows - 1)
            index[take, level] = camera * rows * cols + vi * cols + ui
            scale = np.log(times * FOCAL_PX[camera] / lift.stride / distance[take])
            geometry[take, level] = np.stack(
                [uf[take] - ui, vf[take] - vi, scale, np.ones(take.sum())], axis=1
            )
            range_m[take, level] = distance[take]
    arrays = {
        f"{lift.name}_index": index.reshape(-1),
        f"{lift.name}_geometry": geometry.reshape(count, -1),
    }
    if lift.depth_bins is not None:
        bins = lift.depth_bins
        null = index == cameras * rows * cols
        depth_index = index.astype(np.int64) * bins.count + bins.bin_of(range_m)
        depth_index[null] = cameras * rows * cols * bins.count
        arrays[f"{lift.name}_depth_index"] = depth_index.astype(np.int32).reshape(-1)
    return arrays


class Drive:
    """The vehicle goes ahead with a turn; boxes and marks stand in its odometry frame."""

    def __init__(self, seed: int, contract: Contract, tables: dict[str, np.ndarray]) -> None:
        self._random = np.random.default_rng(seed)
        self._contract, self._tables, self._seed = contract, tables, seed
        self._pose, self._stamp_ns, self._step = np.eye(4), 0, 0
        count = 12
        kinds = self._random.choice([0, 2, 6], count)
        sizes = np.array([[4.5, 1.9, 1.6], [8.0, 2.5, 3.2], [0.6, 0.6, 1.7]])
        self._kinds, self._sizes = kinds, sizes[np.searchsorted([0, 2, 6], kinds)]
        self._places = self._random.uniform([-30, -20], [50, 20], (count, 2))
        self._yaws = self._random.uniform(-np.pi, np.pi, count)
        self._lane_y = self._random.uniform(-4, -1.5)
        self._arrow = self._random.uniform([5, -2], [25, 2])

    def message(self, slot: int) -> Message:
        """The next step, about half a second on."""
        if self._step:
            self._advance()
        ego_from_odom = np.linalg.inv(self._pose)
        turn = np.arctan2(ego_from_odom[1, 0], ego_from_odom[0, 0])

        def to_ego(x, y):
            points = np.stack([x, y, np.zeros_like(x), np.ones_like(x)])
            return (ego_from_odom @ points)[:2].T

        centres = to_ego(self._places[:, 0], self._places[:, 1])
        count = len(centres)
        objects = np.zeros((count, 16), np.float32)
        objects[:, 0] = self._kinds
        objects[:, 1:3] = centres
        objects[:, 3] = self._sizes[:, 2] / 2
        objects[:, 4:7] = self._sizes
        objects[:, 7] = self._yaws + turn
        objects[:, 11:13] = [1.0, 100.0]
        objects[:, 13] = np.abs(centres).max(1) < 40
        objects[:, 15] = np.arange(count)
        along = np.linspace(-40, 40, 41)
        lane = to_ego(along + self._pose[0, 3], np.full(41, self._lane_y))
        points = np.concatenate([lane, np.zeros((41, 1)), np.ones((41, 1))], 1).astype(np.float32)
        arrow = to_ego(self._arrow[:1], self._arrow[1:])[0]
        images, depth, classes = self._draw(objects, lane, arrow)
        noisy = self._pose.copy()
        noisy[:2, 3] += self._random.normal(size=2) * 0.01
        message = Message(
            slot, self._seed, self._step, self._step == 0, self._stamp_ns,
            {
                "images": images, **self._tables, "odom_from_ego": self._pose.copy(),
                "odom_from_ego_noisy": noisy, "depth": depth,
                "classes": classes, "objects": objects,
                "lane_points": points, "lanes": np.array([[0, 41, 1, 0]], np.int32),
                "arrows": np.array([[*arrow, 0, turn, 2, 1, 1]], np.float32),
                "crosswalks": np.array([[*(arrow + 6), 0, turn, 6, 3, 1, 1]], np.float32),
                "stop_lines": np.array([[*(arrow - 4), 0, turn, 3, 1, 1]], np.float32),
            },
        )  # fmt: skip
        self._step += 1
        return message

    def _advance(self) -> None:
        span_s = 0.5 + self._random.uniform(-0.05, 0.05)
        yaw = 0.05 * span_s
        motion = np.eye(4)
        motion[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
        motion[0, 3] = 8.0 * span_s
        self._pose = self._pose @ motion
        self._stamp_ns += int(span_s * 1e9)

    def _draw(self, objects, lane, arrow) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size, times = self._contract.preprocess, magnification(self._contract)
        images = np.full((len(YAWS), 3, size.height, size.width), 90, np.uint8)
        images[:, :, 60 * times :] = 60
        features = (len(YAWS), size.height // 8, size.width // 8)
        depth = np.zeros(features, np.float32)
        classes = np.full(features, 255, np.uint8)
        far_first = np.argsort(-np.hypot(objects[:, 1], objects[:, 2]))
        for camera in range(len(YAWS)):
            ground = np.concatenate([lane, arrow[None]])
            flat = np.concatenate([ground, np.zeros((len(ground), 1))], 1)
            u, v, _ = project(flat, camera, times)
            for a, b in zip(u, v, strict=True):
                if 0 <= a < size.width - 2 and 0 <= b < size.height - 2:
                    images[camera, :, int(b) : int(b) + 2, int(a) : int(a) + 2] = 220
            for box in objects[far_first]:
                centre, half = box[1:4], box[4:7] / 2
                up = np.array([0.0, 0.0, half[2]])
                u, v, distance = project(np.stack([centre - up, centre + up]), camera, times)
                if np.isnan(u).any():
                    continue
                radius = times * FOCAL_PX[camera] * half[0] / distance[0]
                u0, u1 = np.clip([u[0] - radius, u[0] + radius], 0, size.width - 1).astype(int)
                v0, v1 = np.clip([v[1], v[0]], 0, size.height - 1).astype(int)
                images[camera, int(box[0]) % 3, v0:v1, u0:u1] = 200
                cells = np.s_[camera, v0 // 8 : v1 // 8, u0 // 8 : u1 // 8]
                depth[cells], classes[cells] = distance[0], int(box[0])
        return images, depth, classes


def stream(
    drives: int, steps: int, steps_a_drive: int = 20, seed: int = 0,
    contract: Contract | None = None,
) -> io.BytesIO:  # fmt: skip
    """`steps` steps of `drives` interleaved drives as the bytes of a training stream.

    Pictures and tables are those of the contract, `tiny` if there is none.
    """
    contract = contract or tiny_contract()
    tables: dict[str, np.ndarray] = {"rays": rays(contract)}
    for lift in contract.lifts:
        tables |= table(contract, lift)
    running = [Drive(seed + slot, contract, tables) for slot in range(drives)]
    data = io.BytesIO()
    for step in range(steps):
        for slot in range(drives):
            if step and step % steps_a_drive == 0:
                running[slot] = Drive(seed + step * drives + slot, contract, tables)
            data.write(encode(running[slot].message(slot)))
    data.seek(0)
    return data


def read_all(data: io.BytesIO) -> list[Message]:
    """Every message of a stream."""
    return list(read_messages(data))
