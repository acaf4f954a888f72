"""Caching of slow values in memory and on disk; the pool computes each once for all concurrent requests."""

import contextlib
import inspect
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, get_args

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.cache import disk, pool, sets, typed
from pages.cache.tasks import Asked

P = ParamSpec("P")
R = TypeVar("R")

MOST = 300_000_000  # bytes of values in memory
SLOW = 0.1  # seconds; values that take longer are saved to disk


class Key(NamedTuple):
    """The key of a value: the model, the data set, and the function with its other arguments."""

    model: sets.Model
    data: str
    value: str


class Memory:
    """Values by key; the least recently used are removed first."""

    def __init__(self, most: int) -> None:
        self.most, self.bytes = most, 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, tuple[Any, int]] = OrderedDict()

    def get(self, key: Key) -> tuple[Any] | None:
        """Returns a value in a tuple of length 1, or None if it is not cached."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return (self._values[key][0],)

    def put(self, key: Key, value: Any) -> None:
        """Stores a value."""
        size = typed.size(value)
        with self._lock:
            self.bytes += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self.bytes > self.most and len(self._values) > 1:
                self.bytes -= self._values.popitem(last=False)[1][1]


@st.cache_resource(show_spinner=False)
def memory() -> Memory:
    """Returns the memory cache of this server."""
    return Memory(MOST)


recorded: dict[Key, bytes] | None = None  # while visits are recorded


def _nobody(before: int | None) -> None:
    """Does nothing."""


tell: Callable[[int | None], None] = _nobody  # called with the number of tasks ahead, and with None at the end


def kept(*, here: bool = False, ships: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Caches the values of a function, whose first arguments are a model and the name of a data set.

    Arguments:
        here: whether the session itself computes the value, because that is fast.
        ships: whether the values belong in the built-in files.
    """

    def make(function: Callable[P, R]) -> Callable[P, R]:
        keyed = _keyed(function)

        @wraps(function)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            key, whole = keyed(*args, **kwargs)
            held = memory()  # replaced if the data sets are forgotten in the meantime
            if known := held.get(key):
                return known[0]
            value = _found(key, function, whole, here, ships)
            held.put(key, value)
            return value

        return found

    return make


def only_shipped(function: Callable[P, R]) -> Callable[P, R | None]:
    """Restricts a function to its built-in values: it returns None for others, which only recording computes.

    Its first arguments are a model and the name of a data set.
    """
    keyed, kind = _keyed(function), typed.returned(function)

    @wraps(function)
    def found(*args: P.args, **kwargs: P.kwargs) -> R | None:
        key, _whole = keyed(*args, **kwargs)
        if recorded is not None:
            recorded[key] = typed.dumps(value := function(*args, **kwargs), kind)
            return value
        content = disk.shipped(*key)
        with contextlib.suppress(ValueError):  # a damaged file
            return None if content is None else typed.loads(content, kind)
        return None

    return found


def _keyed(function: Callable[P, R]) -> Callable[P, tuple[Key, tuple[Any, ...]]]:
    """Returns a function that computes the key of a value, and all arguments, from the arguments of a call."""
    name, signature = f"{function.__module__.rpartition('.')[2]}.{function.__name__}", inspect.signature(function)

    def key(*args: P.args, **kwargs: P.kwargs) -> tuple[Key, tuple[Any, ...]]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        model, data_name, *rest = bound.args
        return Key(model, data_name, f"{name}{tuple(rest)!r}"), bound.args

    return key


def _found(key: Key, function: Callable[..., Any], args: tuple[Any, ...], here: bool, ships: bool) -> Any:
    kind = typed.returned(function)
    content = None if recorded is not None else disk.shipped(*key) or disk.read(*key)
    place = disk.place(*key)
    if content is not None:
        try:
            return typed.loads(content, kind)
        except ValueError:  # a damaged file: compute the value again
            disk.discard(place)
    workers = None if here else pool.running()
    if workers is not None:
        try:
            content = workers.work(Asked(repr(key), function, args, sets.drawn(key.data)), tell)
            disk.write(place, content, still=lambda: disk.place(*key) == place)
            return typed.loads(content, kind)
        except pool.Ended:  # the server is shutting down
            pass
        finally:
            tell(None)
    start = time.perf_counter()
    value = function(*args)
    if recorded is not None and ships:
        recorded[key] = typed.dumps(value, kind)
    elif time.perf_counter() - start > SLOW:
        disk.write(place, typed.dumps(value, kind), still=lambda: disk.place(*key) == place)
    return value


def streamed(function: Callable[P, Iterator[R]]) -> Callable[P, Iterator[R | None]]:
    """Has the pool compute the items that a function yields; nothing is cached.

    The function's first arguments are a model and the name of a data set. In each quarter of a second without an item,
    None is yielded, so that a closed session is noticed.
    """
    name, signature = f"{function.__module__.rpartition('.')[2]}.{function.__name__}", inspect.signature(function)

    @wraps(function)
    def given(*args: P.args, **kwargs: P.kwargs) -> Iterator[R | None]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        workers = pool.running()
        if workers is None:
            yield from function(*args, **kwargs)
            return
        (kind,) = get_args(typed.returned(function))
        asked = Asked(f"{name}{bound.args!r}", function, bound.args, sets.drawn(bound.args[1]))
        told = True
        try:
            for content in workers.stream(asked, tell):
                if content is not None and told:
                    tell(None)
                    told = False
                yield None if content is None else typed.loads(content, kind)
        except pool.Ended:  # the server is shutting down
            pass
        finally:
            if told and get_script_run_ctx(suppress_warning=True) is not None:  # none where a timer ends it
                tell(None)

    return given


@contextlib.contextmanager
def recording() -> Iterator[dict[Key, bytes]]:
    """Collects all values computed within the context, none of which is read from disk."""
    global recorded
    recorded = {}
    try:
        yield recorded
    finally:
        recorded = None
