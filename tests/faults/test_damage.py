"""Damaged files, 10,000 of models and 10,000 of images: an error with a sentence or a sound value, soon, every time."""

import json
import subprocess
import sys

import pytest

from tests.app.test_pages import ROOT

MANY, FEW, A_PROCESS = 10_000, 300, 2_500


@pytest.mark.slow
@pytest.mark.parametrize("what", ["models", "data"])
def test_a_damaged_file_is_sound_or_said(what: str, thorough: bool) -> None:
    """None takes two seconds of a core, or 512 MB more than was taken before; a process of its own is the judge."""
    if sys.platform != "linux":
        pytest.skip("Linux, which says how much memory a process took at most")
    worst, found = [(0.0, ""), (0, "")], {}
    for first in range(0, MANY if thorough else FEW, A_PROCESS):
        count = min(A_PROCESS, (MANY if thorough else FEW) - first)
        command = [sys.executable, "-m", "tests.faults.damaged", what, str(first), str(count)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr[-1500:]
        says = json.loads(run.stdout)
        worst = [max(worst[0], tuple(says["slowest"])), max(worst[1], tuple(says["largest"]))]
        for name, number in says["found"].items():
            found[name] = found.get(name, 0) + number
    said = sum(number for name, number in found.items() if name.endswith(": said"))
    assert sum(found.values()) == (MANY if thorough else FEW) and 0 < said < sum(found.values())
    print(
        f"{sum(found.values()):,} files, {said:,} refused; slowest {worst[0][0]:.2f} s ({worst[0][1]}), "
        f"most memory {worst[1][0] / 2**20:.0f} MB ({worst[1][1]})"
    )
