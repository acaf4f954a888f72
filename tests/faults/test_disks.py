"""A disk that is full, and one that may only be read, below an app that is open.

The app opens on what it can read and says so; what would be kept is refused in a sentence, and nothing is left of it.
"""

import contextlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import vae
from tests.app.test_pages import PAGES, opened
from tests.browser.conftest import free_port, launched
from tests.faults.test_links import CHAPTERS
from tests.visitor import Visitor
from tests.waiting import wait_for
from vae import jobs
from vae.model import locate

SAYS = {"full": "No space left on device", "read-only": "Read-only file system"}


def fill(place: Path) -> None:
    """Takes the last byte."""
    with contextlib.suppress(OSError), (place / "other").open("wb", buffering=0) as other:
        while other.write(bytes(4096)):
            pass


def refuse(place: Path) -> None:
    """Lets nothing be written any more."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small file system with models, data sets and caches, where one may mount it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("root, who may mount a file system")
    for kind in ("checkpoints", "data", "cache"):
        monkeypatch.setenv(f"VAE_{kind.upper()}", str(place / kind))
    config = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,))
    vae.save(vae.build(config), vae.Record(name="mine", model=config, training=vae.TrainConfig(data="mnist-sample")))
    (place / "data").mkdir()
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def tree(place: Path) -> dict[str, int]:
    """All files and folders of models and data sets, but for the empty lock of the queue."""
    found = [path for kind in ("checkpoints", "data") for path in (place / kind).rglob("*")]
    return {path.relative_to(place).as_posix(): path.stat().st_size for path in found if path.name != ".queue.lock"}


def press(visitor: Visitor, key: str) -> str:
    """Presses a button, and returns what the page says of it that went wrong."""
    visitor.ask(**{key.replace(".", "__"): True})
    visitor.wait()
    (sentence,) = visitor.said("error")
    return sentence


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "spoil"), [("full", fill), ("read-only", refuse)])
def test_the_app_shows_what_is_there_and_keeps_nothing(disk: Path, kind: str, spoil: Callable, tmp_path: Path) -> None:
    port = free_port()
    with launched(tmp_path, port, VAE_CHECKPOINTS=str(disk / "checkpoints")):
        visitor = Visitor(port)
        visitor.visit("models", "model=mine")
        assert not visitor.said("warning")
        spoil(disk)
        before = tree(disk)
        for page in PAGES:
            visitor.visit(Path(page).stem, "model=mine")
            assert any("Nothing can be saved" in text for text in visitor.said("warning")), (page, visitor.faults)
            assert not visitor.said("error"), page
        for chapter in CHAPTERS:
            visitor.visit("lesson", f"model=mnist-2d&chapter={chapter}")
            assert not visitor.said("error"), chapter

        visitor.visit("train", "model=mine")
        visitor.set("train.name", string_value="learned")
        visitor.ask()
        visitor.wait()
        assert SAYS[kind] in press(visitor, "train.start")
        assert jobs.status("learned") is None and not list(jobs.known())

        visitor.visit("models", "model=mine")
        visitor.set("models.one", string_value="mine")
        visitor.set("models.new", string_value="other")
        visitor.ask()
        visitor.wait()
        for button in ("models.copy", "models.delete")[: 1 if kind == "full" else 2]:  # a deletion makes room
            assert SAYS[kind] in press(visitor, button), button
        visitor.upload("models.files0", "m.safetensors", locate("mine").read_bytes())
        visitor.ask()
        visitor.wait()
        visitor.set("models.name", string_value="mailed")
        visitor.ask()
        visitor.wait()
        assert SAYS[kind] in press(visitor, "models.keep")

        visitor.visit("data", "model=mine")
        content = io.BytesIO()
        np.save(content, np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8))
        visitor.upload("data.files0", "images.npy", content.getvalue())
        visitor.ask()
        visitor.wait()
        visitor.set("data.name", string_value="kept")
        visitor.ask()
        visitor.wait()
        assert "free" in press(visitor, "data.keep")
        wait_for(lambda: not jobs.queue())
        assert not visitor.faults and tree(disk) == before


@pytest.mark.parametrize("page", ["data", "models"])
def test_an_upload_that_finds_no_room_is_said(page: str, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a browser sends is put into the system's folder for such things first."""

    def full(*_where: object, **_named: object) -> str:
        raise OSError(28, "No space left on device")

    app = opened(f"pages/train/{page}.py").run()
    key = "data.files0" if page == "data" else "models.files0"
    app.file_uploader(key=key).set_value([("a.npy" if page == "data" else "a.safetensors", b"content", "")])
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    app.run()
    assert not app.exception and "No space left" in app.error[0].value and not own_folders.exists()
