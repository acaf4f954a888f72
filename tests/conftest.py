"""What every test has: options, browser tests last, a fixed seed, a line on what was skipped."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import torch

# What the server works out is kept for this run alone.
_cache = tempfile.TemporaryDirectory(prefix="vae-cache-", ignore_cleanup_errors=True)
os.environ["VAE_CACHE"] = _cache.name
BROWSER = Path(__file__).parent / "browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--picture", action="store_true", help="write the pictures in the README anew")
    parser.addoption("--thorough", action="store_true", help="show every model with every odd image on every page")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--picture"):  # what records the pictures tests nothing that others do not
        items[:] = [item for item in items if item.name.partition("[")[0] != "test_recording"]
    # A slip in the library should show before a browser is started. The sort keeps the order within each half.
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one line what was skipped and why."""
    reports = terminalreporter.getreports("skipped")
    whys = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports if report.longrepr)
    if whys:
        said = "; ".join(f"{count} that need{'s' * (count == 1)} {why}" for why, count in whys.items())
        terminalreporter.write_line(f"Skipped tests: {said}.")


# Two threads that wait for each other take many times as long where other processes want the cores too.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether every combination is to be tried, where a few tell nearly as much."""
    return request.config.getoption("--thorough")
