"""What all tests of faults share: folders of their own, and how many cases `make faults` tries."""

from pathlib import Path

import pytest

from vae import jobs

collect_ignore = ["jumping", "lonely"]  # which Python imports when a server starts; they are no tests


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models that a test makes go to a folder of its own, which is returned."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def no_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates of trainings come at once, and not from processes that go on when their test has ended."""
    monkeypatch.setattr(jobs, "measure", lambda *plan: 2.0)
