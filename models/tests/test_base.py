"""`base` in miniature: its own contract, one step, package, engine. No GPU has ever run it."""

import tomllib

import numpy as np
import onnxruntime
import torch
from synthetic import stream

from bevrt_models import cost
from bevrt_models.__main__ import main
from bevrt_models.config import base_contract
from bevrt_models.export import example_inputs, output_shapes


def test_base_learns_a_step_and_its_package_runs(tmp_path):
    contract, run, package = base_contract(), tmp_path / "run", tmp_path / "base"
    assert (contract.preprocess.width, contract.preprocess.height) == (704, 256)
    recorded = tmp_path / "stream.bin"
    recorded.write_bytes(stream(drives=1, steps=1, contract=contract).getvalue())
    arguments = ["--network", "base", "--out"]
    assert main(["train", *arguments, str(run), "--steps", "1", "--batch", "1",
                 "--stream", str(recorded)]) == 0  # fmt: skip
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 1
    assert main(["package", str(run / "checkpoint.pt"), *arguments, str(package)]) == 0

    manifest = tomllib.loads((package / "manifest.toml").read_text())
    assert manifest["name"] == "base" and manifest["queue"]["channels"] == 48
    assert [manifest["preprocess"][side] for side in ("width", "height")] == [704, 256]
    file = package / manifest["network"][0]["file"]
    assert 5e6 < cost.parameters(file) < 8e6
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    shapes = output_shapes(contract)
    outputs = session.run(list(shapes), example_inputs(contract, cameras=6))
    for (name, shape), output in zip(shapes.items(), outputs, strict=True):
        assert list(output.shape) == shape and np.isfinite(output).all(), name
