"""What all tests of pages share."""

import pytest

from vae import jobs


@pytest.fixture(autouse=True)
def no_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates of trainings come at once, and not from processes that go on when their test has ended."""
    monkeypatch.setattr(jobs, "measure", lambda *plan: 2.0)
