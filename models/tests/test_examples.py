import json
import tomllib

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from bevrt_models import families, foreign
from bevrt_models.bevdet_like import BevDetLike, bevdet_like_contract
from bevrt_models.given import given_inputs
from bevrt_models.maptr_like import MapTrLike, maptr_like_contract
from bevrt_models.wrap import export_module

EXAMPLES = {
    "foreign": (foreign.write_foreign, foreign.foreign_contract, foreign.CAMERAS),
    "bevdet_like": (families.write_bevdet_like, bevdet_like_contract, families.CAMERAS),
    "maptr_like": (families.write_maptr_like, maptr_like_contract, families.CAMERAS),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request, tmp_path_factory):
    """(folder, contract, cameras, session) of each example package."""
    write, contract, cameras = EXAMPLES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    write(folder)
    network = next(folder.glob("*.onnx"))
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return folder, contract(), cameras, session


def test_the_package_is_small_and_its_expected_outputs_hold(example):
    folder, contract, cameras, session = example
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) < 300_000
    inputs = given_inputs(contract, cameras)
    assert inputs["images"].shape[0] == cameras
    expected = json.loads((folder / "expected.json").read_text())["outputs"]
    got = session.run([item["name"] for item in expected], inputs)
    for item, output in zip(expected, got, strict=True):
        assert list(output.shape) == item["shape"] and output.std() > 1e-3
        values = output.reshape(-1)[item["position"]]
        np.testing.assert_allclose(values, item["value"], atol=1e-5)


def test_the_network_heeds_every_input(example):
    _, contract, cameras, session = example
    inputs = given_inputs(contract, cameras)
    before = session.run(None, inputs)
    for name, value in inputs.items():
        changed = np.roll(value.reshape(-1), 1).reshape(value.shape)
        if name == "camera_valid":
            changed = np.array([1.0, 0.0], np.float32)
        after = session.run(None, inputs | {name: changed})
        moved = max(np.abs(a - b).max() for a, b in zip(after, before, strict=True))
        assert moved > 1e-6, name


def test_the_manifest_names_the_families(example):
    folder, contract, _, _ = example
    manifest = tomllib.loads((folder / "manifest.toml").read_text())
    if contract.name == "foreign":
        assert manifest["lift"][0]["taps"] == 4 and not manifest["lift"][0]["geometry"]
        assert "matrices" not in manifest and "alignment" not in manifest["queue"]
        return
    assert manifest["matrices"]["largest_distortion_px"] == 1.0 and "lift" not in manifest
    assert manifest["golden"]["file"] == "golden.json"
    if contract.name == "bevdet_like":
        assert manifest["queue"]["alignment"] == "graph"
    else:
        boxes, elements = manifest["head"]
        assert boxes["form"] == elements["form"] == "queries" and "grid" not in boxes
        assert elements["elements"][2:4] == ["crosswalk", "stop_line"]


def test_history_aligned_in_the_graph_is_that_of_the_runtime():
    """The aligner of the template reads what the Python twin of the runtime's aligner reads."""
    from bevrt_models import align
    from bevrt_models.in_graph import HistoryAligner

    queue = bevdet_like_contract().queue
    grid = queue.grid
    history = torch.randn(1, grid.rows, grid.cols, queue.slots * queue.channels)
    motions, poses = np.tile(np.eye(3, dtype=np.float32), (queue.slots, 1, 1)), []
    for slot, turn in enumerate((0.3, -1.1)):
        pose = np.eye(4)
        pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        pose[:2, 3] = 3.0 + slot, -1.5
        poses.append(pose)
        motions[slot, :2] = pose[np.ix_([0, 1], [0, 1, 3])]
    found = HistoryAligner(grid, queue.slots)(history, torch.from_numpy(motions))
    for slot, pose in enumerate(poses):
        first = slot * queue.channels
        past = history[0, :, :, first : first + queue.channels].contiguous()
        expected = align.warp(grid, past, align.index_affine(grid, pose))
        np.testing.assert_allclose(found[slot].permute(1, 2, 0), expected, atol=1e-4)


def test_the_lift_by_matrices_reads_where_a_point_is_seen():
    from bevrt_models.export import example_matrices
    from bevrt_models.in_graph import MatrixLift

    contract = bevdet_like_contract()
    grid, size = contract.queue.grid, contract.preprocess
    lift = MatrixLift(grid, (1.5,), (size.height, size.width), (1.0, 33.0), 8)
    # One camera straight ahead; every feature holds its own column, every depth is as likely.
    features = torch.arange(8.0).expand(1, 1, 4, 8)
    depth = torch.ones(1, 8, 4, 8)
    given = example_matrices(contract, 1)
    matrices = [torch.from_numpy(value).float() for value in given.values()]
    lifted = lift(features, depth, *matrices)[0, 0]
    ahead, left, behind = (19, 8), (16, 12), (2, 8)
    # 14 m ahead of the camera and 1 m to the left: 32 * (-1 / 14) pixels from the middle.
    pixel = 31.5 - 32.0 / 14.0
    assert abs(lifted[ahead] - ((pixel + 0.5) / 8.0 - 0.5)) < 1e-4
    assert lifted[left] == 0.0 and lifted[behind] == 0.0
    lost = [matrices[0], matrices[1], torch.zeros(1)]
    assert lift(features, depth, *lost).abs().max() == 0.0


def test_an_input_without_effect_is_refused(tmp_path):
    class Blind(BevDetLike):
        def forward(self, history_from_now, **inputs):
            still = torch.eye(3).expand(2, 3, 3)
            return super().forward(history_from_now=still, **inputs)

    contract = bevdet_like_contract()
    with pytest.raises(ValueError, match="history_from_now"):
        export_module(Blind(contract), contract, tmp_path / "blind.onnx")


def test_an_output_of_another_shape_is_refused(tmp_path):
    class Short(MapTrLike):
        def forward(self, **inputs):
            outputs = super().forward(**inputs)
            return outputs | {"map_points": outputs["map_points"][:, :, :-1]}

    contract = maptr_like_contract()
    with pytest.raises(ValueError, match=r"map_points: shape \[1, 32, 19, 2\]"):
        export_module(Short(contract), contract, tmp_path / "short.onnx")


def test_exported_networks_are_static_but_for_the_cameras(example):
    folder, _, _, _ = example
    model = onnx.load(next(folder.glob("*.onnx")))
    assert model.opset_import[0].version == 17
    for value in [*model.graph.input, *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        symbols = [(place, dim.dim_param) for place, dim in enumerate(dims) if dim.dim_param]
        assert symbols in ([], [(0, "cameras")]), value.name
