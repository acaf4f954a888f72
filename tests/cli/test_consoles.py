"""The command in a real shell: pipes that close, consoles that know ASCII alone, folders that are made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vae.cli import main

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "vae"]


def test_a_pipe_that_closes_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "models", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout and run.stderr
        run.stdout.read(5)
        run.stdout.close()  # most of it is still to come, more than a pipe holds
        assert run.stderr.read() == b""


def test_a_console_that_knows_ascii_alone_is_told_in_ascii() -> None:
    words = ["evaluate", "mnist-2d", "--data=mnist-sample", "--method=elbo", "--images=20", "--samples=2"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    run = subprocess.run([*COMMAND, *words], env=environment, capture_output=True)
    assert run.returncode == 0 and b" +- " in run.stdout and run.stderr == b""


def test_folders_that_are_made_are_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    place = tmp_path / "new" / "folder" / "x.png"
    for said in (f"The folder {place.parent} was made for it.\n", ""):
        assert main(["sample", "mnist-2d", "--count=4", f"--out={place}"]) == 0
        assert capsys.readouterr() == (f"{place}\n", said)
