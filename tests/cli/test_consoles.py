"""The command in a real shell: pipes that close, consoles that know ASCII alone, folders that are made."""

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vae.cli import main
from vae.model import ModelConfig, Record, TrainConfig, build, save

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "vae"]


def test_a_pipe_that_closes_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, "models", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout and run.stderr
        run.stdout.read(5)
        run.stdout.close()  # most of it is still to come, more than a pipe holds
        assert run.stderr.read() == b""


def test_a_console_that_knows_ascii_alone_is_told_in_ascii() -> None:
    words = ["evaluate", "mnist-2d", "--data=mnist-sample", "--method=elbo", "--images=20", "--samples=2"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    run = subprocess.run([*COMMAND, *words], env=environment, capture_output=True)
    assert run.returncode == 0 and b" +- " in run.stdout and run.stderr == b""


def test_folders_that_are_made_are_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    place = tmp_path / "new" / "folder" / "x.png"
    for said in (f"The folder {place.parent} was created for it.\n", ""):
        assert main(["sample", "mnist-2d", "--count=4", f"--out={place}"]) == 0
        assert capsys.readouterr() == (f"{place}\n", said)


@pytest.mark.parametrize("size", [28, 12])
def test_a_model_of_images_that_nobody_here_has(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    config = ModelConfig(encoder_layers=(8,), decoder_layers=(8,), image_shape=(size, size))
    save(build(config), Record(name="of-mine", model=config, training=TrainConfig(data="mine")))
    code = main(["evaluate", "of-mine", "--method=elbo", "--samples=2", "--images=3"])
    out, err = capsys.readouterr()
    assert (code, "nats per image" in out) == ((0, True) if size == 28 else (2, False))
    known = "of-mine was trained on mine, which is not available" if size == 28 else "belongs to the data set 'mine'"
    assert known in err


def test_a_whole_comparison_is_printed_from_where_nobody_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.delenv("VAE_CHECKPOINTS", raising=False)

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    for name in ("unlink", "mkdir", "replace"):
        monkeypatch.setattr(Path, name, refuse)
    assert main(["compare", "mnist-2d", "--data=mnist-sample", "--images=50"]) == 0
    assert "| exact |" in capsys.readouterr().out


def test_a_flag_that_is_none_is_said_with_the_command_that_knows_the_flags(capsys: pytest.CaptureFixture) -> None:
    for words, says in (
        (["train", "x", "--latnt", "3"], "vae train: unrecognized arguments: --latnt 3; see vae train --help."),
        (["app", "--server.headless=true"], "Options for Streamlit must come after --."),
    ):
        with pytest.raises(SystemExit):
            main(words)
        assert says in capsys.readouterr().err
    assert main([]) == 2 and "train a model and save it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("modls", "Did you mean 'models'? See vae --help."),
        ("model exprt x", "Did you mean 'export'? See vae model --help."),
        ("data fashon-mnist", "Did you mean 'fashion-mnist'? See vae data --help."),
        ("train x --preset=quick2d", "Did you mean 'quick-2d'? See vae train --help."),
        ("evaluate mnist-bernouli-2d", "Did you mean 'mnist-bernoulli-2d'?"),
        ("evaluate mnist-2d --data=mnsit-sample", "Did you mean 'mnist-sample'?"),
        ("train x --data=mnsit-sample", "Did you mean 'mnist-sample'?"),
    ],
)
def test_a_name_that_is_mistyped_is_guessed(words: str, says: str, capsys: pytest.CaptureFixture) -> None:
    try:
        assert main(words.split()) == 2
    except SystemExit as end:
        assert end.code == 2
    assert capsys.readouterr().err.endswith(f"{says}\n")


@pytest.mark.parametrize("words", ["xyzzy", "data xyzzy", "evaluate xyzzy"])
def test_nothing_is_guessed_where_nothing_is_like_it(words: str, capsys: pytest.CaptureFixture) -> None:
    with contextlib.suppress(SystemExit):
        main(words.split())
    assert "Did you mean" not in capsys.readouterr().err


def test_a_data_set_that_is_none_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    assert main(["train", "x", "--data", "shaps"]) == 2
    assert "shaps" in capsys.readouterr().err and not (tmp_path / "own" / "x").exists()
