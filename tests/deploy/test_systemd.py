"""The unit that a department can take as it is, as systemd reads it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "vae-explorer@.service"
PROGRAM = "/opt/vae-explorer/bin/vae"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze")
    text = UNIT.read_text()
    assert PROGRAM in text
    copy = tmp_path / "vae-explorer@8501.service"
    copy.write_text(text.replace(PROGRAM, sys.executable))  # a program that there is on this machine
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    run = subprocess.run(["systemd-analyze", "verify", str(copy)], env=environment, capture_output=True, text=True)
    said = [line for line in run.stderr.splitlines() if "vae-explorer" in line]
    assert run.returncode == 0 and not said, run.stderr
