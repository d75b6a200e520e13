"""Writes the example packages of the other families: random weights, golden cases, `expected.json`.

They are what `wrap.py` and the templates give someone who brings a network, and fixtures of the
runtime's tests.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .bevdet_like import BevDetLike, bevdet_like_contract
from .config import Contract
from .export import output_names
from .given import given_inputs, write_expected
from .golden import write_golden_steps
from .maptr_like import MapTrLike, maptr_like_contract
from .package import NetworkFile, write_manifest
from .package_run import Step
from .reference import decoded_sets
from .wrap import export_module

CAMERAS = 2
RIG = """\
format = 1
reference = "front"

[[camera]]
name = "front"
width = 64
height = 48
lens = "pinhole"
fx_px = 32.0
fy_px = 32.0
cx_px = 31.5
cy_px = 23.5

[camera.ego_from_cam]
translation_m = [1.5, 0.0, 1.5]
quaternion_wxyz = [0.5, -0.5, 0.5, -0.5]

[[camera]]
name = "back"
width = 64
height = 48
lens = "pinhole"
fx_px = 30.0
fy_px = 31.0
cx_px = 31.0
cy_px = 24.0

[camera.ego_from_cam]
translation_m = [-0.5, 0.1, 1.4]
quaternion_wxyz = [0.5, -0.5, -0.5, 0.5]
"""
"""Two cameras, ahead and behind."""


def write_bevdet_like(folder: Path) -> None:
    """Writes the package of `bevdet_like.py`."""
    contract = bevdet_like_contract()
    torch.manual_seed(3)
    _write(folder, contract, BevDetLike(contract))


def write_maptr_like(folder: Path) -> None:
    """Writes the package of `maptr_like.py`."""
    contract = maptr_like_contract()
    torch.manual_seed(5)
    network = MapTrLike(contract)
    with torch.no_grad():
        # As far apart as trained scores, so that thresholds have something to do.
        for head in (network.boxes, network.elements):
            head.scores.weight *= 6.0
        network.elements.mix.weight *= 2.0
    _write(folder, contract, network)


def _write(folder: Path, contract: Contract, network: torch.nn.Module) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    entry = NetworkFile(f"{contract.name}-fp32.onnx", "fp32", providers=("cpu",))
    path = folder / entry.file
    export_module(network, contract, path)
    write_manifest(contract, folder, [entry])
    write_golden_steps(folder, RIG, [_steps(contract)])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = output_names(contract)
    outputs = dict(
        zip(names, session.run(names, given_inputs(contract, CAMERAS)), strict=True)
    )  # fmt: skip
    write_expected(contract, path, CAMERAS, decoded_sets(contract, outputs))


def _steps(contract: Contract) -> list[Step]:
    """A drive around a bend, past smooth colours: one step more than the queue has slots."""
    count = contract.queue.slots + 1 if contract.queue else 1
    size = contract.preprocess
    v, u = np.meshgrid(np.arange(size.height), np.arange(size.width), indexing="ij")
    steps = []
    for number in range(count):
        phase = np.arange(CAMERAS * 3).reshape(CAMERAS, 3, 1, 1) + 0.7 * number
        levels = 128 + 90 * np.sin(0.13 * u + phase) * np.cos(0.21 * v - phase)
        turn = 0.06 * number
        pose = np.eye(4)
        pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        pose[:2, 3] = 3.1 * number, 0.2 * number
        steps.append(Step(np.rint(levels).astype(np.uint8), pose))
    return steps
