"""Cuts a process, and every Python that it starts, off from all but this machine, and writes down what it asks for.

Python imports a module of this name when it starts, from wherever PYTHONPATH leads; only tests put this folder there.
`$VAE_TEST_CAUGHT` names the file. Each line is a JSON list: "watched" and the words of a process that was started, or
what was asked for and of whom. What is asked for is refused as where there is no network.
"""

import errno
import ipaddress
import json
import os
import socket
import sys

_FILE = os.environ["VAE_TEST_CAUGHT"]
_ASKS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0,
         "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}  # fmt: skip


def _write(*what: object) -> None:
    with open(_FILE, "a") as file:  # appended at once, so that lines of several processes do not mix
        file.write(json.dumps(what, default=str) + "\n")


def _is_here(host: object) -> bool:
    """Tells whether a host is this machine: loopback, or the empty address that a server listens on."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _look(event: str, args: tuple) -> None:
    if event in _ASKS:
        whom = args[_ASKS[event]]
        if event == "socket.connect" and args[0].type == socket.SOCK_DGRAM:
            return  # nothing is sent by that; it tells a machine its own address
        if isinstance(whom, tuple):
            whom = whom[0]
        elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            return  # a socket of the file system, or one that is connected already
        if not _is_here(whom):
            _write(event, whom)
            if event.startswith("socket.get"):
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
    elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec") and os.fsdecode(args[0]) != sys.executable:
        _write(event, os.fsdecode(args[0]), args[1])  # which nobody watches
    elif event == "os.system":
        _write(event, os.fsdecode(args[0]))


_write("watched", sys.orig_argv)
sys.addaudithook(_look)
