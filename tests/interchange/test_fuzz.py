"""Files damaged at random: a reader gives a VAEError or networks that fit, within two seconds and 512 MB.

torch.export takes up to a second to follow a network, so that a stand-in, which runs it once, does here what `capture`
does. What torch.export raises becomes a CheckpointError in `written_down`, whatever it is.
"""

import copy
import json
import resource
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.damage import damaged, fuzz
from vae.errors import VAEError
from vae.interchange import found, read_layers, read_network, read_pythae, read_weights
from vae.interchange.onnx import OPERATORS
from vae.model import Graph

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
EDGES = [-(2**63), -1, 0, 1, 2, 3, 64, 1000, 2**31, 2**62]
VALUES: list[Any] = [None, True, -1, 0, 1, 3, 64, 10**9, 0.5, "", "relu", "conv", "w", [], [1, 2], [10**6] * 3, {}]
BYTES = st.lists(
    st.tuples(st.sampled_from(["set", "flip", "cut", "drop", "repeat", "head"]), st.floats(0, 1), st.integers(0, 255)),
    min_size=1,
    max_size=6,
)
CHOICES = st.lists(st.integers(0, 10**6), min_size=4, max_size=12)


def stand_in(network: Callable[[Tensor], Any], example: Tensor) -> Graph:
    """A graph that gives zeros of the network's shapes, which is run once."""
    outputs = network(example)
    nodes, weights = [], []
    for at, output in enumerate(outputs if isinstance(outputs, tuple | list) else (outputs,)):
        nodes.append(["mm", [{"node": 0}, {"weight": at}], {}])
        weights.append(torch.zeros(example.shape[1], output.flatten(1).shape[1]))
    return Graph(nodes, [{"node": at + 1} for at in range(len(nodes))], weights)


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(found, "capture", stand_in)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's, on odd arguments
        yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 2**10


def sound(read: Callable[[], Any]) -> bool:
    """Tells whether a reader took a file; if it did not, it said why."""
    clock = time.process_time()
    try:
        read()
        return True
    except VAEError as error:
        assert 10 < len(str(error)) < 1000 and "\n" not in str(error)
        return False
    finally:
        assert time.process_time() - clock < 2


def network() -> Any:
    """An ONNX file of many operators, in a few hundred bytes."""
    onnx = pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")
    node, float32 = onnx.helper.make_node, onnx.TensorProto.FLOAT
    weights = {
        "k": np.ones((2, 1, 3, 3), np.float32),
        "w": np.ones((2, 3), np.float32),
        "c": np.ones(3, np.float32),
        "s": np.array([0, 2, -1]),
        "a": np.array([2]),
        "p": np.array([0, 1, 0, 1]),
        "f": np.array([1, 1, 2, 2], np.float32),
    }
    nodes = [
        node("Conv", ["x", "k"], ["1"], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Resize", ["1", "", "f"], ["2"]),
        node("MaxPool", ["2"], ["3"], kernel_shape=[2, 2]),
        node("Reshape", ["3", "s"], ["4"]),
        node("ReduceMean", ["4"], ["5"], axes=[2], keepdims=0),
        node("Gemm", ["5", "w", "c"], ["6"], alpha=0.5),
        node("Pad", ["6", "p"], ["7"]),
        node("Slice", ["7", "a", "p"], ["8"]),
        node("Tile", ["c", "a"], ["9"]),
        node("Softmax", ["7"], ["y"], axis=1),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "n",
        [onnx.helper.make_tensor_value_info("x", float32, ["N", 1, 4, 4])],
        [onnx.helper.make_tensor_value_info("y", float32, None)],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])


def test_onnx_files_with_changed_bytes() -> None:
    content = network().SerializeToString()
    assert sound(lambda: read_network(content))
    taken = []

    @fuzz(300)
    @given(BYTES)
    def one(done: list[tuple[str, float, int]]) -> None:
        taken.append(sound(lambda: read_network(damaged(content, done))))

    one()
    assert any(taken) and not all(taken)


def test_onnx_files_with_changed_nodes() -> None:
    names, taken = sorted(OPERATORS), []

    @fuzz(400)
    @given(CHOICES)
    def one(choices: list[int]) -> None:
        model = network()
        for kind, where, what, which in zip(*[iter(choices)] * 4, strict=False):
            node = model.graph.node[where % len(model.graph.node)]
            if kind % 4 == 0:
                node.op_type = names[what % len(names)]
            elif kind % 4 == 1 and node.input:
                node.input[what % len(node.input)] = ["x", "k", "w", "c", "s", "a", "p", "f", "", "5"][which % 10]
            elif kind % 4 == 2 and node.attribute:
                attribute = node.attribute[what % len(node.attribute)]
                attribute.i = EDGES[which % len(EDGES)]
                if attribute.ints:
                    attribute.ints[which % len(attribute.ints)] = attribute.i
            else:
                tensor = model.graph.initializer[4 + what % 3]  # the sizes
                values = np.frombuffer(tensor.raw_data, np.int64).copy()
                values[which % len(values)] = EDGES[where % len(EDGES)]
                tensor.raw_data = values.tobytes()
        taken.append(sound(lambda: read_network(model.SerializeToString())))

    one()
    assert any(taken) and not all(taken)


LAYERS: dict[str, Any] = {
    "latent": 2,
    "image": [4, 4],
    "likelihood": "bernoulli",
    "encoder": {
        "layers": [{"conv": "k", "stride": 2, "padding": 1}, {"batch_norm": "n", "epsilon": 0.1}, {"leaky_relu": 0.1}],
        "mean": "w",
        "log_variance": ["w", "tanh"],
    },
    "decoder": {
        "layers": ["v", "relu", {"reshape": [2, 2, 2]}, {"conv_transpose": "t", "stride": 2, "padding": 0}, "sigmoid"]
    },
}
SHAPES = {"k": (2, 1, 3, 3), "w": (2, 8), "v": (8, 2), "t": (2, 1, 2, 2)}
STATE = {f"{name}.weight": torch.ones(shape) for name, shape in SHAPES.items()}
STATE |= {f"n.{name}": torch.ones(2) for name in ("weight", "bias", "running_mean", "running_var")}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree of tables and lists."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def grafted(tree: Any, choices: list[int]) -> Any:
    """The tree with some of its values others, or gone, or twice there."""
    tree = copy.deepcopy(tree)
    for kind, where, what in zip(*[iter(choices)] * 3, strict=False):
        holder, key = (all_ := list(places(tree)) or [({}, "")])[where % len(all_)]
        if kind % 4 == 0 and holder:
            del holder[key]
        elif kind % 4 == 1 and isinstance(holder, list):
            holder[key:key] = copy.deepcopy([holder[key]] * (what % 9))
        else:
            holder[key] = copy.deepcopy(VALUES[what % len(VALUES)])
    return tree


def test_descriptions_with_changed_values() -> None:
    weights, taken = safetensors.torch.save(STATE), []
    assert sound(lambda: read_layers(weights, json.dumps(LAYERS)))

    @fuzz(400)
    @given(CHOICES)
    def one(choices: list[int]) -> None:
        taken.append(sound(lambda: read_layers(weights, json.dumps(grafted(LAYERS, choices)))))

    one()
    assert any(taken) and not all(taken)


def test_descriptions_with_changed_characters() -> None:
    weights = safetensors.torch.save(STATE)

    @fuzz(150)
    @given(BYTES)
    def one(done: list[tuple[str, float, int]]) -> None:
        text = damaged(json.dumps(LAYERS).encode(), done).decode("latin-1")
        sound(lambda: read_layers(weights, text))

    one()


@pytest.mark.parametrize("form", ["safetensors", "pt"])
def test_weights_with_changed_bytes(form: str, tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "w.pt")
    content = safetensors.torch.save(STATE) if form == "safetensors" else (tmp_path / "w.pt").read_bytes()
    taken = []

    @fuzz(300)
    @given(BYTES)
    def one(done: list[tuple[str, float, int]]) -> None:
        taken.append(sound(lambda: read_weights(damaged(content, done))))

    one()
    assert any(taken) and not all(taken)


def test_folders_of_pythae_with_changed_bytes_and_values(tmp_path: Path) -> None:
    folder = shutil.copytree(DATA / "pythae", tmp_path / "m")
    weights, config = (folder / "model.pt").read_bytes(), json.loads((folder / "model_config.json").read_text())
    assert sound(lambda: read_pythae(folder))
    taken = []

    @fuzz(200)
    @given(BYTES, CHOICES, st.booleans())
    def one(done: list[tuple[str, float, int]], choices: list[int], which: bool) -> None:
        (folder / "model.pt").write_bytes(damaged(weights, done) if which else weights)
        (folder / "model_config.json").write_text(json.dumps(config if which else grafted(config, choices)))
        taken.append(sound(lambda: read_pythae(folder)))

    one()
    assert any(taken) and not all(taken)
