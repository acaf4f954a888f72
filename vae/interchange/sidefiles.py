"""ONNX files whose weights lie in a file beside them, as `torch.onnx.export` writes them unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vae.errors import CheckpointError
from vae.interchange.weights import MOST_BYTES, read_file

__all__ = ["read_onnx_file"]


def read_onnx_file(path: Path) -> bytes:
    """Reads an ONNX file and, where its weights lie in files beside it, puts them inside.

    Arguments:
        path: of the file. Only plain files of its own folder are read besides it.

    Returns:
        the file as `read_onnx` takes it.

    Raises:
        CheckpointError: a file is missing, too large, or does not have what the ONNX file says of it.
    """
    content = read_file(path)
    try:
        import onnx

        model = onnx.load_model_from_string(content)
    except Exception:  # which `read_onnx` says, whatever it is
        return content
    outside = [tensor for tensor in _tensors(model.graph) if tensor.external_data]
    if not outside:
        return content
    files: dict[str, bytes] = {}
    for tensor in outside:
        says = {each.key: each.value for each in tensor.external_data}
        name = says.get("location", "")
        if not name or Path(name).name != name or (path.parent / name).is_symlink():
            raise CheckpointError(f"The weights of {path.name} must lie in a file beside it; it names {name!r:.100}.")
        if name not in files:
            files[name] = read_file(path.parent / name)
        if sum(map(len, files.values())) > MOST_BYTES:
            raise CheckpointError(f"An ONNX file and its weights have at most 512 MB; those of {path.name} have more.")
        try:
            begin = int(says.get("offset", 0))
            end = begin + int(says.get("length", len(files[name]) - begin))
        except ValueError:
            begin = end = -1
        if not 0 <= begin <= end <= len(files[name]):
            raise CheckpointError(f"{name} does not have the weights that {path.name} says it has. Export both again.")
        tensor.raw_data = files[name][begin:end]
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return bytes(model.SerializeToString())


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph, those of constants too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
