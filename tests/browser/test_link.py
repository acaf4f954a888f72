"""What the link does to a session: Back and Forward are followed, and a browser that lags behind is not."""

import pytest

from tests.visitor import Visitor

pytestmark = pytest.mark.slow


def test_a_link_that_lags_behind_is_not_followed_but_back_is(server: str) -> None:
    visitor = Visitor(int(server.rpartition(":")[2]))
    visitor.visit("samples")
    before = visitor.query
    visitor.set("model", string_value="mnist-bernoulli-2d")
    visitor.ask()
    visitor.wait()
    assert "model=mnist-bernoulli-2d" in visitor.query
    for history in (False, True):  # the same link comes late, and after Back
        visitor.query = before
        visitor.ask(history=history)
        visitor.wait()
        assert ("model=mnist-bernoulli-2d" in visitor.query) != history
    assert not visitor.faults
