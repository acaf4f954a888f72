"""Small networks as ONNX files, for tests of what takes files."""

from collections.abc import Sequence

import numpy as np
import pytest


def network(
    inputs: int | None, outputs: int, *, sigmoid: bool = False, shape: Sequence[int] = (), beside: str = ""
) -> bytes:
    """A file of x @ W, an encoder with twice as many outputs as there are latent dimensions, or a decoder.

    Arguments:
        inputs: numbers of a row; None leaves the size open in the file.
        outputs: numbers that it gives.
        sigmoid: whether one follows.
        shape: of what comes in, where it is not flat.
        beside: the name of a file that has the weights; `weights` gives its content.
    """
    onnx = pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")
    float32, node = onnx.TensorProto.FLOAT, onnx.helper.make_node
    values = weights(inputs or 784, outputs)
    if beside:
        held = onnx.TensorProto(name="w", data_type=float32, dims=values.shape)
        held.data_location = onnx.TensorProto.EXTERNAL
        held.external_data.add(key="location", value=beside)
    else:
        held = onnx.numpy_helper.from_array(values, "w")
    info = onnx.helper.make_tensor_value_info
    nodes = [node("Flatten", ["x"], ["flat"]), node("MatMul", ["flat", "w"], ["h"])]
    nodes.append(node("Sigmoid" if sigmoid else "Identity", ["h"], ["y"]))
    row = ["size"] if inputs is None else list(shape or [inputs])
    graph = onnx.helper.make_graph(
        nodes, "network", [info("x", float32, ["n", *row])], [info("y", float32, ["n", outputs])], [held]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    return bytes(model.SerializeToString())


def weights(inputs: int, outputs: int) -> np.ndarray:
    """The weights W of `network`."""
    return np.random.default_rng(inputs).normal(0, 0.02, (inputs, outputs)).astype(np.float32)
