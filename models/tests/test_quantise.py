"""INT8 networks say nearly what fp32 says, and stand in the manifest."""

import io
import json
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from synthetic import stream
from test_golden import RIG
from test_network import random_network

from bevrt_models.golden import write_golden
from bevrt_models.package import write_package
from bevrt_models.package_run import PackageRun
from bevrt_models.quantise import quantise
from bevrt_models.stream import read_messages


@pytest.fixture(scope="module")
def recorded():
    return stream(drives=1, steps=6).getvalue()


@pytest.fixture(scope="module")
def quantised(tmp_path_factory, recorded):
    """A package, and its INT8 network for CPUs as it was when it was quantised before."""
    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("package")
    write_package(random_network(), folder, "0", "none", None)
    for precision in ("int8-cpu", "int8-trt"):
        quantise(folder, precision, io.BytesIO(recorded), frames=2, float_nodes=[])
    before = (folder / "tiny-int8-cpu.onnx").read_bytes()
    quantise(folder, "int8-cpu", io.BytesIO(recorded), frames=2, float_nodes=[])
    return folder, before


@pytest.fixture(scope="module")
def package(quantised):
    return quantised[0]


def test_the_same_frames_give_the_same_bytes(quantised):
    folder, before = quantised
    assert (folder / "tiny-int8-cpu.onnx").read_bytes() == before


def test_the_manifest_names_each_network_once_with_what_it_needs(package):
    networks = tomllib.loads((package / "manifest.toml").read_text())["network"]
    assert [n["precision"] for n in networks] == ["fp32", "int8-trt", "int8-cpu"]
    assert networks[2]["providers"] == ["cpu"] and networks[2]["cpu_features"] == ["avx512vnni"]
    assert all((package / n["file"]).stat().st_size > 1e6 for n in networks)


@pytest.mark.parametrize("precision", ["int8-cpu", "int8-trt"])
def test_outputs_stay_close_to_those_of_fp32(package, recorded, precision):
    exact, rough = PackageRun(package), PackageRun(package, precision)
    for message in read_messages(io.BytesIO(recorded)):
        wanted = exact.run(exact.step_of(message))
        found = rough.run(rough.step_of(message))
    for name, value in wanted.items():
        assert np.corrcoef(value.ravel(), found[name].ravel())[0, 1] > 0.97, name


def test_golden_cases_hold_what_each_network_says_itself(package, recorded, tmp_path):
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG)
    write_golden(package, io.BytesIO(recorded), rig, cases=1)
    moving, standing = json.loads((package / "golden.json").read_text())["cases"]
    assert list(moving["outputs"]) == ["fp32"]
    assert list(standing["outputs"]) == ["int8-trt", "int8-cpu"]
    assert [f["images"] for f in moving["frames"]] == [f["images"] for f in standing["frames"]]
    poses = [frame["odom_from_ego"] for frame in standing["frames"]]
    assert poses == [poses[0]] * len(poses)
    outputs = moving["outputs"] | standing["outputs"]
    bev = {precision: values[0] for precision, values in outputs.items()}
    assert {output["name"] for output in bev.values()} == {"bev"}
    means = [np.array(bev[precision]["channel_mean"]) for precision in bev]
    assert not np.array_equal(means[0], means[1]) and not np.array_equal(means[0], means[2])
    np.testing.assert_allclose(means[2], means[0], atol=0.3 * np.abs(means[0]).max())


SHIPPED = sorted((Path(__file__).parents[1] / "packages").glob("*/*int8-trt.onnx"))


def asymmetries(file):
    """What TensorRT would not take, and the number of Q, DQ and biases that were looked at.

    It wants a stored zero point of s8 that is 0 all over, weights of s8, positive scales, and
    stored biases in float.
    """
    graph = onnx.load(file).graph
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    wrong, seen = [], Counter()
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            is_weight = node.input[0] in stored
            seen[f"{node.op_type} of {'weights' if is_weight else 'activations'}"] += 1
            point = stored.get(node.input[2]) if len(node.input) > 2 else None
            if point is None or point.dtype != np.int8 or point.any():
                wrong.append(f"{node.name}: zero point {point}")
            if is_weight and stored[node.input[0]].dtype != np.int8:
                wrong.append(f"{node.name}: weights of {stored[node.input[0]].dtype}")
            if node.input[1] not in stored or not (stored[node.input[1]] > 0.0).all():
                wrong.append(f"{node.name}: scale")
        elif node.op_type in ("Conv", "Gemm") and len(node.input) > 2:
            seen["biases"] += 1
            bias = stored.get(node.input[2])
            if bias is None or bias.dtype != np.float32:
                wrong.append(f"{node.name}: bias {None if bias is None else bias.dtype}")
    return wrong, seen


def test_the_network_for_tensorrt_is_symmetric(package):
    assert asymmetries(package / "tiny-int8-trt.onnx")[0] == []
    # The one for CPUs is not, so the check sees the difference.
    wrong, _ = asymmetries(package / "tiny-int8-cpu.onnx")
    assert any("zero point" in text for text in wrong) and any("bias" in text for text in wrong)


def test_a_network_for_tensorrt_ships():
    assert "tiny-int8-trt.onnx" in [file.name for file in SHIPPED]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_scale_of_the_shipped_network_for_tensorrt_is_symmetric(file):
    wrong, seen = asymmetries(file)
    assert wrong == []
    assert seen["QuantizeLinear of activations"] > 100
    assert seen["DequantizeLinear of activations"] > 100
    assert seen["DequantizeLinear of weights"] > 50 and seen["biases"] > 30


@pytest.mark.parametrize("precision", ["int8-cpu", "int8-trt"])
def test_everything_heavy_is_computed_in_8_bit_but_the_last_layers(package, precision):
    graph = onnx.load(package / f"tiny-{precision}.onnx").graph
    maker = {name: node for node in graph.node for name in node.output}
    outputs = {output.name for output in graph.output}
    in_float = []
    for node in graph.node:
        if node.op_type in ("Conv", "MatMul", "Gemm"):
            source = maker.get(node.input[0])
            if source is None or source.op_type != "DequantizeLinear":
                in_float.append(node.name)
            elif outputs & set(node.output):
                weight = maker.get(node.input[1])
                assert weight is None or weight.op_type != "DequantizeLinear", node.name
    assert all(name.startswith("/network/depth/") for name in in_float), in_float
    stored = {item.name for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Gemm":
            source = maker.get(node.input[2])
            assert (source.input[0] if source else node.input[2]) in stored, node.name


def test_another_precision_is_refused(package, recorded):
    with pytest.raises(ValueError, match="int4"):
        quantise(package, "int4", io.BytesIO(recorded), frames=1, float_nodes=[])
