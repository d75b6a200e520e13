"""Exports a network to ONNX with exactly the inputs and outputs of the contract.

Weights keep their state-dict names as initialisers, and batch norms stay separate nodes (the
engine folds them when it loads), so that training can go on from the shipped file alone.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from . import config
from .config import Contract
from .network import AUXILIARY, BevNetwork

OPSET = 17
MATRICES = ("intrinsics", "ego_from_cam", "camera_valid")
"""Inputs of a network that takes the cameras as matrices."""
PER_CAMERA = ("images", "rays", *MATRICES)
"""Inputs whose first dimension is the number of cameras."""


def input_names(contract: Contract) -> list[str]:
    """Names of the network's inputs, in order."""
    names = ["images"] + (["rays"] if contract.ray_stride else [])
    for lift in contract.lifts:
        names.append(f"{lift.name}_index")
        if lift.taps > 1:
            names.append(f"{lift.name}_weight")
        if lift.depth_bins is not None:
            names.append(f"{lift.name}_depth_index")
        if lift.geometry:
            names.append(f"{lift.name}_geometry")
    if contract.largest_distortion_px is not None:
        names += MATRICES
    if contract.queue:
        names += ["history", "history_state"]
        names += ["history_from_now"] if contract.queue.alignment == "graph" else []
    return names


def output_names(contract: Contract) -> list[str]:
    """Names of the network's outputs, in order."""
    return list(output_shapes(contract))


def output_shapes(contract: Contract) -> dict[str, list[int]]:
    """Shape of each output of the network, by name, in order."""
    shapes = {}
    if contract.queue:
        grid = contract.queue.grid
        shapes["bev"] = [grid.rows, grid.cols, contract.queue.channels]
    for head in contract.heads:
        shapes |= head.output_shapes()
    return shapes


class ContractGraph(nn.Module):
    """One sample, the contract's shapes in and out."""

    def __init__(self, network: BevNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Inputs in the order of `input_names`, outputs in the order of `output_names`."""
        contract = self.network.contract
        queue = contract.queue
        inputs = dict(zip(input_names(contract)[1:], rest, strict=True))
        history = inputs.pop("history").reshape(1, queue.grid.cells, -1)
        state = inputs.pop("history_state").reshape(1, queue.slots, 2)
        outputs = self.network(images, inputs, history, state)
        bev = outputs["bev"].reshape(queue.grid.rows, queue.grid.cols, queue.channels)
        return (bev, *(outputs[head.kind] for head in contract.heads))


def example_inputs(contract: Contract, cameras: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Random inputs of the right shapes, with some null indices, by name."""
    random = np.random.default_rng(seed)
    size = contract.preprocess
    inputs = {"images": random.normal(size=(cameras, 3, size.height, size.width))}
    if contract.ray_stride:
        rows, cols = size.height // contract.ray_stride, size.width // contract.ray_stride
        inputs["rays"] = random.normal(size=(cameras, config.RAY_CHANNELS, rows, cols))
    for lift in contract.lifts:
        rows = cameras * (size.height // lift.stride) * (size.width // lift.stride)
        voxels = lift.grid.cells * len(lift.heights_m)
        index = random.integers(0, rows, voxels * lift.taps)
        null = random.random(voxels * lift.taps) < 0.3
        inputs[f"{lift.name}_index"] = np.where(null, rows, index).astype(np.int32)
        if lift.taps > 1:
            weight = random.random(voxels * lift.taps)
            inputs[f"{lift.name}_weight"] = np.where(null, 0.0, weight)
        if lift.depth_bins is not None:
            bins = lift.depth_bins.count
            depth_index = index[:: lift.taps] * bins + random.integers(0, bins, voxels)
            inputs[f"{lift.name}_depth_index"] = np.where(
                null[:: lift.taps], rows * bins, depth_index
            ).astype(np.int32)
        if lift.geometry:
            geometry = random.uniform(-0.5, 0.5, (voxels, 4)) * ~null[:: lift.taps, None]
            inputs[f"{lift.name}_geometry"] = geometry.reshape(lift.grid.cells, -1)
    if contract.largest_distortion_px is not None:
        inputs |= example_matrices(contract, cameras)
    if contract.queue:
        queue = contract.queue
        shape = (1, queue.grid.rows, queue.grid.cols, queue.slots * queue.channels)
        inputs["history"] = random.random(shape)
        ages = queue.stride_s * np.arange(1, queue.slots + 1)
        inputs["history_state"] = np.stack([np.ones(queue.slots), ages], axis=1)
        if queue.alignment == "graph":
            # Straight ahead at 5 m/s with a slight turn to the left.
            turn = 0.1 * ages
            motions = np.tile(np.eye(3), (queue.slots, 1, 1))
            motions[:, 0, 0] = motions[:, 1, 1] = np.cos(turn)
            motions[:, 1, 0], motions[:, 0, 1] = np.sin(turn), -np.sin(turn)
            motions[:, 0, 2] = 5.0 * ages
            inputs["history_from_now"] = motions
    return {
        name: value if value.dtype == np.int32 else value.astype(np.float32)
        for name, value in inputs.items()
    }


def example_matrices(contract: Contract, cameras: int) -> dict[str, np.ndarray]:
    """Level cameras all around, 90 degrees wide, 1.5 m high; all valid."""
    width, height = contract.preprocess.width, contract.preprocess.height
    intrinsics = np.array(
        [[width / 2, 0, (width - 1) / 2], [0, width / 2, (height - 1) / 2], [0, 0, 1]]
    )
    # Columns: where the camera's right, down and forward axes point in ego.
    forward_camera = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    poses = np.tile(np.eye(4), (cameras, 1, 1))
    for camera, yaw in enumerate(2 * np.pi * np.arange(cameras) / cameras):
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        poses[camera, :3, :3] = turn @ forward_camera
        poses[camera, :3, 3] = np.cos(yaw), np.sin(yaw), 1.5
    return {"intrinsics": np.tile(intrinsics, (cameras, 1, 1)), "ego_from_cam": poses,
            "camera_valid": np.ones(cameras)}  # fmt: skip


def export(network: BevNetwork, path: Path, cameras: int = 6) -> None:
    """Writes the ONNX file. The number of cameras stays symbolic (`cameras`).

    Weights are stored in 16 bit, which halves the package, and widened by the engine when it
    loads; `network` itself is rounded to them, so that it stays the exported one.
    """
    network.eval()
    round_to_half(network)
    contract = network.contract
    inputs = example_inputs(contract, cameras)
    graph = ContractGraph(network).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph, tuple(torch.from_numpy(inputs[name]) for name in input_names(contract)),
            path, input_names=input_names(contract), output_names=output_names(contract),
            dynamic_axes={name: {0: "cameras"} for name in PER_CAMERA}, opset_version=OPSET,
            dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
        )  # fmt: skip
    model = onnx.load(path)
    _keep_names(model, network)
    fold_shapes(model)
    fix_output_shapes(model, contract)
    _store_as_half(model, {name for name, value in network.named_parameters() if is_large(value)})
    model.producer_name, model.producer_version = "bevrt-models", contract.version
    model.doc_string = f"{contract.name} {contract.version}, world {contract.world}"
    onnx.checker.check_model(model)
    onnx.save(model, path)


def is_large(weight: Tensor) -> bool:
    """Whether a weight is stored in 16 bit: kernels and matrices, not biases and norms."""
    return weight.dim() > 1 and weight.numel() >= 1024


def round_to_half(network: BevNetwork) -> None:
    """Rounds the large weights to values of 16 bit."""
    with torch.no_grad():
        for value in network.parameters():
            if is_large(value):
                value.copy_(value.half().float())


def _store_as_half(model: onnx.ModelProto, names: set[str]) -> None:
    """Stores these initialisers in 16 bit, each followed by a Cast that the engine folds."""
    graph = model.graph
    casts = []
    for item in graph.initializer:
        if item.name in names:
            half = numpy_helper.to_array(item).astype(np.float16)
            item.CopyFrom(numpy_helper.from_array(half, item.name))
            wide = f"{item.name}.f32"
            casts.append(
                onnx.helper.make_node("Cast", [item.name], [wide], to=onnx.TensorProto.FLOAT)
            )
            for node in graph.node:
                for slot, name in enumerate(node.input):
                    if name == item.name:
                        node.input[slot] = wide
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _keep_names(model: onnx.ModelProto, network: BevNetwork) -> None:
    """Makes every weight an initialiser under its state-dict name.

    The exporter merges weights of equal values through Identity nodes; those become copies again.
    Raises ValueError if a weight did not reach the graph.
    """
    prefix = "network."
    graph = model.graph
    stored = {item.name: item for item in graph.initializer}
    merged = [node for node in graph.node if node.op_type == "Identity"]
    for node in merged:
        if node.input[0] in stored and node.output[0].startswith(prefix):
            twin = graph.initializer.add()
            twin.CopyFrom(stored[node.input[0]])
            twin.name = node.output[0]
            graph.node.remove(node)
    for node in graph.node:
        for slot, name in enumerate(node.input):
            node.input[slot] = name.removeprefix(prefix)
    for item in graph.initializer:
        item.name = item.name.removeprefix(prefix)
    names = {item.name for item in graph.initializer}
    lost = [name for name in network.state_dict()
            if name not in names and not name.endswith("num_batches_tracked")
            and not name.startswith(AUXILIARY)]  # fmt: skip
    if lost:
        raise ValueError(f"weights did not reach the exported graph: {lost}")


def fold_shapes(model: onnx.ModelProto) -> None:
    """Turns constant nodes, and small nodes that depend on them alone, into initialisers.

    What the exporter computes of shapes and scales at run time is known now; a graph without it is
    easier to read, to infer shapes of and to quantise. Arithmetic on weights stays as it is.
    """
    graph = model.graph
    weights = {item.name for item in graph.initializer}
    known: dict[str, np.ndarray] = {}
    kept = []
    for node in graph.node:
        names = [name for name in node.input if name]
        if node.op_type == "Constant" or (names and all(name in known for name in names)):
            single = onnx.helper.make_graph(
                [node], "fold", [],
                [onnx.helper.make_empty_tensor_value_info(name) for name in node.output],
            )  # fmt: skip
            for name in names:
                single.initializer.append(numpy_helper.from_array(known[name], name))
            values = ReferenceEvaluator(
                onnx.helper.make_model(single, opset_imports=model.opset_import)
            ).run(None, {})
            known |= {name: np.asarray(v) for name, v in zip(node.output, values, strict=True)}
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    del graph.node[:]
    graph.node.extend(kept)
    for name in sorted(used & known.keys() - weights):
        graph.initializer.append(numpy_helper.from_array(known[name], name))
    for item in [item for item in graph.initializer if item.name not in used]:
        graph.initializer.remove(item)


def fix_output_shapes(model: onnx.ModelProto, contract: Contract) -> None:
    """States every output's static shape."""
    shapes = output_shapes(contract)
    for value in model.graph.output:
        axes = value.type.tensor_type.shape
        del axes.dim[:]
        for size in shapes[value.name]:
            axes.dim.add().dim_value = size
