"""Serialisation of the values of annotated functions: arrays as .npz, everything else as JSON, and no code."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import Tensor

from vae.errors import DAMAGE

_PLAIN = (bool, int, float, str, NoneType)


def dumps(value: Any, kind: Any) -> bytes:
    """Serialises a value of an annotated type: plain values, arrays, tensors, and tuples, lists, dicts or records.

    Raises:
        TypeError: the type contains something else.
    """
    arrays: dict[str, np.ndarray] = {}
    says = json.dumps(_taken(value, kind, arrays))
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, says=np.frombuffer(says.encode(), np.uint8), **arrays)
    return file.getvalue()


def loads(content: bytes, kind: Any) -> Any:
    """Reads the output of `dumps` for the same type.

    Raises:
        ValueError: the bytes are damaged or of another type.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _given(json.loads(arrays["says"].tobytes()), kind, arrays)
    except DAMAGE as error:
        raise ValueError(f"not a value of {kind}: {error}") from error


def returned(function: Callable[..., Any]) -> Any:
    """Returns the annotated return type of a function."""
    return get_type_hints(function)["return"]


def taken(function: Callable[..., Any]) -> Any:
    """Returns the tuple type of the annotated arguments of a function."""
    hints = {name: kind for name, kind in get_type_hints(function).items() if name != "return"}
    return tuple[tuple(hints.values())]  # type: ignore[misc]


def size(value: Any) -> int:
    """Returns the approximate size of a value in memory, bytes."""
    if isinstance(value, np.ndarray | Tensor):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(size(each) for each in value.values())
    if isinstance(value, tuple | list):
        return 64 + sum(size(each) for each in value)
    return sum(size(each) for each in vars(value).values()) if is_dataclass(value) else 64


def _parts(kind: Any) -> dict[str, Any] | None:
    """Returns the fields of a named tuple or dataclass with their types; None for other types."""
    if isinstance(kind, type) and (hasattr(kind, "_fields") or is_dataclass(kind)):
        return {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not type}
    return None


def _optional(kind: Any) -> Any:
    """Returns the X of X | None; None for other types."""
    if get_origin(kind) in (Union, UnionType):
        rest = [each for each in get_args(kind) if each is not NoneType]
        if len(rest) == 1:
            return rest[0]
    return None


def _is_array(kind: Any) -> bool:
    return kind is np.ndarray or get_origin(kind) is np.ndarray


def _elements(kind: Any, count: int) -> list[Any]:
    inner = get_args(kind)
    many = get_origin(kind) is list or inner[-1] is Ellipsis
    return [inner[0]] * count if many else list(inner)


def _taken(value: Any, kind: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Returns the JSON of a value; arrays are collected separately and replaced by their indices."""
    if _is_array(kind) or kind is Tensor:
        arrays[name := f"a{len(arrays)}"] = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
        return name
    if (inner := _optional(kind)) is not None:
        return None if value is None else _taken(value, inner, arrays)
    if (parts := _parts(kind)) is not None:
        return [_taken(getattr(value, name), part, arrays) for name, part in parts.items()]
    if get_origin(kind) in (tuple, list):
        kinds = _elements(kind, len(value))
        return [_taken(each, part, arrays) for each, part in zip(value, kinds, strict=True)]
    if get_origin(kind) is dict:
        first, second = get_args(kind)
        return [[_taken(key, first, arrays), _taken(each, second, arrays)] for key, each in value.items()]
    if kind in _PLAIN or get_origin(kind) is Literal:
        return value.item() if isinstance(value, np.generic) else value
    raise TypeError(f"a {kind} cannot be saved")


def _given(says: Any, kind: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if _is_array(kind):
        return arrays[says]
    if kind is Tensor:
        return torch.from_numpy(arrays[says])
    if (inner := _optional(kind)) is not None:
        return None if says is None else _given(says, inner, arrays)
    if (parts := _parts(kind)) is not None:
        return kind(**{name: _given(each, parts[name], arrays) for name, each in zip(parts, says, strict=True)})
    if get_origin(kind) in (tuple, list):
        made = (_given(each, part, arrays) for each, part in zip(says, _elements(kind, len(says)), strict=True))
        return list(made) if get_origin(kind) is list else tuple(made)
    if get_origin(kind) is dict:
        first, second = get_args(kind)
        return {_given(key, first, arrays): _given(each, second, arrays) for key, each in says}
    return float(says) if kind is float else says
