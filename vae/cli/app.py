"""The command `app`, which opens the explorer in a browser from any folder."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from typing import Any

from vae import data, paths
from vae.cli.uses import loaded
from vae.errors import DataError, VAEError
from vae.settings import read_record

__all__ = ["add_app", "loaded_mnist", "serve"]


def add_app(commands: Any) -> None:
    """Adds the command to a parser."""
    command = commands.add_parser("app", help="open the explorer in a browser")
    command.add_argument("--port", type=int, help="port of the server; by default 8501 or the next free one")
    command.add_argument("--model", help="model that is selected at first")
    command.add_argument(
        "options", nargs="*", help="options for streamlit run, after --, as in: vae app -- --server.headless=true"
    )
    command.set_defaults(run=_app)


def _app(chosen: argparse.Namespace) -> None:
    if importlib.util.find_spec("streamlit") is None:
        raise VAEError("The explorer needs Streamlit; install it with: python -m pip install 'vae-explorer[app]'")
    loaded_mnist("app")
    if chosen.model:
        os.environ["VAE_MODEL"] = read_record(chosen.model).name
    serve([*([] if chosen.port is None else [f"--server.port={chosen.port}"]), *chosen.options])


def loaded_mnist(command: str) -> None:
    """Fetches MNIST if it is missing; if that fails, says that the explorer uses the sample instead."""
    if not data.available("mnist"):
        try:
            loaded("mnist")
        except DataError as error:
            print(f"vae {command}: {error}", file=sys.stderr)
            print("Using the sample of MNIST that ships with the explorer instead.", file=sys.stderr)


def serve(options: list[str]) -> None:
    """Runs the explorer's server in place of this process or, if the system does not support that, as its child.

    Arguments:
        options: for `streamlit run`.

    Raises:
        VAEError: the server ended with an error.
    """
    command = [sys.executable, "-m", "streamlit", "run", str(paths.SHIPPED / "app.py"), *options]
    if os.name == "posix":  # the server replaces this process, so that ending this process ends the server
        os.execv(command[0], command)
    if code := subprocess.call(command):
        raise VAEError(f"The server ended with status {code}.")
