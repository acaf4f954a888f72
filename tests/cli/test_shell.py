"""A shell lists, helps and refuses without PyTorch, and whatever else takes long to import."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vae import data
from vae.cli import commands
from vae.data import NAMES

pytestmark = pytest.mark.slow

HEAVY = {"torch", "torchvision", "streamlit", "plotly", "sklearn", "arviz_stats", "umap", "onnx", "pyarrow", "pandas"}
HEAVY |= {"scipy.ndimage", "scipy.stats", "scipy.optimize"}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def shell(tmp_path: Path):
    """Runs a command in a process of its own; its exit code, what it says, and which heavy modules it imports."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VAE_DATA": str(tmp_path), "VAE_CHECKPOINTS": str(tmp_path)}

    def run(*words: str) -> tuple[int, str, set[str]]:
        command = [sys.executable, "-X", "importtime", "-m", "vae", *words]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        lines = ended.stderr.splitlines()
        imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
        assert "vae.cli" in imported  # so that the rest of the set can be believed
        said = [line for line in lines if not line.startswith("import time:")]
        return ended.returncode, "\n".join([ended.stdout, *said]).strip(), imported & HEAVY

    return run


@pytest.mark.parametrize(
    "words", ["", "--help", "--version", "train --help", "evaluate --help", "models", "data --json"]
)
def test_what_only_tells_imports_nothing_heavy(words: str, shell) -> None:
    code, said, heavy = shell(*words.split())
    assert (code, heavy) == (0 if words else 2, set()) and said


def test_lists_have_the_models_and_the_sets_that_there_are(shell) -> None:
    code, said, heavy = shell("models")
    assert (code, heavy) == (0, set()) and "mnist-20d " in said
    code, said, heavy = shell("data")
    assert (code, heavy) == (0, set()) and [line.split()[0] for line in said.splitlines()] == [*NAMES]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("evaluat", "Did you mean 'evaluate'?"),
        ("data mnst", "Did you mean 'mnist'?"),
        ("models --wrong", "unrecognized arguments: --wrong"),
        ("train new --epochs=many", "invalid int value: 'many'"),
        ("train new --epochs=0", "epochs must be a whole number"),
        ("train new --preset=quick-3d", "Did you mean 'quick-2d'?"),
        ("train new --data=mnst", "Did you mean 'mnist'?"),
        ("train New", "A model's name is 1 to 64 lower-case letters"),
        ("evaluate mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("evaluate mnist-2d --method=exat", "Did you mean 'exact'?"),
        ("evaluate mnist-2d --method=exact --samples=3", "Samples and replicates apply to Monte Carlo methods"),
        ("evaluate mnist-2d --sandwich", "--sandwich runs ais once from both sides"),
        ("evaluate mnist-autoencoder-2d", "is a plain autoencoder"),
        ("compare mnist-2d --images=0", "images must be at least 1"),
        ("sample mnist-2d --count=0", "count must be from 1 to 10,000"),
        ("sample mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("project mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("codes mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("features mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("report mnist-2d --against mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("model export mnist-2dd --onnx=here", "Did you mean 'mnist-2d'?"),
        ("model rename mnist-2dd new", "Did you mean 'mnist-2d'?"),
        ("model remove mnist-2dd", "Did you mean 'mnist-2d'?"),
        ("model import here --name=new --data=mnst", "Did you mean 'mnist'?"),
    ],
)
def test_a_refusal_imports_nothing_heavy(words: str, says: str, shell) -> None:
    code, said, heavy = shell(*words.split())
    assert (code, heavy) == (2, set()) and says in said and said.count("\n") == 0


@pytest.mark.slow
def test_what_needs_pytorch_gets_it(shell) -> None:
    code, _, heavy = shell("sample", "mnist-2d", "--count=1")
    assert code == 0 and "torch" in heavy


def without_help(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yields the arguments of a parser and its subparsers that have no help text, and commands that are not listed."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            if not action.help:
                yield f"{parser.prog}: {action.option_strings or action.dest}"
            continue
        listed = {each.dest for each in action._choices_actions if each.help}
        for name, below in action.choices.items():
            if name not in listed and name not in data.names():  # `vae data NAME` has a line for all names
                yield below.prog
            yield from without_help(below)


def test_every_argument_of_every_command_has_a_help_text() -> None:
    parser = argparse.ArgumentParser("odd")
    parser.add_argument("thing")
    parser.add_subparsers().add_parser("act").add_argument("--flag", action="store_true")
    assert list(without_help(parser)) == ["odd: thing", "odd thing act", "odd thing act: ['--flag']"]
    assert list(without_help(commands._parser())) == []
