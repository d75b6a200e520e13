"""Exports anybody's PyTorch module to an ONNX file that follows the contract.

Write a module whose `forward` takes the contract's inputs by name and returns its outputs by name,
fit your network into it, describe it by a `Contract`, then call `export_module` and
`package.write_manifest`. `bevdet_like.py` and `maptr_like.py` are templates.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from .config import Contract
from .export import (
    OPSET,
    PER_CAMERA,
    example_inputs,
    fix_output_shapes,
    fold_shapes,
    input_names,
    output_names,
    output_shapes,
)


class _Positional(nn.Module):
    """Takes inputs and gives outputs in the order of the contract, as the exporter wants them."""

    def __init__(self, module: nn.Module, contract: Contract) -> None:
        super().__init__()
        self.module = module
        self.inputs, self.outputs = input_names(contract), output_names(contract)

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        found = self.module(**dict(zip(self.inputs, values, strict=True)))
        return tuple(found[name] for name in self.outputs)


def export_module(module: nn.Module, contract: Contract, path: Path, cameras: int = 2) -> None:
    """Writes the ONNX file; the number of cameras stays symbolic.

    `module(**inputs) -> dict` with the names and shapes of `export.example_inputs` and
    `export.output_shapes`. Raises ValueError for an output of another shape, and for an input that
    the graph does not read: optimisers drop it, and the runtime would miss it.
    """
    graph = _Positional(module.eval(), contract)
    inputs = example_inputs(contract, cameras)
    tensors = tuple(torch.from_numpy(inputs[name]) for name in input_names(contract))
    with torch.no_grad():
        outputs = dict(zip(output_names(contract), graph(*tensors), strict=True))
    for name, shape in output_shapes(contract).items():
        if list(outputs[name].shape) != shape:
            raise ValueError(
                f"output {name}: shape {list(outputs[name].shape)}, the contract says {shape}"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph, tensors, path, input_names=input_names(contract),
            output_names=output_names(contract),
            dynamic_axes={name: {0: "cameras"} for name in PER_CAMERA if name in inputs},
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load(path)
    fold_shapes(model)
    fix_output_shapes(model, contract)
    lost = set(inputs) - {name for node in model.graph.node for name in node.input}
    if lost:
        raise ValueError(f"inputs that the graph does not read: {sorted(lost)}")
    model.producer_name, model.producer_version = "bevrt-models", contract.version
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
