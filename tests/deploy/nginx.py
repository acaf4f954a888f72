"""The proxy of deploy/nginx.conf as a program of this machine, on loopback, with nothing of the system's own nginx."""

import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import HANG, wait_for

ROOT = Path(__file__).parents[2]
PORTS = ("8501", "8502")  # of the processes, in the file
WHOLE = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
    log_format whom "$upstream_addr";
    access_log {folder}/access.log whom;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/explorer.conf;
}}
"""


@contextmanager
def before(folder: Path, port: int, ports: list[int]) -> Iterator[str]:
    """Runs nginx on a port before processes on two others; skips where there is no nginx."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx")
    folder.mkdir()
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for written, used in zip(PORTS, ports, strict=True):
        assert f"127.0.0.1:{written};" in text
        text = text.replace(f"127.0.0.1:{written};", f"127.0.0.1:{used};")
    text = re.sub(r"listen \[::\]:80;", "", text).replace("listen 80;", f"listen 127.0.0.1:{port};")
    (folder / "explorer.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""  # or those who work for it may not write into the folder
    (folder / "nginx.conf").write_text(WHOLE.format(folder=folder, user=user))
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(command, stderr=errors)
    try:
        wait_for(lambda: (folder / "pid").exists() or process.poll() is not None, (folder / "errors").read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(HANG)


def answered(url: str, folder: Path, visitor: str) -> int:
    """Asks as a visitor of that cookie, and returns the port of the process that answered."""
    before = len((folder / "access.log").read_text().splitlines())
    request = urllib.request.Request(f"{url}/health", headers={"Cookie": f"vae_visitor={visitor}"})
    with urllib.request.urlopen(request, timeout=HANG) as answer:
        assert answer.status == 200 and answer.headers["Set-Cookie"] is None

    def lines() -> list[str]:
        return (folder / "access.log").read_text().splitlines()[before:]

    wait_for(lines)
    return int(lines()[0].rpartition(":")[2])
