"""The command `data`: what it lists, imports and removes; a training on a set of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.own_images import small_images, write_folder
from vae import data
from vae.cli import commands as cli
from vae.model.checkpoints import read_record

SMALL = ("--encoder-layers=8", "--decoder-layers=8", "--epochs=1", "--batch-size=20")


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path / "data"


def run(capsys, *words: str) -> tuple[int, str, str]:
    try:
        code = cli.main([str(word) for word in words])
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path, *small_images(30, (6, 7)))[0]


def test_a_single_class_is_said(capsys, tmp_path: Path, own: Path) -> None:
    images, _ = small_images(30, (6, 7))
    np.savez(tmp_path / "alike.npz", images=images, labels=np.zeros(30, int))
    code, out, err = run(capsys, "data", "import", tmp_path / "alike.npz", "--name=alike")
    assert (code, out) == (0, "27 + 3 images of 6 x 7 pixels, one class, 0.0 MB: alike\n"), err


@pytest.mark.slow
def test_images_are_imported_listed_trained_on_and_removed(capsys, source: Path, own: Path) -> None:
    said = "27 + 3 images of 6 x 7 pixels, 3 classes, 0.0 MB: My shapes\n"
    code, out, err = run(capsys, "data", "import", source, "--name=mine", "--title=My shapes")
    assert (code, out) == (0, said)
    assert err.splitlines() == [
        f"30 images in {source}: image files",
        "3 images, chosen at random, in equal proportion from each class, are held out.",
        "Images that are sorted by class are shuffled.",
    ]
    lines = run(capsys, "data")[1].splitlines()
    assert [line.split()[0] for line in lines] == [*data.NAMES, "mine"]
    assert lines[-1].endswith(said.strip()) and "vae data kmnist" in lines[2]
    assert lines[-2].endswith("10,000 + 2,000 images of 28 x 28 pixels, 10 classes, 9.4 MB: A sample of MNIST")
    listed = json.loads(run(capsys, "data", "--json")[1])
    assert listed[-1]["train"] == 27 and listed[-1]["classes"] == ["2", "10", "b"] and listed[-1]["bytes"] == 30 * 42
    assert [each["available"] for each in listed[-2:]] == [True, True] and listed[2] == {
        "name": "kmnist", "available": False,
    }  # fmt: skip
    assert run(capsys, "data", "mine")[1] == "My shapes: 27 training and 3 test images\n"
    code, _, err = run(capsys, "train", "a-model", "--data=mine", *SMALL)
    assert code == 0, err
    record = read_record("a-model")
    assert record.model.image_shape == (6, 7) and record.training.data == "mine" and record.model.channels == ()
    assert run(capsys, "evaluate", "a-model", "--images=3")[0] == 0
    code, out, err = run(capsys, "data", "remove", "mine")
    assert (code, out) == (2, "") and "give --yes" in err and (own / "mine").exists()
    assert run(capsys, "data", "remove", "mine", "--yes") == (0, "removed mine\n", "")
    assert not (own / "mine").exists()
    assert run(capsys, "data", "remove", "mnist", "--yes")[0] == 2


def test_a_name_that_is_taken_says_the_way_out(capsys, source: Path) -> None:
    assert run(capsys, "data", "import", source, "--name=mine")[0] == 0
    _, _, err = run(capsys, "data", "import", source, "--name=mine")
    assert "'mine' is taken. Choose another, or remove that set first (vae data remove mine)." in err
    assert run(capsys, "data", "import", source, "--name=mnist")[2].endswith("'mnist' is taken. Choose another.\n")


@pytest.mark.parametrize(("answer", "stays"), [("y", False), ("", True), ("no", True)])
def test_a_person_is_asked_before_a_set_is_removed(
    answer: str, stays: bool, capsys, source: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, "data", "import", source, "--name=mine")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    assert run(capsys, "data", "remove", "mine")[0] == 0
    assert (own / "mine").exists() == stays


def test_the_flags_of_an_import_say_what_is_done(capsys, tmp_path: Path) -> None:
    colours, _ = small_images(12, (9, 9, 3))
    np.save(tmp_path / "train.npy", colours)
    np.save(tmp_path / "test.npy", colours[:4])
    (tmp_path / "train.txt").write_text("x\n" * 12)
    (tmp_path / "test.txt").write_text("y\n" * 4)
    words = [
        "--test",
        tmp_path / "test.npy",
        "--labels",
        tmp_path / "train.txt",
        "--test-labels",
        tmp_path / "test.txt",
    ]
    words += ["--size", "5", "6", "--grey", "--invert"]
    code, out, err = run(capsys, "data", "import", tmp_path / "train.npy", "--name=mine", *words)
    assert (code, out) == (0, "12 + 4 images of 5 x 6 pixels, 2 classes, 0.0 MB: mine\n"), err
    for step in ("Colour is converted to grey.", "Images are resized to 5 x 6", "Light and dark are swapped."):
        assert step in err
    found = data.load_dataset("mine")
    assert found.train.labels.tolist() == [0] * 12 and found.test.labels.tolist() == [1] * 4
    code, out, _ = run(capsys, "data", "import", tmp_path / "train.npy", "--name=half", "--held-out=0.5")
    assert out.startswith("6 + 6 images of 9 x 9 pixels in colour, no labels")


@pytest.mark.parametrize(
    "words",
    [
        "nothing --name=mine", "{} --name=Mine", "{} --name=mnist", "{} --name=mine --held-out=1",
        "{} --name=mine --held-out=nan", "{} --name=mine --held-out=0.2 --test={}", "{} --name=mine --size=5",
        "{} --name=mine --size 0 5", "{} --name=mine --size 500 500", "{} --name=mine --labels=nothing",
        "{} --name=mine --test=nothing", "{} --name=mine --test-labels={}", "{}",
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_keeps_nothing(words: str, capsys, source: Path, own: Path) -> None:
    code, out, err = run(capsys, "data", "import", *words.replace("{}", str(source)).split())
    assert (code, out) == (2, "") and err.splitlines()[-1].startswith("vae data"), err
    assert not own.exists() or not list(own.iterdir())


def test_damaged_images_are_skipped_on_request_and_the_error_names_the_flag(capsys, source: Path, own: Path) -> None:
    victim = sorted(source.rglob("*.png"))[7]
    victim.write_bytes(victim.read_bytes()[:-40])
    code, out, err = run(capsys, "data", "import", source, "--name=mine")
    assert (code, out) == (2, "") and victim.name in err and not (own / "mine").exists()
    assert err.endswith("With --skip-bad, all images that cannot be read are skipped.\n")
    code, out, err = run(capsys, "data", "import", source, "--name=mine", "--skip-bad")
    assert code == 0 and out.startswith("26 + 3 images"), err
    assert f"Images that cannot be read are skipped: 1 of 30 ({victim.relative_to(source)})." in err.splitlines()


def test_a_warning_tells_that_all_images_are_identical(capsys, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((6, 8, 8), np.uint8))
    code, out, err = run(capsys, "data", "import", tmp_path / "x.npy", "--name=black")
    assert code == 0 and out.startswith("5 + 1 images")
    assert err.splitlines()[-1].startswith("Warning: All 6 images that were read are identical")


def test_large_images_get_convolutions_unless_told_otherwise(capsys, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((6, 66, 70), np.uint8))
    run(capsys, "data", "import", tmp_path / "x.npy", "--name=large")
    run(capsys, "train", "one", "--data=large", "--preset=quick-20d", *SMALL)
    record = read_record("one")
    assert record.model.channels == (32, 64, 128, 128) and record.training.initial == "random"
    run(capsys, "train", "two", "--data=large", "--channels=", *SMALL)
    assert read_record("two").model.channels == () and read_record("two").model.image_shape == (66, 70)
