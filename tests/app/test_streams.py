"""Work that is taken in slices: it comes whole, in its order, and ends when nobody takes any more."""

import threading
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.cache import streams
from tests.waiting import wait_for


class Items:
    """An iterator that knows whether it was closed."""

    def __init__(self, items: list[int | None]) -> None:
        self.items, self.closed = list(items), threading.Event()

    def __iter__(self) -> Iterator[int | None]:
        return self

    def __next__(self) -> int | None:
        if not self.items:
            raise StopIteration
        return self.items.pop(0)

    def close(self) -> None:
        self.closed.set()


def test_slices_are_the_whole_in_order() -> None:
    slices: streams.Slices[int] = streams.Slices(Items([1, None, 2, 3]))
    taken: list[list[int]] = []
    while not slices.ended:
        taken.append(slices.take(0))
    assert taken == [[1], [], [2], [3], []]
    assert slices.take(0) == [] and not slices.abandoned


def test_a_slice_of_time_takes_all_that_comes_within_it() -> None:
    slices: streams.Slices[int] = streams.Slices(Items([1, None, 2]))
    assert slices.take(60) == [1, 2]
    assert slices.ended


def test_what_nobody_takes_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_GRACE", 0.01)
    items = Items([1, 2, 3])
    slices: streams.Slices[int] = streams.Slices(items)
    assert slices.take(0) == [1]
    wait_for(items.closed.is_set)
    wait_for(lambda: slices.ended)
    assert slices.take(0) == [] and slices.abandoned


def test_what_is_closed_gives_nothing_more() -> None:
    items = Items([1, 2])
    slices: streams.Slices[int] = streams.Slices(items)
    slices.close()
    assert items.closed.is_set() and slices.ended and slices.take(0) == []


def test_an_error_ends_the_work_and_is_told() -> None:
    def refuses() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    slices: streams.Slices[int] = streams.Slices(refuses())
    assert slices.take(0) == [1]
    with pytest.raises(ValueError, match="no"):
        slices.take(0)
    assert slices.ended


def test_a_part_that_reruns_says_at_its_place_how_many_are_ahead() -> None:
    def part() -> None:
        import streamlit as st

        from pages.ui import waiting

        with waiting.here():
            if told := st.session_state.get("told"):
                waiting.show(*told)

    app = AppTest.from_function(part).run()
    assert not app.caption
    for told, words in (((3,), "3 ahead of you"), (None, "3 ahead of you"), ((0,), "Computing …"), ((None,), "")):
        app.session_state["told"] = told  # None while nothing new is told
        app.run()
        assert not app.exception and words in "".join(each.value for each in app.caption)
        assert bool(app.caption) == bool(words)
