"""Where what ships lies, and where a user's own files go.

In a checkout both are its folders `checkpoints` and `data`. An installed package has what ships inside itself, in
`vae/explorer`, where nobody writes; a user's own files then go to the folder that the system has for them.
"""

import os
from pathlib import Path

import platformdirs

__all__ = ["INSTALLED", "LIBRARY", "SHIPPED", "given", "own", "writable"]

LIBRARY = Path(__file__).resolve().parent
INSTALLED = (LIBRARY / "explorer").is_dir()
SHIPPED = LIBRARY / "explorer" if INSTALLED else LIBRARY.parent  # has app.py, pages, locale, checkpoints and data


def given(path: str | os.PathLike[str]) -> Path:
    """Returns a path that a user gave, `~` expanded.

    Shells expand it only at the beginning of a word, so not in `--out=~/x.png`, and not within quotes.
    """
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user, so the path is meant as it is
        return path


def own(kind: str) -> Path:
    """Returns the folder of a user's own files of a kind, "checkpoints" or "data".

    It is what `$VAE_CHECKPOINTS` or `$VAE_DATA` says; without it, the folder of a checkout or, for an installed
    package, one of the user's, such as ~/.local/share/vae-explorer/checkpoints.
    """
    if said := os.environ.get(f"VAE_{kind.upper()}"):
        return given(said)
    return Path(platformdirs.user_data_path("vae-explorer")) / kind if INSTALLED else SHIPPED / kind


def writable(folder: Path) -> bool:
    """Tells whether a folder may be written to, or may be made where there is none."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
