"""What a long command says while it works: a bar on a terminal, a few lines in a log, one line when it is stopped."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vae.cli import terminal
from vae.cli.terminal import Bar

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def told(clock: list[float], capsys: pytest.CaptureFixture[str], *steps: tuple[float, str, float]) -> list[str]:
    """What a bar says at each step: seconds since the one before, the part, and the share that is done."""
    bar, said = Bar(), []
    for seconds, part, share in steps:
        clock[0] += seconds
        bar.draw(part, share)
        said.append(capsys.readouterr().err.strip())
    return said


def test_a_bar_says_what_is_computed_how_far_it_is_and_how_long_the_rest_takes(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    said = told(
        clock, capsys, (0, "ais", 0), (7, "ais", 0), (3, "ais", 0.1), (10, "exact", 0.5), (2, "exact", 0.0),
        (300, "x" * 60, 0.5),
    )  # fmt: skip
    assert [line.partition("]")[2].strip() for line in said] == [
        "0% ais, 0 s", "0% ais, 7 s", "10% ais, 2 min left", "50% exact, 20 s left",
        "0% exact, 0 s", f"50% {'x' * 36}, 5 min left",
    ]  # fmt: skip
    assert said[3].startswith("[##########          ]") and all(len(line) < 80 for line in said)


def test_a_log_has_one_line_for_a_part_that_takes_long(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    said = told(clock, capsys, (0, "ais", 0), (9, "ais", 0.1), (2, "ais", 0.2), (60, "ais", 0.9), (1, "exact", 0.95))
    assert said == ["", "", "ais ...", "", ""]


@pytest.mark.slow
@pytest.mark.parametrize("words", ["report mnist-2d", "evaluate mnist-2d --method=ais", "compare mnist-2d"])
def test_ctrl_c_ends_a_long_command_with_one_line(words: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VAE_CHECKPOINTS": str(tmp_path / "models")}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vae", *words.split(), "--data=mnist-sample"]
    with subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
    ) as run:
        os.close(theirs)
        said = b""
        while said.count(b"[") < 2:  # it is at work
            said += os.read(ours, 1000)
        run.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # a terminal whose other side is closed
            while more := os.read(ours, 1000):
                said += more
        assert run.stdout and run.stdout.read() == b"" and run.wait() == 130
    os.close(ours)
    assert b"Traceback" not in said and said.decode().rpartition("\r")[0].endswith(" \rstopped")
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and not each.name.endswith(".part.npz")]
