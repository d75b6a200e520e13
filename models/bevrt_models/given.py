"""Inputs that any side can make again, and what Python's ONNX Runtime gives for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime

from .config import Contract
from .export import MATRICES, example_inputs, input_names, output_names

SAMPLES_AN_OUTPUT = 256
SPELLED_OUT = (*MATRICES, "history_from_now")
"""Inputs that must mean something: they stand in `expected.json` value by value."""


def given_inputs(contract: Contract, cameras: int) -> dict[str, np.ndarray]:
    """Inputs that need no random generator to be made again, by name.

    Element i of an f32 input is ((i * 37 + 11 * k) mod 127) / 127 - 0.3, worked out in f64, with k
    the input's place in the order of the contract; of an index (i * 31 + k) mod (null + 1).
    history_state is (1, stride (slot + 1)); what stands in `given` is as it stands there.
    """
    inputs = example_inputs(contract, cameras)
    size = contract.preprocess
    strides = {f"{lift.name}_index": lift.stride for lift in contract.lifts}
    for place, name in enumerate(input_names(contract)):
        shape, count = inputs[name].shape, np.arange(inputs[name].size, dtype=np.int64)
        if name in strides:
            rows = cameras * (size.height // strides[name]) * (size.width // strides[name])
            inputs[name] = ((count * 31 + place) % (rows + 1)).astype(np.int32).reshape(shape)
        elif name not in ("history_state", *SPELLED_OUT):
            values = ((count * 37 + 11 * place) % 127) / 127.0 - 0.3
            inputs[name] = values.astype(np.float32).reshape(shape)
    return inputs


def write_expected(contract: Contract, network: Path, cameras: int, decoded: dict | None) -> None:
    """Writes `expected.json` beside the network: its outputs for `given_inputs` at sampled
    positions, and what an independent decoder makes of them."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    names, inputs = output_names(contract), given_inputs(contract, cameras)
    outputs = session.run(names, inputs)
    given = {name: [float(value) for value in inputs[name].reshape(-1)]
             for name in SPELLED_OUT if name in inputs}  # fmt: skip
    expected = {
        "cameras": cameras,
        "inputs": " ".join((given_inputs.__doc__ or "").split()),
        "given": given,
        "outputs": [_sampled(name, output) for name, output in zip(names, outputs, strict=True)],
    }
    if decoded is not None:
        expected["decoded"] = decoded
    (network.parent / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def _sampled(name: str, output: np.ndarray) -> dict:
    step = max(output.size // SAMPLES_AN_OUTPUT, 1)
    positions = np.arange(0, output.size, step)[:SAMPLES_AN_OUTPUT]
    return {
        "name": name, "shape": list(output.shape), "position": positions.tolist(),
        "value": [float(value) for value in output.reshape(-1)[positions]],
        "mean": float(output.mean()), "std": float(output.std()),
    }  # fmt: skip
