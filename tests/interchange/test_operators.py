"""Operators of ONNX against onnxruntime, each by itself."""

from typing import Any

import numpy as np
import pytest
import torch

from vae.interchange.found import written_down
from vae.interchange.onnx import OPERATORS, Network
from vae.interchange.protobuf import NEWEST

pytestmark = pytest.mark.slow

onnx = pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime (requirements-extra.txt)")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

ROW, PLANES = (6,), (4, 6, 5)
RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def real(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


def one(operator: str, *constants: Any, row: tuple[int, ...] = ROW, opset: int = NEWEST, **attributes: Any) -> Any:
    """A file with one operator, its first input what comes in, the others constants."""
    return file([(operator, constants, attributes)], row, opset)


def file(steps: list[tuple[str, Any, dict[str, Any]]], row: tuple[int, ...] = ROW, opset: int = NEWEST) -> Any:
    """A file with operators one after the other."""
    nodes, weights, last = [], [], "x"
    for at, (operator, constants, attributes) in enumerate(steps):
        names = [last]
        for place, constant in enumerate(constants):
            names.append("" if constant is None else f"c{at}_{place}")
            if constant is not None:
                weights.append(numpy_helper.from_array(np.asarray(constant), names[-1]))
        if attributes.pop("first", False):  # the constant stands before what comes in
            names = names[1:] + names[:1]
        nodes.append(helper.make_node(operator, names, [last := f"y{at}"], **attributes))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *row])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


CASES: dict[str, Any] = {
    name: one(name)
    for name in [
        "Abs",
        "Celu",
        "Elu",
        "Erf",
        "Exp",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "LogSoftmax",
        "Mish",
        "Neg",
        "Relu",
        "Selu",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Softsign",
        "Tanh",
        "Sin",
        "Cos",
        "Dropout",
    ]
}
CASES |= {
    "Add": one("Add", normal(6)),
    "Sub": one("Sub", normal(6)),
    "Sub, the constant first": one("Sub", normal(1), first=True),
    "Mul by a number": one("Mul", np.float32(2.5)),
    "Div": one("Div", real(3.0)),
    "Div, the constant first": one("Div", normal(6), first=True),
    "Pow": one("Pow", np.float32(3.0)),
    "Pow of whole number": one("Pow", np.array(2, np.int64)),
    "Pow by column": one("Pow", real(1, 2, 3, 2, 1, 2)),
    "Max": one("Max", np.float32(0.0)),
    "Min": one("Min", normal(6), normal(1)),
    "Sum": one("Sum", normal(6), normal(6)),
    "Clip": one("Clip", np.float32(-0.5), np.float32(0.5)),
    "Clip from below": one("Clip", None, np.float32(0.25)),
    "PRelu": one("PRelu", normal(4, 1, 1), row=PLANES),
    "Elu with alpha": one("Elu", alpha=0.3),
    "Celu with alpha": one("Celu", alpha=2.0),
    "Selu with alpha": one("Selu", alpha=1.2, gamma=0.9),
    "LeakyRelu with alpha": one("LeakyRelu", alpha=0.2),
    "HardSigmoid with alpha": one("HardSigmoid", alpha=0.3, beta=0.4),
    "Gelu by tanh": one("Gelu", approximate="tanh"),
    "Softmax of opset 11": one("Softmax", row=(2, 3), opset=11),
    "Softmax over channels": one("Softmax", row=PLANES, axis=1),
    "Gemm": one("Gemm", normal(6, 3), normal(3)),
    "Gemm transposed": one("Gemm", normal(3, 6), normal(1, 3), transB=1, alpha=0.5, beta=2.0),
    "Gemm without bias": one("Gemm", normal(6, 3)),
    "MatMul": one("MatMul", normal(6, 3)),
    "MatMul of three dimensions": one("MatMul", normal(5, 3), row=(4, 5)),
    "Einsum": one("Einsum", normal(6, 3), equation="ni,ij->nj"),
    "Reshape": one("Reshape", whole(-1, 4, 30), row=PLANES),
    "Reshape with 0": one("Reshape", whole(0, -1, 5), row=PLANES),
    "Flatten": one("Flatten", row=PLANES),
    "Flatten at the end": one("Flatten", row=PLANES, axis=-3),
    "Transpose": one("Transpose", row=PLANES, perm=[0, 2, 3, 1]),
    "Unsqueeze": one("Unsqueeze", whole(1, -1)),
    "Unsqueeze of opset 11": one("Unsqueeze", axes=[2], opset=11),
    "Squeeze": one("Squeeze", whole(1), row=(1, 6)),
    "Squeeze of opset 11": one("Squeeze", row=(6, 1), axes=[2], opset=11),
    "Slice": one("Slice", whole(1, 0), whole(2**63 - 1, -1), whole(2, 3), whole(2, 1), row=PLANES),
    "Slice backwards": one("Slice", whole(-1), whole(-(2**63)), whole(1), whole(-1)),
    "Gather": one("Gather", whole(3, 0, -1), axis=1),
    "Gather of one": one("Gather", np.array(2, np.int64), axis=1, row=PLANES),
    "Expand": one("Expand", whole(1, 2, 6), row=(1, 6)),
    "Tile": one("Tile", whole(1, 2)),
    "Pad": one("Pad", whole(0, 0, 1, 2, 0, 0, 0, 1), np.float32(0.5), row=PLANES),
    "Pad on axes": one("Pad", whole(1, 2, 0, 1), None, whole(2, 3), row=PLANES),
    "Pad by reflection": one("Pad", whole(0, 0, 1, 2, 0, 0, 0, 1), row=PLANES, mode="reflect"),
    "Pad by the edge": one("Pad", whole(0, 0, 1, 2, 0, 0, 0, 1), row=PLANES, mode="edge"),
    "ReduceMean": one("ReduceMean", whole(2, 3), row=PLANES),
    "ReduceMean of opset 11": one("ReduceMean", row=PLANES, axes=[2, 3], keepdims=0, opset=11),
    "ReduceSum": one("ReduceSum", whole(-1), row=PLANES, keepdims=0),
    "ReduceMax": one("ReduceMax", whole(1), row=PLANES),
    "ReduceMin": one("ReduceMin", whole(1), row=PLANES),
    "ReduceL2": one("ReduceL2", whole(1), row=PLANES),
    "ReduceSumSquare": one("ReduceSumSquare", whole(1)),
    "Conv": one("Conv", normal(3, 4, 3, 3), normal(3), row=PLANES),
    "Conv with strides": one("Conv", normal(3, 4, 3, 2), row=PLANES, strides=[2, 1], pads=[1, 0, 2, 1]),
    "Conv by groups": one("Conv", normal(4, 2, 3, 3), row=PLANES, group=2, dilations=[2, 1]),
    "Conv, same, upper": one("Conv", normal(3, 4, 4, 3), row=PLANES, auto_pad="SAME_UPPER", strides=[2, 2]),
    "Conv, same, lower": one("Conv", normal(3, 4, 4, 3), row=PLANES, auto_pad="SAME_LOWER"),
    "Conv, valid": one("Conv", normal(3, 4, 3, 3), row=PLANES, auto_pad="VALID"),
    "Conv of rows": one("Conv", normal(3, 4, 3), row=(4, 9), pads=[1, 1]),
    "ConvTranspose": one("ConvTranspose", normal(4, 3, 3, 3), normal(3), row=PLANES, strides=[2, 2]),
    "ConvTranspose padded": one("ConvTranspose", normal(4, 3, 4, 3), row=PLANES, strides=[2, 3], pads=[1, 0, 1, 0]),
    "ConvTranspose, uneven": one("ConvTranspose", normal(4, 3, 4, 3), row=PLANES, strides=[2, 3], pads=[1, 0, 2, 1]),
    "ConvTranspose, more": one(
        "ConvTranspose", normal(4, 3, 3, 3), row=PLANES, strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]
    ),
    "ConvTranspose by groups": one("ConvTranspose", normal(4, 3, 3, 3), row=PLANES, group=2),
    "ConvTranspose to a size": one(
        "ConvTranspose", normal(4, 3, 3, 3), normal(3), row=PLANES, strides=[2, 2], output_shape=[12, 10]
    ),
    "ConvTranspose, same": one(
        "ConvTranspose", normal(4, 3, 3, 3), normal(3), row=PLANES, strides=[2, 2], auto_pad="SAME_UPPER"
    ),
    "BatchNormalization": one(
        "BatchNormalization", normal(4), normal(4), normal(4), abs(normal(4)), row=PLANES, epsilon=1e-3
    ),
    "LayerNormalization": one("LayerNormalization", normal(6), normal(6)),
    "LayerNormalization of planes": one("LayerNormalization", normal(6, 5), row=PLANES, axis=2),
    "GroupNormalization": one("GroupNormalization", normal(4), normal(4), row=PLANES, num_groups=2),
    "GroupNormalization of opset 18": one(
        "GroupNormalization", normal(2), normal(2), row=PLANES, num_groups=2, opset=18
    ),
    "InstanceNormalization": one("InstanceNormalization", normal(4), normal(4), row=PLANES),
    "MaxPool": one("MaxPool", row=PLANES, kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 1]),
    "MaxPool, same": one("MaxPool", row=PLANES, kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
    "AveragePool": one("AveragePool", row=PLANES, kernel_shape=[2, 2], strides=[2, 2]),
    "AveragePool, uneven": one("AveragePool", row=PLANES, kernel_shape=[2, 3], pads=[0, 1, 1, 1]),
    "AveragePool, padded": one("AveragePool", row=PLANES, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "GlobalAveragePool": one("GlobalAveragePool", row=PLANES),
    "GlobalMaxPool": one("GlobalMaxPool", row=PLANES),
    "Resize": one("Resize", None, real(1, 1, 2, 3), row=PLANES, mode="nearest"),
    "Resize to a size": one("Resize", None, None, whole(12, 10), row=PLANES, mode="nearest", axes=[2, 3]),
    "Resize of opset 11": one(
        "Resize",
        real(),
        real(1, 1, 2, 2),
        row=PLANES,
        opset=11,
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "Resize linearly": one("Resize", None, real(1, 1, 2, 2), row=PLANES, mode="linear"),
    "Resize between corners": one(
        "Resize",
        None,
        real(1, 1, 2, 2),
        row=PLANES,
        mode="linear",
        coordinate_transformation_mode="align_corners",
    ),
    "MaxPool, rounded up": one("MaxPool", row=PLANES, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "MaxPool, rounded up and padded": one(
        "MaxPool", row=PLANES, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1
    ),
    "AveragePool, rounded up": one("AveragePool", row=PLANES, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "AveragePool, rounded up and padded": one(
        "AveragePool", row=PLANES, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1
    ),
    "AveragePool, rounded up, uneven": one(
        "AveragePool", row=PLANES, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0], ceil_mode=1
    ),
    "Resize to less": one("Resize", None, real(1, 1, 0.5, 1), row=PLANES, mode="linear"),
    "Resize by one and a half": one("Resize", None, real(1, 1, 1.5, 2), row=PLANES, mode="linear"),
    "Resize by one and a half, nearest": one(
        "Resize",
        None,
        real(1, 1, 1.5, 1),
        row=PLANES,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "ConvTranspose of rows": one("ConvTranspose", normal(4, 3, 3), row=(4, 9), strides=[2]),
    "BatchNormalization of rows": one("BatchNormalization", normal(6), normal(6), normal(6), abs(normal(6))),
    "ConvTranspose, same, lower": one(
        "ConvTranspose", normal(4, 3, 3, 3), row=PLANES, strides=[2, 2], auto_pad="SAME_LOWER"
    ),
    "ConvTranspose with gaps": one(
        "ConvTranspose", normal(4, 3, 3, 3), row=PLANES, dilations=[2, 1], pads=[1, 1, 1, 1]
    ),
    "ConvTranspose to a larger size": one(
        "ConvTranspose", normal(4, 3, 2, 2), row=PLANES, strides=[3, 3], output_shape=[18, 15]
    ),
    "Slice in steps": one("Slice", whole(0), whole(6), whole(1), whole(2)),
    "Pad by less than nothing": one("Pad", whole(0, -1, 0, 2), None),
    "MaxPool with gaps": one("MaxPool", row=PLANES, kernel_shape=[2, 2], dilations=[2, 2]),
    "DepthToSpace": one("DepthToSpace", row=PLANES, blocksize=2),
    "DepthToSpace by columns": one("DepthToSpace", row=PLANES, blocksize=2, mode="CRD"),
}
for name in ("Log", "Sqrt", "Reciprocal"):
    CASES[name] = file([("Exp", (), {}), (name, (), {})])
for name in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
    CASES[name] = file([(name, (np.float32(0.2),), {}), ("Cast", (), {"to": 1})])
    CASES[f"{name}, the constant first"] = file([(name, (real(0.2),), {"first": True}), ("Cast", (), {"to": 1})])
CASES["Where"] = file([("Greater", (np.float32(0),), {}), ("Where", (normal(6), normal(1)), {})])


def session(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", CASES)
def test_an_operator_gives_what_onnxruntime_gives(name: str) -> None:
    model = CASES[name]
    row = tuple(each.dim_value for each in model.graph.input[0].type.tensor_type.shape.dim[1:])
    x = np.random.default_rng(1).normal(size=(3, *row)).astype(np.float32)
    (theirs,) = session(model).run(None, {"x": x})
    network = Network(model.SerializeToString())
    (ours,) = network(network.takes.flatten(torch.from_numpy(x)))
    np.testing.assert_allclose(
        network.gives[0].unflatten(ours).numpy(), theirs.reshape(3, *network.gives[0].shape), rtol=1e-4, atol=1e-5
    )


class Together(torch.nn.Module):
    """All networks on the first numbers of one row."""

    def __init__(self) -> None:
        super().__init__()
        self.networks = torch.nn.ModuleList(Network(model.SerializeToString()) for model in CASES.values())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(network(x[:, : network.takes.numbers])[0] for network in self.networks)


def test_all_operators_are_written_down_as_a_graph() -> None:
    together, x = Together(), torch.rand(4, 120)
    for name, ours, theirs in zip(CASES, written_down(together, 120)(x), together(x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, msg=name)


def test_all_operators_are_tried() -> None:
    tried = {node.op_type for model in CASES.values() for node in model.graph.node}
    on_sizes = set(
        [
            "Shape",
            "Size",
            "Range",
            "Concat",
            "Split",
            "CastLike",
            "ConstantOfShape",
            "Equal",
            "Mod",
            "And",
            "Or",
            "Floor",
            "Ceil",
            "ReduceProd",
            "Swish",
        ]
    )
    assert set(OPERATORS) - tried == on_sizes  # which tests of whole networks have
