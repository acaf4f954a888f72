"""ONNX files whose weights lie beside them: read with them, and nothing else is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae.errors import CheckpointError
from vae.interchange import read_network, read_onnx_file

onnx = pytest.importorskip("onnx", reason="onnx (requirements-extra.txt)")

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3)


def written(folder: Path, **says: str) -> Path:
    """A file of x @ W whose W lies in `net.onnx.data`, after eight other bytes."""
    info = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, n]) for name, n in (("x", 4), ("y", 3))
    ]
    weights = onnx.numpy_helper.from_array(WEIGHTS, "w")
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "net", info[:1], info[1:])
    (outside := graph.initializer.add()).CopyFrom(weights)
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    for key, value in ({"location": "net.onnx.data", "offset": "8", "length": "48"} | says).items():
        outside.external_data.add(key=key, value=value)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    (folder / "net.onnx.data").write_bytes(bytes(8) + WEIGHTS.tobytes())
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    graph = read_network(read_onnx_file(written(tmp_path)))
    assert torch.equal(graph(torch.eye(4))[0], torch.from_numpy(WEIGHTS))


@pytest.mark.slow
def test_a_network_as_pytorch_exports_it(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="onnxscript (requirements-extra.txt)")
    net = torch.nn.Sequential(torch.nn.Linear(40, 60), torch.nn.ReLU(), torch.nn.Linear(60, 3)).eval()
    x = torch.rand(2, 40)
    rows = {0: torch.export.Dim("rows")}
    torch.onnx.export(net, (x,), tmp_path / "net.onnx", dynamo=True, dynamic_shapes=(rows,), verbose=False)
    assert (tmp_path / "net.onnx.data").is_file()
    torch.testing.assert_close(read_network(read_onnx_file(tmp_path / "net.onnx"))(x)[0], net(x))


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"location": "../net.onnx.data"}, "in a file in the same folder"),
        ({"location": "/etc/passwd"}, "in a file in the same folder"),
        ({"location": ""}, "in a file in the same folder"),
        ({"location": "missing"}, "is not a file"),
        ({"offset": "12"}, "does not have the weights"),
        ({"offset": "-4"}, "does not have the weights"),
        ({"length": "many"}, "does not have the weights"),
    ],
)
def test_nothing_else_is_read(tmp_path: Path, says: dict[str, Any], why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        read_onnx_file(written(tmp_path, **says))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "net.onnx.data").rename(tmp_path / "elsewhere")
    (tmp_path / "net.onnx.data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="in a file in the same folder"):
        read_onnx_file(path)


def test_bytes_that_many_tensors_name_count_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer.extend([model.graph.initializer[0]] * 9)
    path.write_bytes(model.SerializeToString())
    monkeypatch.setattr("vae.interchange.sidefiles._MOST_BYTES", len(path.read_bytes()) + 5 * 48)
    with pytest.raises(CheckpointError, match="at most 512 MB"):
        read_onnx_file(path)


def test_a_file_that_is_none_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing")
    assert read_onnx_file(tmp_path / "net.onnx") == b"nothing"
