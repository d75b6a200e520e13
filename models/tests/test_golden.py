import hashlib
import io
import json
import tomllib
import zlib

import numpy as np
import onnxruntime
import pytest
import synthetic

from bevrt_models.golden import png, write_golden
from bevrt_models.network import BevNetwork
from bevrt_models.package import write_package
from bevrt_models.rig import crop_of, network_rig
from bevrt_models.stream import StreamError

PREPROCESS = {"width": 352, "height": 128, "crop_top": 0.353333}
RIG = """
format = 1
reference = "front"
[[camera]]
name = "front"
width = 1600
height = 900
lens = "pinhole"
fx_px = 1266.0
fy_px = 1266.0
cx_px = 799.5
cy_px = 449.5
distortion = [0.1, 0.0, 0.0, 0.0, 0.0]
[camera.ego_from_cam]
translation_m = [1.7, 0.0, 1.51]
quaternion_wxyz = [0.5, -0.5, 0.5, -0.5]
"""


def pixels_of(data: bytes) -> np.ndarray:
    """Reads back what `png` writes."""
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    start = data.index(b"IDAT") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big")
    rows = np.frombuffer(zlib.decompress(data[start : start + length]), np.uint8)
    rows = rows.reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 1).all()
    return np.cumsum(rows[:, 1:].reshape(height, width, 3), axis=1, dtype=np.uint8)


def test_pictures_are_lossless():
    picture = np.random.default_rng(0).integers(0, 256, (7, 11, 3), np.uint8)
    np.testing.assert_array_equal(pixels_of(png(picture)), picture)


def test_crops_follow_the_manifest():
    assert crop_of(PREPROCESS, 1600, 900) == (0, 318, 1600, 582)
    assert crop_of(PREPROCESS, 1280, 960) == (0, 339, 1280, 465)
    # Too low for the aspect: the full height, less at both sides.
    assert crop_of(PREPROCESS, 1600, 400) == (250, 0, 1100, 400)


def test_a_rig_at_network_size_keeps_the_rays():
    camera = tomllib.loads(network_rig(RIG, PREPROCESS))["camera"][0]
    assert (camera["width"], camera["height"], camera["cropped"]) == (352, 128, True)
    np.testing.assert_allclose(camera["fx_px"], 1266.0 * 352 / 1600)
    np.testing.assert_allclose(camera["cx_px"], 175.5)
    np.testing.assert_allclose(camera["cy_px"], (450.0 - 318.0) * 128 / 582 - 0.5)
    assert camera["distortion"] == [0.1, 0.0, 0.0, 0.0, 0.0]
    # A rig that has the network's size already stays as it is.
    again = tomllib.loads(network_rig(network_rig(RIG, PREPROCESS), PREPROCESS))["camera"][0]
    assert again == camera


def test_a_case_holds_what_the_network_makes_of_its_last_frame(tmp_path):
    package = tmp_path / "tiny"
    write_package(BevNetwork(), package, "0.1.0", "1", None)
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG)
    write_golden(package, synthetic.stream(drives=1, steps=5), rig, cases=1)
    manifest = tomllib.loads((package / "manifest.toml").read_text())
    assert manifest["golden"]["file"] == "golden.json"
    hashes = {
        file.relative_to(package).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (package / "golden").rglob("*.*")
    }
    hashes["golden.json"] = hashlib.sha256((package / "golden.json").read_bytes()).hexdigest()
    assert manifest["files"] == hashes and len(hashes) > 2
    (case,) = json.loads((package / "golden.json").read_text())["cases"]
    assert [frame["stamp_ns"] for frame in case["frames"]] == [k * 500_000_000 for k in range(5)]
    assert all((package / file).exists() for file in case["frames"][-1]["images"])
    assert (package / case["rig"]).exists()
    heads = {item["name"]: item for item in case["outputs"]["fp32"]}
    assert set(heads) == {"bev", "objects", "lanes", "arrows", "crosswalks", "stop_lines"}
    assert len(heads["objects"]["channel_mean"]) == 25 and len(heads["bev"]["channel_std"]) == 32
    assert len(heads["objects"]["positions"]) == len(heads["objects"]["values"]) >= 192

    # `bev` does not depend on history: it can be had from the last picture alone.
    session = onnxruntime.InferenceSession(package / "tiny-fp32.onnx")
    messages = list(synthetic.read_all(synthetic.stream(drives=1, steps=5)))
    last = messages[-1].arrays
    inputs = {
        value.name: last[value.name] for value in session.get_inputs() if value.name in last
    } | {
        "images": (last["images"].astype(np.float32) - 127.5) / 64.0,
        "history": np.zeros((1, 128, 128, 128), np.float32),
        "history_state": np.zeros((4, 2), np.float32),
    }
    bev = session.run(["bev"], inputs)[0]
    np.testing.assert_allclose(
        bev.reshape(-1)[heads["bev"]["positions"]], heads["bev"]["values"], atol=1e-5
    )


def test_a_stream_that_is_too_short_is_refused(tmp_path):
    package = tmp_path / "tiny"
    write_package(BevNetwork(), package, "0.1.0", "1", None)
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG)
    with pytest.raises(StreamError, match="0 of 1 drives of 5 steps"):
        write_golden(package, io.BytesIO(), rig, cases=1)
