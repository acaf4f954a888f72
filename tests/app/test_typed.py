"""Values as bytes and back, by the type that a function is annotated with."""

import contextlib
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pages.cache import typed


class Inner(NamedTuple):
    name: str
    size: int | None


@dataclass(frozen=True)
class Outer:
    inner: Inner
    values: np.ndarray
    pairs: dict[int, float]
    many: list[tuple[float, bool]]
    kind: Literal["a", "b"]


def test_records_of_all_that_there_is_come_back() -> None:
    value = Outer(
        Inner("ψ", None), np.arange(6, dtype=np.float32).reshape(2, 3), {3: 0.5, 4: float("inf")}, [(1.0, True)], "b"
    )
    back = typed.loads(typed.dumps(value, Outer), Outer)
    assert (back.inner, back.pairs, back.many, back.kind) == (value.inner, value.pairs, value.many, value.kind)
    assert back.values.dtype == np.float32 and np.array_equal(back.values, value.values)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, tuple[float, float] | None), ((1.5, 2.0), tuple[float, float] | None), ((1, 2, 3), tuple[int, ...])],
)
def test_plain_values_come_back(value: Any, kind: Any) -> None:
    assert typed.loads(typed.dumps(value, kind), kind) == value


def test_a_tensor_comes_back_as_one() -> None:
    back = typed.loads(typed.dumps(torch.eye(3), Tensor), Tensor)
    assert torch.equal(back, torch.eye(3))


def test_numbers_of_numpy_are_plain_ones() -> None:
    assert typed.loads(typed.dumps(np.float32(0.5), float), float) == 0.5


def test_a_type_that_cannot_be_kept_is_said() -> None:
    with pytest.raises(TypeError, match="cannot be saved"):
        typed.dumps(object(), object)


CONTENT = typed.dumps(Inner("name", 3), Inner)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(at=st.integers(0, len(CONTENT) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(CONTENT)))
def test_damage_is_a_value_error_or_a_value(at: int, byte: int, cut: int) -> None:
    for content in (CONTENT[:at] + bytes([byte]) + CONTENT[at + 1 :], CONTENT[:cut]):
        with contextlib.suppress(ValueError):
            assert isinstance(typed.loads(content, Inner), Inner)
