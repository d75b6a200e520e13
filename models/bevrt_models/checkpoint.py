"""Weights on disk: checkpoints of a run, fp16 archives, and recovery from an exported network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from .network import AUXILIARY, BevNetwork


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes the whole state of a run; a reader sees the old file or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state that `save_checkpoint` wrote."""
    return torch.load(path, map_location="cpu", weights_only=True)


def save_archive(path: Path, weights: dict[str, Tensor]) -> None:
    """Weights alone, as fp16 arrays by name."""
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial, **{name: value.detach().half().cpu().numpy() for name, value in weights.items()}
    )
    os.replace(partial, path)


def weights_from(path: Path) -> dict[str, Tensor]:
    """Weights by state-dict name from a checkpoint (.pt, its averaged weights), an archive (.npz),
    an exported network (.onnx) or a package folder (its fp32 network).

    Raises ValueError for anything else.
    """
    if path.is_dir():
        networks = sorted(path.glob("*-fp32.onnx"))
        if len(networks) != 1:
            raise ValueError(f"{path}: expected one *-fp32.onnx, found {len(networks)}")
        path = networks[0]
    if path.suffix == ".pt":
        return load_checkpoint(path)["average"]
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return {name: torch.from_numpy(archive[name]).float() for name in archive.files}
    if path.suffix == ".onnx":
        return {
            item.name: torch.from_numpy(numpy_helper.to_array(item).copy())
            for item in onnx.load(path).graph.initializer
        }
    raise ValueError(f"{path}: expected .pt, .npz, .onnx or a package folder")


def load_weights(network: BevNetwork, weights: dict[str, Tensor]) -> None:
    """Puts weights into a network. Names that are no weights are passed over.

    Raises ValueError naming weights that are missing or have another shape; only counters of
    batches and what serves training alone may be missing.
    """
    state = network.state_dict()
    wrong = []
    for name, value in state.items():
        if name not in weights:
            if not name.endswith("num_batches_tracked") and not name.startswith(AUXILIARY):
                wrong.append(f"{name} is missing")
        elif weights[name].shape != value.shape:
            wrong.append(f"{name}: shape {list(weights[name].shape)}, expected {list(value.shape)}")
        else:
            state[name] = weights[name].to(value.dtype)
    if wrong:
        raise ValueError("weights do not fit the network: " + "; ".join(wrong[:8]))
    network.load_state_dict(state)
