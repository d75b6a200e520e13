"""The exported graph: contract, parity with PyTorch, recovery of weights."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from bevrt_models import checkpoint
from bevrt_models.batch import stack_tables
from bevrt_models.config import tiny_contract
from bevrt_models.cost import gigaflops
from bevrt_models.export import ContractGraph, example_inputs, export, input_names, output_names
from bevrt_models.network import AUXILIARY, BevNetwork

CONTRACT = tiny_contract()


def random_network(seed: int = 3) -> BevNetwork:
    """Weights and running statistics off their initial values, so that every path shows."""
    torch.manual_seed(seed)
    network = BevNetwork(CONTRACT)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif value.dim() == 1 and value.is_floating_point():
            value.add_(0.1 * torch.randn_like(value))
    torch.nn.init.normal_(network.fusion.state_gain.weight, std=0.1)
    torch.nn.init.normal_(network.fusion.state_bias.weight, std=0.1)
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    network = random_network()
    path = tmp_path_factory.mktemp("export") / "tiny-fp32.onnx"
    export(network, path)
    return network, path


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def test_inputs_and_outputs_are_those_of_the_contract(exported):
    _, path = exported
    run = session(path)
    shapes = {value.name: value.shape for value in run.get_inputs()}
    kinds = {value.name: value.type for value in run.get_inputs()}
    assert list(shapes) == [
        "images", "rays", "coarse_index", "coarse_depth_index", "coarse_geometry", "fine_index",
        "fine_geometry", "history", "history_state",
    ]  # fmt: skip
    assert shapes["images"] == ["cameras", 3, 128, 352]
    assert shapes["rays"] == ["cameras", 5, 16, 44]
    assert shapes["coarse_index"] == shapes["coarse_depth_index"] == [128 * 128 * 4]
    assert shapes["coarse_geometry"] == [128 * 128, 16]
    assert shapes["fine_index"] == [168 * 84 * 3] and shapes["fine_geometry"] == [168 * 84, 12]
    assert shapes["history"] == [1, 128, 128, 128] and shapes["history_state"] == [4, 2]
    assert {name for name, kind in kinds.items() if kind == "tensor(int32)"} == {
        "coarse_index", "coarse_depth_index", "fine_index"
    }  # fmt: skip
    assert {value.name: value.shape for value in run.get_outputs()} == {
        "bev": [128, 128, 32], "objects": [1, 25, 128, 128], "lanes": [1, 13, 168, 84],
        "arrows": [1, 14, 168, 84], "crosswalks": [1, 9, 168, 84], "stop_lines": [1, 8, 168, 84],
    }  # fmt: skip


@pytest.mark.parametrize("cameras", [6, 4])
def test_onnx_runtime_equals_pytorch_for_any_number_of_cameras(exported, cameras):
    network, path = exported
    inputs = example_inputs(CONTRACT, cameras, seed=cameras)
    with torch.no_grad():
        wanted = ContractGraph(network)(
            *(torch.from_numpy(inputs[name]) for name in input_names(CONTRACT))
        )
    got = session(path).run(output_names(CONTRACT), inputs)
    for name, a, b in zip(output_names(CONTRACT), wanted, got, strict=True):
        assert a.abs().max() > 0.0
        np.testing.assert_allclose(b, a.numpy(), atol=1e-4, err_msg=name)


def test_weights_come_back_from_the_onnx_file_and_from_its_folder(exported):
    network, path = exported
    for source in (path, path.parent):
        other = BevNetwork(CONTRACT)
        checkpoint.load_weights(other, checkpoint.weights_from(source))
        for name, value in network.state_dict().items():
            if not name.endswith("num_batches_tracked") and not name.startswith(AUXILIARY):
                assert torch.equal(other.state_dict()[name], value), name


def test_weights_of_equal_values_keep_their_names(tmp_path):
    path = tmp_path / "fresh-fp32.onnx"
    export(BevNetwork(CONTRACT), path)
    checkpoint.load_weights(BevNetwork(CONTRACT), checkpoint.weights_from(path))


def test_weights_that_do_not_fit_are_named():
    weights = dict(BevNetwork(CONTRACT).state_dict())
    del weights["fusion.past"]
    weights["queue_map.bias"] = torch.zeros(5)
    with pytest.raises(ValueError, match=r"queue_map.bias: shape \[5\].*fusion.past is missing"):
        checkpoint.load_weights(BevNetwork(CONTRACT), weights)


def test_an_archive_holds_the_weights_in_half_precision(tmp_path):
    network = random_network()
    checkpoint.save_archive(tmp_path / "w.npz", network.state_dict())
    weights = checkpoint.weights_from(tmp_path / "w.npz")
    torch.testing.assert_close(
        weights["fusion.past"], network.fusion.past.data, atol=1e-3, rtol=1e-3
    )


def test_the_network_stays_within_its_budget(exported):
    cost = gigaflops(exported[1], cameras=6)
    assert 10.0 < cost["total"] <= 14.0, cost


def test_the_graph_computes_no_shapes_and_moves_only_what_it_must(exported):
    graph = onnx.load(exported[1]).graph
    stored = {item.name for item in graph.initializer}
    # What widens stored weights is folded when the engine loads.
    kinds = [
        node.op_type for node in graph.node if node.op_type != "Cast" or node.input[0] not in stored
    ]
    assert not {"Shape", "Constant", "Cast", "Identity", "Loop", "If"} & set(kinds)
    # Rows of two feature maps and of depth, two planes; three transpose weights at load.
    assert kinds.count("Transpose") <= 8


def test_stacked_samples_give_what_each_gives_alone():
    network = random_network()
    samples = [example_inputs(CONTRACT, 6, seed) for seed in (1, 2)]

    def run(chosen):
        tables = stack_tables(CONTRACT, chosen, 6)
        images = torch.from_numpy(np.concatenate([s["images"] for s in chosen]))
        history = torch.from_numpy(np.concatenate([s["history"] for s in chosen]))
        state = torch.from_numpy(np.stack([s["history_state"] for s in chosen]))
        with torch.no_grad():
            return network(images, tables, history.reshape(len(chosen), 16384, -1), state)

    together = run(samples)
    for index, sample in enumerate(samples):
        alone = run([sample])
        for name in output_names(CONTRACT):
            torch.testing.assert_close(
                together[name][index], alone[name][0], atol=1e-4, rtol=1e-4
            )  # fmt: skip


def test_training_and_evaluation_agree_once_the_statistics_do():
    """The matrices with folded norms must compute what norm after matrix computes."""
    network = random_network()
    inputs = example_inputs(CONTRACT, 6)
    arguments = (
        torch.from_numpy(inputs["images"]), stack_tables(CONTRACT, [inputs], 6),
        torch.from_numpy(inputs["history"]).reshape(1, 16384, -1),
        torch.from_numpy(inputs["history_state"])[None],
    )  # fmt: skip
    with torch.no_grad():
        folded = network(*arguments)
        # Training paths of lift and fusion, but norms by their running statistics.
        for module in (network.coarse_lift, network.fine_lift, network.fusion):
            module.training = True
        plain = network(*arguments)
    for name in output_names(CONTRACT):
        torch.testing.assert_close(plain[name], folded[name], atol=1e-4, rtol=1e-4)


def test_an_invalid_slot_changes_nothing_whatever_its_age():
    network = random_network()
    inputs = example_inputs(CONTRACT, 6)
    inputs["history"] = np.zeros_like(inputs["history"])
    graph = ContractGraph(network)

    def run(state):
        values = inputs | {"history_state": state.astype(np.float32)}
        with torch.no_grad():
            outputs = graph(*(torch.from_numpy(values[name]) for name in input_names(CONTRACT)))
        return outputs[1]

    empty = np.zeros((4, 2))
    aged = np.array([[0, 0.5], [0, 1.0], [0, 0], [0, 7.0]])
    assert torch.equal(run(empty), run(aged))
