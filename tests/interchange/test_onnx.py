"""Networks in ONNX files as programs write them, and files that are refused."""

import io
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae.errors import CheckpointError
from vae.interchange import read_network, read_onnx
from vae.interchange.onnx import Network

pytestmark = pytest.mark.slow

onnx = pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")
pytest.importorskip("onnxscript", reason="onnxscript (requirements-extra.txt)")
helper, numpy_helper, FLOAT = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT


class Encoder(nn.Module):
    """The batch taken from the shape, channels in groups, two heads."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 4, 4, 2, 1),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 6, 3, 2, 1),
            nn.GroupNorm(2, 6),
            nn.GELU(),
            nn.Dropout(),
        )
        self.mean, self.log_variance = nn.Linear(54, 2), nn.Linear(54, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x).view(x.size(0), -1)
        return self.mean(h), self.log_variance(h)


class Decoder(nn.Module):
    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2, 54), nn.LayerNorm(54), nn.SiLU())
        self.last = nn.Sequential(
            nn.ConvTranspose2d(6, 4, 4, 2, 1),
            nn.InstanceNorm2d(4, affine=True),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4, channels, 3, 1, 1),
            nn.Sigmoid(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.last(self.first(z).reshape(z.shape[0], 6, 3, 3))


def exported(network: nn.Module, example: Tensor, opset: int, *, new: bool, fixed: bool = False) -> bytes:
    """A network as PyTorch's exporters write it, the new one or the older, for any number of images or for so many."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if new:
            shapes = None if fixed else ({0: torch.export.Dim.DYNAMIC},)
            program = torch.onnx.export(
                network.eval(), (example,), dynamo=True, opset_version=opset, dynamic_shapes=shapes, verbose=False
            )
            return program.model_proto.SerializeToString()
        axes = {} if fixed else {"x": {0: "n"}}
        torch.onnx.export(
            network.eval(), (example,), file, dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes=axes
        )
    return file.getvalue()


def learned(network: nn.Module, example: Tensor) -> nn.Module:
    """Running averages that are not those of an untrained network."""
    network.train()(example)
    return network.eval()


@pytest.mark.parametrize(
    ("new", "opset", "channels", "fixed"),
    [
        (True, 18, 1, False),
        (True, 23, 3, False),
        (True, 20, 1, True),
        (False, 11, 3, False),
        (False, 17, 1, True),
        (False, 20, 1, False),
    ],
)
def test_networks_that_pytorch_exported_give_what_they_gave(new: bool, opset: int, channels: int, fixed: bool) -> None:
    x, z = torch.rand(5, channels, 12, 12), torch.randn(5, 2)
    encoder, decoder = learned(Encoder(channels), x), learned(Decoder(channels), z)
    rows = 1 if fixed else 2
    found = read_onnx(
        exported(encoder, x[:rows], opset, new=new, fixed=fixed),
        exported(decoder, z[:rows], opset, new=new, fixed=fixed),
    )
    assert (found.latent, found.gives, found.likelihood) == (2, "probabilities", "bernoulli")
    assert found.image_shape == ((12, 12) if channels == 1 else (12, 12, 3))
    for ours, theirs in zip(found.encoder(x.permute(0, 2, 3, 1).flatten(1)), encoder(x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.decoder(z)[0], decoder(z).permute(0, 2, 3, 1).flatten(1), rtol=1e-4, atol=1e-5)


def built(
    nodes: list[Any],
    weights: dict[str, Any] | None = None,
    row: Any = (4,),
    outputs: tuple[str, ...] = ("y",),
    opset: int = 17,
    change: Callable[[Any], None] = lambda model: None,
) -> bytes:
    """A file with these nodes, from x to y."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", FLOAT, ["n", *row])],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    change(model)
    return model.SerializeToString()


def node(operator: str, inputs: str, outputs: str = "y", **attributes: Any) -> Any:
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def test_a_network_of_keras_has_its_channels_last_and_computes_its_sizes() -> None:
    # as tf2onnx writes Conv2D, Flatten and Dense: a Transpose on both sides, and Reshape to [batch, product]
    kernel, dense = np.random.default_rng(0).normal(size=(2, 3, 3, 3)), np.random.default_rng(1).normal(size=(32, 2))
    content = built(
        [
            node("Transpose", "x", "first", perm=[0, 3, 1, 2]),
            node("Conv", "first kernel", "planes", auto_pad="SAME_UPPER", strides=[2, 2]),
            node("Relu", "planes", "active"),
            node("Transpose", "active", "last", perm=[0, 2, 3, 1]),
            node("Shape", "last", "shape"),
            node("Cast", "shape", "cast", to=6),
            node("Slice", "cast zero one zero", "batch"),
            node("Concat", "batch rest", "sizes", axis=0),
            node("Cast", "sizes", "wide", to=7),
            node("Reshape", "last wide", "flat"),
            node("MatMul", "flat dense"),
        ],
        {
            "kernel": kernel.astype(np.float32),
            "dense": dense.astype(np.float32),
            "zero": np.array([0], np.int64),
            "one": np.array([1], np.int64),
            "rest": np.array([32], np.int32),
        },
        row=(8, 8, 3),
    )
    x = torch.rand(4, 8, 8, 3)
    network = Network(content)
    assert network.takes.image_shape == (8, 8, 3)
    padded = nn.functional.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1))
    planes = nn.functional.conv2d(padded, torch.tensor(kernel).float(), stride=2).relu()
    torch.testing.assert_close(
        read_network(content)(x.flatten(1))[0],
        planes.permute(0, 2, 3, 1).flatten(1) @ torch.tensor(dense).float(),
        rtol=1e-5,
        atol=1e-5,
    )


def test_sizes_are_computed_as_programs_do() -> None:
    # torch writes expand() as Where(Equal(sizes, -1), 1, sizes), and halves with Div, Floor and Cast
    content = built(
        [
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "batch", axis=0),
            node("Gather", "shape one", "width", axis=0),
            node("Div", "width two", "half"),
            node("Cast", "half", "real", to=1),
            node("Floor", "real", "floor"),
            node("Cast", "floor", "count", to=7),
            node("Mul", "count two", "even"),
            node("Unsqueeze", "batch zeros", "batches"),
            node("Unsqueeze", "even zeros", "evens"),
            node("Concat", "batches evens", "sizes", axis=0),
            node("ConstantOfShape", "length", "ones", value=helper.make_tensor("v", 7, [1], [1])),
            node("Equal", "sizes minus", "where"),
            node("Where", "where ones sizes", "asked"),
            node("Reshape", "x asked", "same"),
            node("Split", "same", "left right", axis=1),
            node("Sub", "left right"),
        ],
        {
            "zero": np.int64(0),
            "one": np.int64(1),
            "two": np.int64(2),
            "zeros": np.array([0], np.int64),
            "length": np.array([2], np.int64),
            "minus": np.array([-1], np.int64),
        },
    )
    x = torch.rand(3, 4)
    torch.testing.assert_close(read_network(content)(x)[0], x[:, :2] - x[:, 2:])


def test_paddings_are_computed_as_a_table_of_sizes() -> None:
    # as by PyTorch's older exporter, which Keras uses and which reverses the sides: 2 before the last one, 1 after
    content = built(
        [
            node("Shape", "x", "shape"),
            node("Slice", "shape one two", "width"),  # [4]
            node("Sub", "width two", "before"),
            node("Concat", "before one", "given", axis=0),
            node("Shape", "given", "length"),
            node("Sub", "four length", "missing"),
            node("ConstantOfShape", "missing", "rest", value=helper.make_tensor("v", 7, [1], [0])),
            node("Concat", "given rest", "all", axis=0),
            node("Reshape", "all rows", "table"),
            node("Slice", "table last first zero last", "turned"),
            node("Transpose", "turned", "sides", perm=[1, 0]),
            node("Reshape", "sides last", "pads"),
            node("Pad", "x pads"),
        ],
        {
            "one": np.array([1], np.int64),
            "two": np.array([2], np.int64),
            "four": np.array([4], np.int64),
            "rows": np.array([-1, 2], np.int64),
            "zero": np.array([0], np.int64),
            "last": np.array([-1], np.int64),
            "first": np.array([-(2**63) + 1], np.int64),
        },
    )
    x = torch.rand(3, 4)
    torch.testing.assert_close(read_network(content)(x)[0], torch.nn.functional.pad(x, (2, 1)))


def test_several_fill_values_are_refused() -> None:
    filling = helper.make_tensor("v", 7, [2], [0, 1])
    with pytest.raises(CheckpointError, match="must be a single number; in this ONNX file it has 2 numbers"):
        read_network(
            built(
                [node("ConstantOfShape", "two", "rest", value=filling), node("Add", "x rest")],
                {"two": np.array([2], np.int64)},
            )
        )


def test_outputs_that_only_draw_are_left_out() -> None:
    nodes = [
        node("Relu", "x", "mean"),
        node("Neg", "x", "log_variance"),
        node("RandomNormalLike", "mean", "noise"),
        node("Add", "mean noise", "z"),
    ]
    content = built(nodes, outputs=("mean", "log_variance", "z"))
    with pytest.raises(CheckpointError, match=r"RandomNormalLike.*name the outputs"):
        read_network(content)
    assert len(read_network(content, outputs=["mean", "log_variance"])(torch.rand(2, 4))) == 2


def test_an_encoder_may_give_both_side_by_side_and_a_decoder_both_too() -> None:
    weights = {"w": np.eye(4, 2, dtype=np.float32), "v": np.ones((1, 4), np.float32)}
    encoder = built([node("MatMul", "x w")], weights)
    decoder = built([node("MatMul", "x v", "a"), node("Neg", "a", "b")], weights, row=(1,), outputs=("a", "b"))
    found = read_onnx(encoder, decoder, image_shape=(2, 2))
    assert (found.latent, found.gives, found.likelihood) == (1, "mean and log variance", "gaussian")
    mean, log_variance = found.encoder(torch.tensor([[1.0, 2, 3, 4]]))
    assert (mean.item(), log_variance.item()) == (1, 2)
    with pytest.raises(CheckpointError, match="logits or a mean"):
        read_onnx(encoder, built([node("MatMul", "x v")], weights, row=(1,)))
    assert read_onnx(encoder, built([node("MatMul", "x v")], weights, row=(1,)), gives="logits").image_shape == (2, 2)
    with pytest.raises(CheckpointError, match="decoder must return 4"):
        read_onnx(encoder, built([node("Relu", "x")], row=(1,)), gives="mean", image_shape=(2, 2))


def test_a_swapped_pair_and_images_of_another_size_are_said_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    weights = {"w": np.ones((12, 2), np.float32), "v": np.ones((1, 12), np.float32)}
    encoder = built([node("MatMul", "x w")], weights, row=(12,))
    decoder = built([node("MatMul", "x v", "a"), node("Sigmoid", "a")], weights, row=(1,))
    assert read_onnx(encoder, decoder, image_shape=(3, 4)).latent == 1
    swapped = (
        r"^An encoder takes images, and a decoder returns them; a\.onnx takes inputs of size 1 and returns outputs of "
        r"size 12, b\.onnx takes inputs of size 12 and returns outputs of size 2: the two seem to be swapped\."
    )
    for shape in ((3, 4), (2, 2, 3), (9, 9), None):
        with pytest.raises(CheckpointError, match=swapped):
            read_onnx(decoder, encoder, image_shape=shape, names=("a.onnx", "b.onnx"))
    with pytest.raises(CheckpointError, match=r"of size 81; encoder\.onnx takes inputs of size 12\."):
        read_onnx(encoder, decoder, image_shape=(9, 9))
    # where PyTorch follows what does not fit, it logs a traceback
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


W = {"w": np.ones((4, 4), np.float32)}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no operators"),
        (b"not a file", "could not be parsed"),
        (built([node("Frobnicate", "x")]), "'Frobnicate' of the ONNX file is not supported"),
        (built([node("Relu", "x", domain="com.microsoft")]), "domain 'com.microsoft'"),
        (built([node("Relu", "x")], opset=9), "have a version from 11 to 23; these have 9"),
        (built([node("Relu", "x")] * 5000), "at most 4,096"),
        (built([node("MatMul", "x gone")], W), "takes 'gone', which is not defined"),
        (built([node("MatMul", "x w")], {"w": np.ones((3, 4), np.float32)}), "MatMul of the ONNX file cannot be"),
        (built([node("MatMul", "x w")], {"w": np.full((4, 4), np.nan, np.float32)}), "finite"),
        (built([node("Relu", "x")], row=("h",)), "leaves the size of its input 'x' open"),
        (built([node("Relu", "x")], row=(1, 2, 3, 4)), "Images must be"),
        (built([node("Transpose", "x", perm=[1, 0])]), "a row of numbers for each image"),
        (built([node("Add", "w w")], W), "one input"),
        (
            built([node("Expand", "w n", "big"), node("MatMul", "x big")], {**W, "n": np.array([2**40, 4, 4])}),
            "many times|cannot be converted",
        ),
        (built([node("Tile", "x n")], {"n": np.array([1, 2**24])}), "4,194,304 values per image; Tile"),
        (built([node("BatchNormalization", "x w w w w", training_mode=1)], {"w": np.ones(4, np.float32)}), "eval"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_in_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        read_network(content)


def test_weights_in_other_files_are_refused() -> None:
    def away(model: Any) -> None:
        model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
        model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")

    with pytest.raises(CheckpointError, match="another file"):
        read_network(built([node("MatMul", "x w")], W, change=away))


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(CheckpointError, match=r"pip install 'vae-explorer\[onnx\]'"):
        read_network(b"")


def test_branches_are_refused() -> None:
    branch = helper.make_graph([node("Relu", "x")], "b", [], [helper.make_tensor_value_info("y", FLOAT, None)])
    content = built(
        [node("If", "c", then_branch=branch, else_branch=branch), node("Add", "x y", "z")],
        {"c": np.True_},
        outputs=("z",),
    )
    with pytest.raises(CheckpointError, match="decides what to do"):
        read_network(content)
