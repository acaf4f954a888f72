"""requirements.lock: what requirements.txt pins and all that it brings along, with hashes; and the audit of it."""

import importlib.metadata
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests import audit

TEXT = audit.LOCK.read_text()
LOCKED = audit.locked(TEXT)
PINS = re.findall(r"^([\w-]+)==(\S+)", audit.LOCK.with_name("requirements.txt").read_text(), re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_has_every_pin() -> None:
    assert PINS and {name: LOCKED.get(name) for name, _ in PINS} == dict(PINS)


def test_every_package_has_hashes_and_no_index_is_named() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^#.*\n", "", TEXT))
    assert len(blocks) == len(LOCKED)
    assert [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert "://" not in TEXT and "--index" not in TEXT and "--find-links" not in TEXT


def test_the_lock_is_closed() -> None:
    """What the packages here need, as far as they are those of the lock, is in it, and in a version that they take."""
    missing = []
    for name, version in LOCKED.items():
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform
        if found.version != version:
            continue
        for line in found.requires or ():
            need = Requirement(line)
            if need.marker and not need.marker.evaluate(dict(default_environment()) | {"extra": ""}):
                continue
            have = LOCKED.get(normal(need.name))
            if have is None or not need.specifier.contains(have, prereleases=True):
                missing.append(f"{name} needs {need}, the lock has {have}")
    assert missing == []


@pytest.fixture
def service() -> Iterator[tuple[str, list[bytes]]]:
    """A stand-in for osv.dev on loopback: what it answers to the next questions is put into the list."""
    answers: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            assert {"package": {"name": "pillow", "ecosystem": "PyPI"}, "version": LOCKED["pillow"]} in asked
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers.pop())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answers
    server.shutdown()
    server.server_close()


def test_the_audit_names_what_is_known(service: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]) -> None:
    address, answers = service
    results: list[dict] = [{} for _ in LOCKED]
    answers.append(json.dumps({"results": results}).encode())
    assert audit.main(address) == 0 and "None of the" in capsys.readouterr().out
    results[list(LOCKED).index("pillow")] = {"vulns": [{"id": "GHSA-0000"}]}
    answers.append(json.dumps({"results": results}).encode())
    assert audit.main(address) == 1
    assert f"pillow {LOCKED['pillow']} has known weaknesses: GHSA-0000" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"results": []}', None])
@pytest.mark.slow
def test_an_audit_without_its_data_is_one_line(
    answer: bytes | None, service: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, answers = service
    if answer is not None:
        answers.append(answer)
    assert audit.main(address if answer is not None else "http://127.0.0.1:1/") == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith("Dependencies were not audited:")
