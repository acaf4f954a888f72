"""pythae in an environment of its own, made when first asked for, beside this file in `.cache/`."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from benchmarks.measure import say

__all__ = ["pythae", "timed"]

VERSION = "0.1.2"
FOLDER = Path(__file__).parent / ".cache" / f"pythae-{VERSION}"
PYTHON = FOLDER / ("Scripts" if sys.platform == "win32" else "bin") / "python"
READY = FOLDER / "ready"


def pythae() -> bool:
    """Makes the environment if need be; returns whether it is there, and says why if it is not.

    This project's PyTorch is shared, so that both run the same one, and nothing large is fetched.
    """
    if READY.exists():
        return True
    say(f"making an environment for pythae {VERSION}")
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True, capture_output=True)
        place = subprocess.run([PYTHON, "-c", find], check=True, capture_output=True, text=True).stdout.strip()
        (Path(place) / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"pythae=={VERSION}"]
        subprocess.run(install, check=True, capture_output=True, text=True, timeout=600)
        timed(256, False)
    except (subprocess.SubprocessError, OSError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        say(f"pythae's rows are left out, for it could not be installed or run: {''.join(map(str, reason))}")
        return False
    READY.touch()
    return True


def timed(images: int, convolutional: bool) -> float:
    """Returns the seconds of one epoch of pythae's trainer over so many images."""
    words = ["-m", "benchmarks.pythae_peer", str(images), "convolutional" if convolutional else "mlp"]
    root = Path(__file__).parents[1]
    run = subprocess.run([PYTHON, *words], cwd=root, check=True, capture_output=True, text=True)
    return float(run.stdout.split()[-1])
