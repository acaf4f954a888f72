"""`import vae` takes a moment and has every name all the same, when it is asked for."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vae
from vae import former

LIBRARY = Path(vae.__file__).parent


def declared() -> list[tuple[str, str]]:
    """Module and name of all that mypy is told of the package."""
    tree = ast.parse(Path(vae.__file__).read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return [(node.module or "", alias.name) for node in nodes for alias in node.names if node.module != "vae"]


def test_each_name_is_the_one_that_mypy_is_told_of() -> None:
    assert {name for _, name in declared()} == set(vae.__all__)
    for module, name in declared():
        assert getattr(vae, name) is getattr(importlib.import_module(module), name), name


@pytest.mark.slow
def test_parts_of_the_library_are_there_without_an_import() -> None:
    wings = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert {*former.PARTS} == wings | {"paths"}
    lines = ["import vae", *(f"assert vae.{part}.__name__ == 'vae.{part}'" for part in former.PARTS)]
    run = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=LIBRARY.parent)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("import vae; dir(vae)", False),
        ("from vae import CheckpointError, ModelConfig, catalogue, load_dataset, read_record", False),
        ("import vae; vae.settings; vae.data; vae.cli", False),
        pytest.param("from vae import load", True, marks=pytest.mark.slow),
        pytest.param("from vae import *", True, marks=pytest.mark.slow),
    ],
)
def test_pytorch_comes_with_what_needs_it(line: str, heavy: bool) -> None:
    command = [sys.executable, "-c", f"import sys; {line}; print('torch' in sys.modules)"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=LIBRARY.parent)
    assert (run.stdout, run.stderr) == (f"{heavy}\n", "")


def test_completion_knows_all_names() -> None:
    command = [sys.executable, "-c", "import vae; print(*dir(vae))"]  # before any was asked for
    run = subprocess.run(command, capture_output=True, text=True, cwd=LIBRARY.parent)
    assert {*run.stdout.split()} >= {*vae.__all__, *former.PARTS}
