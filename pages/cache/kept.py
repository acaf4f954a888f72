"""Values that take long: kept in memory and on disk, and worked out by the pool, once for all who ask meanwhile."""

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
SLOW = 0.1  # seconds from which on a value is worth a file


class Key(NamedTuple):
    """What a value is known by: the model, the data set, and the function with its other arguments."""

    model: sets.Model
    data: str
    value: str


class Memory:
    """Values by their keys, those that nobody asked for the longest removed first."""

    def __init__(self, most: int) -> None:
        self.most, self.bytes = most, 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, tuple[Any, int]] = OrderedDict()

    def get(self, key: Key) -> tuple[Any] | None:
        """Returns a value as a tuple of one, or None where it is not kept."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return (self._values[key][0],)

    def put(self, key: Key, value: Any) -> None:
        """Keeps a value."""
        size = typed.size(value)
        with self._lock:
            self.bytes += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self.bytes > self.most and len(self._values) > 1:
                self.bytes -= self._values.popitem(last=False)[1][1]


@st.cache_resource(show_spinner=False)
def memory() -> Memory:
    """Returns the values of this server."""
    return Memory(MOST)


recorded: dict[Key, bytes] | None = None  # while visits are recorded


def _nobody(before: int | None) -> None:
    """Nobody is told."""


tell: Callable[[int | None], None] = _nobody  # is told how many come before a session, and None when it has its answer


def kept(*, here: bool = False, ships: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes a function's values be kept. Its first arguments are a model and the name of a data set.

    Arguments:
        here: the work is short, and done by the session itself.
        ships: whether the values are for the files that ship.
    """

    def make(function: Callable[P, R]) -> Callable[P, R]:
        keyed = _keyed(function)

        @wraps(function)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            key, whole = keyed(*args, **kwargs)
            held = memory()  # of which nothing is left when data sets are forgotten meanwhile
            if known := held.get(key):
                return known[0]
            value = _found(key, function, whole, here, ships)
            held.put(key, value)
            return value

        return found

    return make


def only_shipped(function: Callable[P, R]) -> Callable[P, R | None]:
    """Makes a function's values be those that ship, None where none does; visits that are recorded work them out.

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
    """Makes the key of a function's value, and all its arguments, out of those that it is called with."""
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
        except ValueError:  # a damaged file, so it is worked out again
            disk.discard(place)
    workers = None if here else pool.running()
    if workers is not None:
        try:
            content = workers.work(Asked(repr(key), function, args, sets.drawn(key.data)), tell)
            disk.write(place, content, still=lambda: disk.place(*key) == place)
            return typed.loads(content, kind)
        except pool.Ended:  # with the server
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
    """Has the pool work out what a function gives one after the other; nothing is kept.

    The function's first arguments are a model and the name of a data set. None comes every quarter of a second in which
    nothing else does, so that a session that was left is noticed.
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
        except pool.Ended:  # with the server
            pass
        finally:
            if told and get_script_run_ctx(suppress_warning=True) is not None:  # none where a timer ends it
                tell(None)

    return given


@contextlib.contextmanager
def recording() -> Iterator[dict[Key, bytes]]:
    """Collects all values that are worked out meanwhile, none of them taken from disk."""
    global recorded
    recorded = {}
    try:
        yield recorded
    finally:
        recorded = None
