import hashlib
import json
import tomllib

import numpy as np
import onnxruntime
import pytest

from bevrt_models.config import HEAD_CHANNELS, tiny_contract
from bevrt_models.foreign import CAMERAS, foreign_contract, given_inputs, write_foreign
from bevrt_models.network import TinyNetwork
from bevrt_models.package import write_package


def test_the_manifest_of_tiny_follows_the_contract(tmp_path):
    chosen = tmp_path / "thresholds.json"
    chosen.write_text(json.dumps({"crosswalks": [0.42]}))
    folder = tmp_path / "tiny"
    write_package(TinyNetwork(), folder, "0.3.0", "2", chosen)
    manifest = tomllib.loads((folder / "manifest.toml").read_text())
    assert manifest["format"] == 1 and manifest["version"] == "0.3.0" and manifest["world"] == "2"
    network = manifest["network"][0]
    digest = hashlib.sha256((folder / network["file"]).read_bytes()).hexdigest()
    assert network["sha256"] == digest and network["precision"] == "fp32"
    coarse, fine = manifest["lift"]
    assert coarse["depth_bins"] == {"count": 32, "min_m": 2.0, "max_m": 72.0}
    assert "depth_bins" not in fine and fine["grid"]["rows"] == 168
    assert manifest["queue"]["slots"] == 4 and manifest["queue"]["storage"] == "f16"
    heads = {head["kind"]: head for head in manifest["head"]}
    assert list(heads) == list(HEAD_CHANNELS)
    assert heads["crosswalks"]["thresholds"] == [0.42]
    assert len(heads["objects"]["thresholds"]) == 8
    assert "golden" not in manifest


def test_thresholds_of_another_length_are_refused(tmp_path):
    chosen = tmp_path / "thresholds.json"
    chosen.write_text(json.dumps({"objects": [0.42]}))
    with pytest.raises(ValueError, match="1 given, 8 expected"):
        write_package(TinyNetwork(), tmp_path / "tiny", "1", "1", chosen)


def test_channel_lists_agree_with_the_contract():
    sizes = {head.kind: head.channels for head in tiny_contract().heads}
    assert sizes == {"objects": 25, "lanes": 13, "arrows": 14, "crosswalks": 9, "stop_lines": 8}


def test_the_foreign_package_is_small_and_its_expected_outputs_hold(tmp_path):
    write_foreign(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 400_000
    manifest = tomllib.loads((tmp_path / "manifest.toml").read_text())
    assert manifest["lift"][0]["taps"] == 4 and not manifest["lift"][0]["geometry"]
    session = onnxruntime.InferenceSession(
        tmp_path / "foreign-fp32.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = given_inputs(foreign_contract())
    assert inputs["images"].shape[0] == CAMERAS
    expected = json.loads((tmp_path / "expected.json").read_text())["outputs"]
    got = session.run([item["name"] for item in expected], inputs)
    for item, output in zip(expected, got, strict=True):
        assert list(output.shape) == item["shape"] and output.std() > 1e-3
        values = output.reshape(-1)[item["position"]]
        np.testing.assert_allclose(values, item["value"], atol=1e-5)


def test_the_foreign_network_heeds_every_input(tmp_path):
    write_foreign(tmp_path)
    session = onnxruntime.InferenceSession(
        tmp_path / "foreign-fp32.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = given_inputs(foreign_contract())
    before = session.run(["objects"], inputs)[0]
    for name, value in inputs.items():
        after = session.run(["objects"], inputs | {name: np.roll(value.reshape(-1), 1)
                                                   .reshape(value.shape)})[0]  # fmt: skip
        assert np.abs(after - before).max() > 0.0, name
