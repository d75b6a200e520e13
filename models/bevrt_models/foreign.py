"""A foreign network: everything that `tiny` is not, as far as the contract allows.

Another grid, other channel and slot counts, four cameras, two heads, one lift with four weighted
taps and neither depth bins nor geometry, BGR input of another size, random weights. The runtime
must run its package; the raw outputs must equal those that Python's ONNX Runtime gives here for the
same inputs. It is built node by node with `onnx.helper`, as someone without our trainer would.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .config import OBJECT_CLASSES, BevGrid, Contract, Head, Lift, Preprocess, Queue
from .export import example_inputs, input_names, output_names
from .given import write_expected
from .package import NetworkFile, write_manifest

CAMERAS = 4
FEATURES = 12


def foreign_contract() -> Contract:
    """96 x 64 cells of 0.5 m, 16 channels, 2 slots of 0.4 s, heads on two different grids."""
    grid = BevGrid(-24.0, -16.0, 0.5, 96, 64)
    half = BevGrid(-24.0, -16.0, 1.0, 48, 32)
    objects = len(OBJECT_CLASSES) + 17
    return Contract(
        name="foreign",
        preprocess=Preprocess(
            width=160, height=64, crop_top=0.25, colour="bgr", mean=(104.0, 117.0, 123.0),
            std=(58.0, 57.0, 57.5),
        ),
        lifts=(Lift("ground", grid, (0.0, 1.2), stride=8, taps=4, geometry=False),),
        queue=Queue(grid, channels=16, slots=2, stride_s=0.4),
        heads=(
            Head("objects", half, OBJECT_CLASSES, (0.3,) * len(OBJECT_CLASSES), objects),
            Head("crosswalks", grid, ("crosswalk",), (0.3,), 9),
        ),
    )  # fmt: skip


class _Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(seed)

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def random(self, *shape: int, fan_in: int) -> str:
        values = self._random.normal(size=shape) * (2.0 / fan_in) ** 0.5
        return self.constant(values.astype(np.float32))

    def node(self, kind: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def reshape(self, value: str, shape: list[int], output: str | None = None) -> str:
        return self.node("Reshape", [value, self.constant(np.array(shape, np.int64))], output)

    def conv(self, value: str, inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> str:
        weight = self.random(outputs, inputs, kernel, kernel, fan_in=inputs * kernel * kernel)
        return self.node(
            "Conv", [value, weight], strides=[stride, stride], pads=[kernel // 2] * 4,
            kernel_shape=[kernel, kernel],
        )  # fmt: skip


def foreign_model(contract: Contract, seed: int = 7) -> onnx.ModelProto:
    """The network with random weights."""
    g = _Graph(seed)
    lift, queue = contract.lifts[0], contract.queue
    grid, levels, taps = lift.grid, len(lift.heights_m), lift.taps

    features = "images"
    for inputs, outputs in ((3, 8), (8, 12), (12, FEATURES)):
        features = g.node("LeakyRelu", [g.conv(features, inputs, outputs, stride=2)], alpha=0.1)
    rows = g.reshape(g.node("Transpose", [features], perm=[0, 2, 3, 1]), [-1, FEATURES])
    null = g.constant(np.zeros((1, FEATURES), np.float32))
    rows = g.node("Concat", [rows, null], axis=0)

    name = lift.name
    gathered = g.node("Gather", [rows, f"{name}_index"])
    weight = g.reshape(f"{name}_weight", [-1, 1])
    weighted = g.reshape(g.node("Mul", [gathered, weight]), [-1, taps, FEATURES])
    voxels = g.node(
        "ReduceSum", [weighted, g.constant(np.array([1], np.int64))], keepdims=0
    )  # fmt: skip
    columns = g.reshape(voxels, [grid.cells, levels * FEATURES])
    mixed = g.node(
        "MatMul", [columns, g.random(levels * FEATURES, queue.channels, fan_in=levels * FEATURES)]
    )
    bev = g.reshape(
        g.node("Tanh", [mixed]), [grid.rows, grid.cols, queue.channels], output="bev"
    )  # fmt: skip

    # Each slot counts by its validity, and less the older it is.
    valid, age = g.node("Split", ["history_state"], output="valid"), "age"
    g.nodes[-1].output.append(age)
    g.nodes[-1].attribute.append(helper.make_attribute("axis", 1))
    fading = g.node("Exp", [g.node("Neg", [age])])
    share = g.reshape(g.node("Mul", [valid, fading]), [1, 1, 1, queue.slots, 1])
    past = g.reshape("history", [1, grid.rows, grid.cols, queue.slots, queue.channels])
    past = g.reshape(
        g.node("Mul", [past, share]), [1, grid.rows, grid.cols, queue.slots * queue.channels]
    )
    now = g.reshape(bev, [1, grid.rows, grid.cols, queue.channels])
    joined = g.node("Concat", [now, past], axis=3)
    joined = g.node("Transpose", [joined], perm=[0, 3, 1, 2])
    width = queue.channels * (queue.slots + 1)
    body = g.node("Relu", [g.conv(joined, width, 16)])
    objects = contract.head("objects")
    g.node("Identity", [g.conv(body, 16, objects.channels, stride=2)], output="objects")
    g.node("Identity", [g.conv(body, 16, contract.head("crosswalks").channels)], "crosswalks")

    shapes = {key: list(value.shape) for key, value in example_inputs(contract, CAMERAS).items()}
    shapes["images"][0] = "cameras"
    outputs = {head.kind: [1, head.channels, head.grid.rows, head.grid.cols]
               for head in contract.heads}  # fmt: skip
    outputs["bev"] = [grid.rows, grid.cols, queue.channels]

    def info(key: str, shape: list) -> onnx.ValueInfoProto:
        kind = TensorProto.INT32 if key.endswith("_index") else TensorProto.FLOAT
        return helper.make_tensor_value_info(key, kind, shape)

    graph = helper.make_graph(
        g.nodes, contract.name,
        [info(key, shapes[key]) for key in input_names(contract)],
        [info(key, outputs[key]) for key in output_names(contract)], g.weights,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "somebody-else"
    onnx.checker.check_model(model, full_check=True)
    return model


def write_foreign(folder: Path) -> None:
    """Writes the package and `expected.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    contract = foreign_contract()
    entry = NetworkFile("foreign-fp32.onnx", "fp32", providers=("cpu",))
    onnx.save(foreign_model(contract), folder / entry.file)
    write_manifest(contract, folder, [entry])
    write_expected(contract, folder / entry.file, CAMERAS, decoded=None)
