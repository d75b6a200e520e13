"""Counts the work of an exported network: multiply-adds of convolutions and matrix products."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, shape_inference

from .config import tiny_contract
from .export import example_inputs


def gigaflops(path: Path, cameras: int) -> dict[str, float]:
    """GFLOP (two per multiply-add) of an ONNX file by operator and in `total`.

    Only Conv, MatMul and Gemm are counted; products of constants, which the engine folds when it
    loads the network, are not. `cameras` is put in for the symbolic number of cameras.
    """
    model = onnx.load(path)
    for value in model.graph.input:
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param == "cameras":
                axis.dim_value = cameras
    del model.graph.value_info[:]
    model = shape_inference.infer_shapes(model, data_prop=True)
    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]
    }
    constants = {item.name for item in model.graph.initializer}
    for item in model.graph.initializer:
        shapes[item.name] = list(numpy_helper.to_array(item).shape)
    total: dict[str, float] = {"Conv": 0.0, "MatMul": 0.0, "Gemm": 0.0}
    for node in model.graph.node:
        if all(name in constants or not name for name in node.input):
            constants.update(node.output)
            continue
        if node.op_type == "Conv":
            weight = shapes[node.input[1]]
            total["Conv"] += 2e-9 * np.prod(shapes[node.output[0]]) * np.prod(weight[1:])
        elif node.op_type in ("MatMul", "Gemm"):
            inner = shapes[node.input[0]][-1]
            total[node.op_type] += 2e-9 * np.prod(shapes[node.output[0]]) * inner
    total["total"] = sum(total.values())
    return {name: float(value) for name, value in total.items()}


def parameters(path: Path) -> int:
    """Number of values in the file's initialisers."""
    return sum(int(np.prod(item.dims)) for item in onnx.load(path).graph.initializer)


def latency_ms(path: Path, cameras: int, threads: int, runs: int = 40) -> tuple[float, float]:
    """Median and 90th percentile of a run of `tiny` or a twin on ONNX Runtime's CPU provider."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = {item.name for item in session.get_inputs()}
    inputs = example_inputs(tiny_contract(), cameras)
    inputs = {name: value for name, value in inputs.items() if name in names}
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        session.run(None, inputs)
        times.append(1e3 * (time.perf_counter() - began))
    p50, p90 = np.percentile(times[3:], [50, 90])
    return float(p50), float(p90)
