"""INT8 networks of a package: static quantisation to Q/DQ with frames of the tuning drives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .package import NetworkFile, add_network
from .package_run import PackageRun
from .stream import read_messages

OPERATORS = [
    "Conv", "MatMul", "Gemm", "Relu", "Add", "Mul", "Gather", "Concat", "Resize", "Transpose",
    "Reshape", "Slice", "Clip",
]  # fmt: skip
"""What is computed in 8 bit; the rest stays in float."""

DISTANCE_NODES = (
    *(f"/network/depth/{name}" for name in (
        "logits/Conv", "trust/Conv", "Slice", "Mul", "Mul_1", "Mul_2",
    )),
    "/network/Transpose", "/network/Reshape", "/network/Concat",
    *(f"/network/coarse_lift/{name}" for name in ("Gather_1", "Mul", "Add")),
)  # fmt: skip
"""From the distance logits of our own networks to the weight of a voxel: one value a voxel, so
float costs nothing there, and 8-bit kernels with a scalar are slower."""

ACTIVATIONS = {"int8-cpu": QuantType.QUInt8, "int8-trt": QuantType.QInt8}


NEEDS = {"int8-cpu": (("cpu",), ("avx512vnni",)), "int8-trt": (("tensorrt",), ())}
"""Providers and CPU features: without VNNI, sums of u8 x s8 products may saturate."""


class DriveInputs(CalibrationDataReader):
    """Inputs of every `every`-th step of a stream, with the history that fp32 made."""

    def __init__(self, run: PackageRun, source: BinaryIO, frames: int, every: int = 3) -> None:
        self._inputs = self._read(run, source, frames, every)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next inputs by name, None at the end."""
        return next(self._inputs, None)

    @staticmethod
    def _read(run: PackageRun, source: BinaryIO, frames: int, every: int) -> Iterator[dict]:
        given = 0
        for number, message in enumerate(read_messages(source)):
            if message.new_drive:
                run.begin_drive()
            step = run.step_of(message)
            if number % every == every - 1:
                yield run.inputs(step)
                given += 1
                if given == frames:
                    return
            run.run(step)


def quantise(
    package: Path, precision: str, source: BinaryIO, frames: int, float_nodes: list[str]
) -> None:
    """Writes the package's network in `precision` beside its fp32 one, and into its manifest.

    The stream holds unaugmented tuning drives, one at a time. `int8-cpu` has unsigned activations
    and signed weights per channel; `int8-trt` has symmetric signed ones. `float_nodes` names nodes
    that stay in float beside the heads' last layers (their channels span metres, logits and
    logarithms, which share no scale) and DISTANCE_NODES. Raises ValueError for another precision.
    """
    if precision not in ACTIVATIONS:
        raise ValueError(f"precision: expected one of {list(ACTIVATIONS)}, found {precision!r}")
    run = PackageRun(package)
    name = run.manifest["name"]
    out = package / f"{name}-{precision}.onnx"
    symmetric = precision == "int8-trt"
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(package / f"{name}-fp32.onnx", prepared, auto_merge=True)
        model = onnx.load(prepared)
        split_products(model.graph)
        kept = {*float_nodes, *DISTANCE_NODES, *last_convolutions(model.graph)}
        quantize_static(
            model, out, DriveInputs(run, source, frames), quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS, per_channel=True, nodes_to_exclude=sorted(kept),
            activation_type=ACTIVATIONS[precision], weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "ActivationSymmetric": symmetric, "WeightSymmetric": True,
                # TensorRT takes no quantised biases.
                "QuantizeBias": not symmetric,
            },
        )  # fmt: skip
    onnx.checker.check_model(onnx.load(out))
    providers, features = NEEDS[precision]
    add_network(package, NetworkFile(out.name, precision, providers, features))


def last_convolutions(graph: onnx.GraphProto) -> list[str]:
    """Names of the convolutions that write an output."""
    outputs = {output.name for output in graph.output}
    return [n.name for n in graph.node if n.op_type == "Conv" and outputs & set(n.output)]


def split_products(graph: onnx.GraphProto) -> None:
    """Splits each Gemm whose addend is computed into MatMul and Add: there is no 8-bit kernel for
    such a Gemm, but one for each part."""
    constants = {item.name for item in graph.initializer}
    nodes = []
    for node in graph.node:
        is_plain = all(
            a.f == 1.0 for a in node.attribute if a.name in ("alpha", "beta")
        ) and not any(a.i for a in node.attribute if a.name in ("transA", "transB"))
        has_addend = len(node.input) == 3 and node.input[2] not in constants
        if node.op_type != "Gemm" or not has_addend or not is_plain:
            nodes.append(node)
            continue
        product = f"{node.output[0]}_product"
        nodes += [
            onnx.helper.make_node("MatMul", node.input[:2], [product], f"{node.name}/product"),
            onnx.helper.make_node("Add", [product, node.input[2]], node.output, f"{node.name}/sum"),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
