"""ONNX files whose weights are in a separate file, as `torch.onnx.export` writes them by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vae.errors import CheckpointError
from vae.interchange.weights import read_file

__all__ = ["read_onnx_file", "with_weights"]

_MOST_BYTES = 512 * 2**20


def read_onnx_file(path: Path) -> bytes:
    """Reads an ONNX file and, if its weights are in separate files, puts them inside.

    Arguments:
        path: of the file. Apart from it, only plain files in its folder are read.

    Returns:
        the file in the form that `read_onnx` takes.

    Raises:
        CheckpointError: a file is missing, too large, or does not have the weights that the ONNX file refers to.
    """

    def beside(name: str) -> bytes:
        if (path.parent / name).is_symlink():
            raise _not_beside(path.name, name)
        return read_file(path.parent / name)

    return with_weights(read_file(path), path.name, beside)


def with_weights(content: bytes, name: str, beside: Callable[[str], bytes]) -> bytes:
    """Puts the weights that an ONNX file has in separate files inside.

    Arguments:
        content: of the file.
        name: of the file, for errors.
        beside: returns the content of a file with a plain name, and raises a CheckpointError if it is missing.

    Returns:
        the file in the form that `read_onnx` takes.

    Raises:
        CheckpointError: a file is missing, they are too large, or do not have the weights that the file refers to.
    """
    try:
        import onnx

        model = onnx.load_model_from_string(content)
    except Exception:  # `read_onnx` will report it
        return content
    outside = [tensor for tensor in _tensors(model.graph) if tensor.external_data]
    if not outside:
        return content
    files: dict[str, bytes] = {}
    size = len(content)
    for tensor in outside:
        says = {each.key: each.value for each in tensor.external_data}
        place = says.get("location", "")
        if not place or Path(place).name != place:
            raise _not_beside(name, place)
        if place not in files:
            files[place] = beside(place)
        try:
            begin = int(says.get("offset", 0))
            end = begin + int(says.get("length", len(files[place]) - begin))
        except ValueError:
            begin = end = -1
        if not 0 <= begin <= end <= len(files[place]):
            raise CheckpointError(f"{place} does not have the weights that {name} refers to. Export both again.")
        size += end - begin  # several tensors may refer to the same bytes
        if size > _MOST_BYTES:
            raise CheckpointError(f"An ONNX file and its weights may have at most 512 MB; those of {name} have more.")
        tensor.raw_data = files[place][begin:end]
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return bytes(model.SerializeToString())


def _not_beside(name: str, place: str) -> CheckpointError:
    return CheckpointError(f"The weights of {name} must be in a file in the same folder; it names {place!r:.100}.")


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph, including those of constants."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
