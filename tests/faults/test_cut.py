"""A race of the estimators whose websocket is cut in the middle."""

from pathlib import Path

import psutil
import pytest

from tests.browser.conftest import free_port, launched
from tests.visitor import Visitor
from tests.waiting import wait_for

pytestmark = pytest.mark.slow
LINK = "model=mnist-2d"  # its race takes minutes


def racing(port: int) -> Visitor:
    """A visitor in the middle of a race."""
    visitor = Visitor(port)
    visitor.visit("likelihood", LINK)
    visitor.ask(likelihood__run=True)
    visitor.wait()
    visitor.follow(2)
    assert visitor.repeats and computed_here(visitor)
    return visitor


def computed_here(visitor: Visitor) -> bool:
    return any("This run was computed here" in text for text in visitor.texts)


def busiest(server: psutil.Process) -> psutil.Process:
    """The worker process that has computed the most."""
    return max(server.children(recursive=True), key=lambda each: sum(each.cpu_times()[:2]))


def test_a_race_that_is_cut_goes_on_for_who_comes_back_and_ends_otherwise(tmp_path: Path) -> None:
    port = free_port()
    with launched(tmp_path, port) as process:
        before = racing(port)
        before.socket.close()
        after = Visitor(port, before.session)
        after.states, after.ids = before.states, before.ids
        after.visit("likelihood", before.query)
        assert after.session == before.session
        assert computed_here(after) and after.repeats  # what it had found is there, and it goes on
        after.follow(1)
        worker = busiest(psutil.Process(process.pid))
        assert not before.faults and not after.faults
        after.socket.close()
        wait_for(lambda: not worker.is_running())  # nobody takes what it would find
        visitor = racing(port)  # and the next one is run as the first was
        assert not visitor.faults
        visitor.socket.close()
