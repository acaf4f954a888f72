"""One's own models are renamed, copied, discarded and brought back; those that ship are not."""

import os
from pathlib import Path

import pytest

import vae
from vae.errors import CheckpointError
from vae.jobs import shelf
from vae.jobs.job import tell
from vae.model.checkpoints import catalogue

CONFIG = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,), image_shape=(4, 4))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    return tmp_path / "own"


def saved(name: str) -> None:
    vae.save(vae.build(CONFIG), vae.Record(name=name, model=CONFIG, training=vae.TrainConfig()))
    (vae.model.folders()[0] / name / "result.npz").write_bytes(b"found out")


def names() -> list[str]:
    records, troubles = catalogue()
    assert not troubles
    return [record.name for record in records if record.name not in shelf.SHIPPED]


def test_the_models_that_ship_are_those_in_the_folder_that_ships() -> None:
    folder = vae.paths.SHIPPED / "checkpoints"
    assert set(shelf.SHIPPED) <= {path.parent.name for path in folder.glob("*/model.safetensors")}
    card = (folder / "README.md").read_text()
    assert all(f"`{name}`" in card or name in card for name in shelf.SHIPPED)


def test_a_model_gets_another_name_with_its_results(own: Path) -> None:
    saved("a")
    shelf.rename("a", "b")
    assert names() == ["b"] and (own / "b" / "result.npz").is_file() and not (own / "a").exists()


def test_a_mailed_file_gets_another_name_too(own: Path) -> None:
    saved("a")
    (own / "a" / "model.safetensors").rename(own / "bob.safetensors")
    (own / "a").rename(own / "bob")
    shelf.rename("bob", "b")
    assert names() == ["b"] and (own / "b.safetensors").is_file() and (own / "b" / "result.npz").is_file()


def test_a_copy_has_what_the_model_has_and_leaves_it(own: Path) -> None:
    saved("a")
    os.utime(own / "a" / "model.safetensors", (1e9, 1e9))
    shelf.copy("a", "b")
    assert names() == ["a", "b"]
    assert (own / "b" / "model.safetensors").stat().st_mtime > 1e9  # it is newer than what it is of
    assert (own / "b" / "result.npz").read_bytes() == b"found out"
    shelf.copy("mnist-2d", "mine")
    assert vae.read_record("mine").model == vae.read_record("mnist-2d").model


def test_what_is_discarded_comes_back(own: Path) -> None:
    saved("a")
    token = shelf.discard("a")
    assert names() == [] and shelf.discarded() == [token]
    assert shelf.bring_back(token) == "a"
    assert names() == ["a"] and (own / "a" / "result.npz").is_file() and not shelf.discarded()
    token = shelf.discard("a")
    saved("a")
    with pytest.raises(CheckpointError, match="is taken"):
        shelf.bring_back(token)
    with pytest.raises(CheckpointError, match="no longer exists"):
        shelf.bring_back("../a")


def test_only_the_last_ones_can_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEPT", 2)
    tokens = []
    for name in ("a", "b", "c"):
        saved(name)
        tokens.append(shelf.discard(name))
    assert shelf.discarded() == tokens[:0:-1]


def test_what_may_not_be_changed_is_said(own: Path) -> None:
    saved("a")
    saved("busy")
    tell(own / "busy", "running")
    for act, says in (
        (lambda: shelf.rename("mnist-2d", "b"), "cannot be changed"),
        (lambda: shelf.discard("mnist-2d"), "cannot be changed"),
        (lambda: shelf.discard("nobody"), "there is no"),
        (lambda: shelf.discard("busy"), "is being trained"),
        (lambda: shelf.rename("a", "No Name"), "lower-case"),
        (lambda: shelf.rename("a", "busy"), "is taken"),
        (lambda: shelf.rename("a", "mnist-2d"), "is taken"),
        (lambda: shelf.copy("a", "busy"), "is taken"),
        (lambda: shelf.copy("nobody", "b"), "there is no model"),
    ):
        with pytest.raises(CheckpointError, match=says):
            act()
    assert names() == ["a", "busy"]
    assert shelf.own("a") and not shelf.own("busy") and not shelf.own("mnist-2d") and not shelf.own("nobody")


def test_a_folder_that_may_not_be_written_to_is_said(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved("a")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CheckpointError, match="could not be moved"):
        shelf.rename("a", "b")
    with pytest.raises(CheckpointError, match="could not be moved"):
        shelf.copy("a", "b")
    assert names() == ["a"] and not list(own.glob(".*.part"))
