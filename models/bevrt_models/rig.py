"""Rig files at the size of the network's images."""

from __future__ import annotations

import json
import tomllib

import numpy as np


def crop_of(preprocess: dict, width: int, height: int) -> tuple[int, int, int, int]:
    """x, y, width and height of the source pixels that the network sees.

    Full width is kept, and the height that the network's aspect asks for, from `crop_top` on or as
    far up as needed. A source lower than even that loses the same at both sides.
    """
    wide, high = preprocess["width"], preprocess["height"]
    cropped = round(width * high / wide)
    if cropped <= height:
        return 0, min(round(preprocess["crop_top"] * height), height - cropped), width, cropped
    kept = round(height * wide / high)
    return (width - kept) // 2, 0, kept, height


def network_rig(text: str, preprocess: dict) -> str:
    """A rig file for images of the network's size, from one for source images (or for that size).

    Pixel centres are whole numbers on both sides: cx' = (cx + 0.5 - x) s - 0.5.
    """
    rig = tomllib.loads(text)
    lines = [f"format = {rig['format']}", f"reference = {json.dumps(rig['reference'])}"]
    wide, high = preprocess["width"], preprocess["height"]
    for camera in rig["camera"]:
        x, y, width, height = 0, 0, wide, high
        if (camera["width"], camera["height"]) != (wide, high):
            x, y, width, height = crop_of(preprocess, camera["width"], camera["height"])
        scale_x, scale_y = wide / width, high / height
        lines += [
            "", "[[camera]]", f"name = {json.dumps(camera['name'])}", f"width = {wide}",
            f"height = {high}", f"lens = {json.dumps(camera['lens'])}",
            f"fx_px = {camera['fx_px'] * scale_x!r}", f"fy_px = {camera['fy_px'] * scale_y!r}",
            f"cx_px = {(camera['cx_px'] + 0.5 - x) * scale_x - 0.5!r}",
            f"cy_px = {(camera['cy_px'] + 0.5 - y) * scale_y - 0.5!r}",
            f"distortion = {camera.get('distortion', [])}", "cropped = true",
            "", "[camera.ego_from_cam]",
            *(f"{key} = {value}" for key, value in camera["ego_from_cam"].items()),
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def matrices_of(text: str) -> dict[str, np.ndarray]:
    """The matrices of a rig file of the network's size, as the network takes them: `intrinsics` f32
    [cameras, 3, 3], `ego_from_cam` f32 [cameras, 4, 4] and `camera_valid` f32 [cameras], all 1."""
    cameras = tomllib.loads(text)["camera"]
    intrinsics = [
        [[camera["fx_px"], 0.0, camera["cx_px"]], [0.0, camera["fy_px"], camera["cy_px"]],
         [0.0, 0.0, 1.0]] for camera in cameras
    ]  # fmt: skip
    poses = [_pose(camera["ego_from_cam"]) for camera in cameras]
    return {
        "intrinsics": np.array(intrinsics, np.float32),
        "ego_from_cam": np.array(poses, np.float32),
        "camera_valid": np.ones(len(cameras), np.float32),
    }


def _pose(form: dict) -> np.ndarray:
    """[4, 4] from any of the three forms of a rig file."""
    if "matrix" in form:
        return np.array(form["matrix"])
    if "rotation" in form:
        rotation = np.array(form["rotation"])
    else:
        w, x, y, z = form["quaternion_wxyz"]
        rotation = np.array(
            [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
             [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
             [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]
        )  # fmt: skip
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, form["translation_m"]
    return pose
