"""The command `classroom`, which serves the explorer to a class on the local network.

The class has a folder with `class.json`: "lecturer" is the SHA-256 of the lecturer's key in hexadecimal, "address" is
where students find the explorer, and "limits" is written by the explorer's page Class. The key itself is shown only
once, in the lecturer's link, and is not stored anywhere.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import importlib.util
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

import psutil

from vae import paths
from vae.cli.app import loaded_mnist, serve
from vae.errors import ConfigError, VAEError
from vae.paths import write_aside

__all__ = ["add_classroom"]

_PORT = 8501


def add_classroom(commands: Any) -> None:
    """Adds the command to a parser."""
    command = commands.add_parser("classroom", help="serve the explorer to a class on the local network")
    command.add_argument("folder", nargs="?", help="folder of the class (default: classroom, next to checkpoints)")
    command.add_argument("--port", type=int, default=_PORT, help="port of the server (default: %(default)s)")
    command.add_argument("--address", help="IP address or name that students open, if this machine has several")
    command.add_argument("--password", action="store_true", help="ask for a password, which students must then enter")
    command.add_argument("--new-key", action="store_true", help="make a new lecturer's key; the old one stops working")
    command.set_defaults(run=_classroom)


def _classroom(chosen: argparse.Namespace) -> None:
    if not all(importlib.util.find_spec(name) for name in ("streamlit", "segno")):
        raise VAEError(
            "A class needs Streamlit and segno; install them with: python -m pip install 'vae-explorer[app]'"
        )
    if not 1 <= chosen.port <= 65535:
        raise ConfigError(f"port must be from 1 to 65535; it is {chosen.port}.")
    folder = (paths.given(chosen.folder) if chosen.folder else paths.own("classroom")).absolute()
    _refuse_port_in_use(chosen.port)
    name = chosen.address or _address()
    address = f"http://{name}:{chosen.port}"
    if chosen.password:
        _keep_password(folder)
    key = _keep(folder, address, chosen.new_key)
    loaded_mnist("classroom")
    _say(address, key)
    os.environ["VAE_CLASSROOM"] = str(folder)
    serve(
        [
            "--server.address=0.0.0.0", f"--server.port={chosen.port}", "--server.headless=true",
            f"--browser.serverAddress={name}", "--server.enableXsrfProtection=true", "--server.enableCORS=true",
            "--client.showErrorDetails=none", f"--secrets.files={folder / 'secrets.toml'}",
            "--logger.hideWelcomeMessage=true",
        ]
    )  # fmt: skip


def _keep(folder: Path, address: str, anew: bool) -> str | None:
    """Writes the file of the class; returns the lecturer's key if a new one was made, which is not stored anywhere.

    Raises:
        ConfigError: the file exists, but is damaged.
        CheckpointError: the file cannot be written.
    """
    path, found, key = folder / "class.json", {}, None
    if path.exists():
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path} is damaged ({error}). Delete it, and start the class again.") from error
    if anew or "lecturer" not in found:
        key = secrets.token_urlsafe(24)
        found["lecturer"] = hashlib.sha256(key.encode()).hexdigest()
    write_aside(path, json.dumps(found | {"address": address}, indent=1).encode())
    _for_me_alone(path)
    return key


def _keep_password(folder: Path) -> None:
    """Asks for the password of the class, and writes it where Streamlit reads secrets; an empty one removes it.

    Raises:
        CheckpointError: the file cannot be written.
    """
    try:
        given = getpass.getpass("Password of the class (empty for none): ")
    except EOFError as error:
        raise ConfigError(
            "A password must be typed, which is not possible here. Start the class in a terminal."
        ) from error
    path = folder / "secrets.toml"
    # for such text, the JSON string is also a valid TOML string
    content = f"[class]\npassword = {json.dumps(given, ensure_ascii=False)}\n" if given else ""
    write_aside(path, b"")
    _for_me_alone(path)  # before anything is written to it
    write_aside(path, content.encode())


def _for_me_alone(path: Path) -> None:
    try:
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"{path} could not be made private: {error.strerror}. Choose another folder.") from error


def _say(address: str, key: str | None) -> None:
    import segno

    print(f"\nStudents open {address}\n")
    segno.make(address, micro=False).terminal(compact=True)
    if key:
        print(f"\nThe lecturer's link, shown only this once (--new-key makes a new one):\n{address}/?key={key}\n")
    else:
        print("\nThe lecturer's link was shown when the class was created (--new-key makes a new one).\n")
    print("Press Ctrl-C to end the class.", flush=True)


def _refuse_port_in_use(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just released counts as free
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise ConfigError(f"A class needs a free port; {port}: {error.strerror}. Choose another: --port") from error


def _address() -> str:
    """Returns the address of this machine on the local network, or the loopback address if it is on none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a reserved address; nothing is sent, but the system chooses a network
            return probe.getsockname()[0]
        except OSError:  # there is no route out of the local network
            pass
    networks = psutil.net_if_addrs().items()
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    found = [
        each.address
        for name, all_of_it in networks
        if name in up
        for each in all_of_it
        if each.family == socket.AF_INET
    ]
    return next((address for address in found if not address.startswith("127.")), "127.0.0.1")
