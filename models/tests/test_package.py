import hashlib
import json
import math
import tomllib

import onnx
import pytest

from bevrt_models.config import HEAD_CHANNELS, resized, tiny_contract
from bevrt_models.network import BevNetwork
from bevrt_models.package import write_package


def test_the_manifest_of_tiny_follows_the_contract(tmp_path):
    chosen = tmp_path / "thresholds.json"
    chosen.write_text(json.dumps({"crosswalks": [0.42]}))
    folder = tmp_path / "tiny"
    write_package(BevNetwork(), folder, "0.3.0", "2", chosen)
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
        write_package(BevNetwork(), tmp_path / "tiny", "1", "1", chosen)


def test_a_report_corrects_the_standard_deviations(tmp_path):
    network = BevNetwork(tiny_contract(("objects", "lanes")))
    report = tmp_path / "report.json"
    found = {"object_y": {"factor": 1.5}, "lane_lateral": {"factor": 0.5},
             "arrow_position": {"factor": 2.0}}  # fmt: skip
    report.write_text(json.dumps({"details": {"sigma": found}}))
    before = {task: network.get_submodule(task)[-1].bias.clone() for task in ("objects", "lanes")}
    write_package(network, tmp_path / "package", "1", "1", None, report)
    for task, channel, factor in (
        ("objects", "ln_sigma_y", 1.5),
        ("lanes", "ln_sigma_lateral", 0.5),
    ):
        change = network.get_submodule(task)[-1].bias - before[task]
        at = HEAD_CHANNELS[task].index(channel)
        assert change[at].item() == pytest.approx(math.log(factor))
        assert change.abs().sum() == change[at].abs()


def test_channel_lists_agree_with_the_contract():
    sizes = {head.kind: head.channels for head in tiny_contract().heads}
    assert sizes == {"objects": 25, "lanes": 13, "arrows": 14, "crosswalks": 9, "stop_lines": 8}


def test_untrained_packages_come_in_other_sizes(tmp_path):
    contract = resized(tiny_contract(), (192, 96), 96, 2)
    network = BevNetwork(contract)
    write_package(network, tmp_path, "0.0.1", "none", None)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in onnx.load(tmp_path / "tiny-fp32.onnx").graph.input
    }
    assert shapes["images"][1:] == [3, 96, 192]
    assert shapes["history"] == [1, 96, 96, 2 * 32]
    manifest = tomllib.loads((tmp_path / "manifest.toml").read_text())
    assert manifest["queue"]["slots"] == 2
    assert manifest["queue"]["grid"]["x_min_m"] == pytest.approx(-38.4)
    # What the markings see of the coarse map lies under their grid, whatever its size.
    assert manifest["head"][1]["grid"]["rows"] == 168


@pytest.mark.parametrize("sizes", [((100, 96), None, None), (None, 90, None), (None, None, 9)])
def test_sizes_that_the_network_cannot_have_are_refused(sizes):
    with pytest.raises(ValueError, match="found"):
        resized(tiny_contract(), *sizes)
