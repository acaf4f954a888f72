"""The package vae-explorer: what it asks for, what a wheel holds, and that it works far from a checkout."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins() -> dict[str, Version]:
    """What the files of requirements pin."""
    lines = [line for name in ("", "-extra") for line in (ROOT / f"requirements{name}.txt").read_text().splitlines()]
    found = (re.match(r"([\w-]+)==(\S+)", line) for line in lines)
    return {match[1]: Version(match[2]) for match in found if match}


def test_what_is_pinned_is_what_the_package_allows() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    asked = {each.name: each for group in groups for each in map(Requirement, group)}
    assert asked.keys() == pins().keys()
    assert [name for name, version in pins().items() if version not in asked[name].specifier] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("vae_explorer-*.whl"))


def test_a_wheel_holds_all_that_ships_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    beside = ("app.py", "pages/", "checkpoints/", "data/mnist-sample.npz", ".streamlit/config.toml")
    wanted = {name for name in known if name.startswith("vae/")}
    wanted |= {f"vae/explorer/{name}" for name in known if name.startswith(beside) or name.endswith(".mo")}
    assert {name for name in names if ".dist-info/" not in name} == wanted


@pytest.fixture
def away(wheel: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which the wheel is found, and no checkout; run there, nothing is written to its folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VAE_", "XDG_"))}
    return kept | {"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}


COMMANDS = """
from vae.cli import main

def vae(line):
    assert main(line.split()) == 0, line

vae("train mine --data=mnist-sample --epochs=1 --share=0.05 --encoder-layers=8 --decoder-layers=8")
vae("models")
for name in ("mine", "mnist-bernoulli-2d"):
    vae(f"evaluate {name} --data=mnist-sample --method=elbo --images=10 --samples=5")
vae("project mnist-2d --data=mnist-sample --images=120")
vae("sample mine --count=4 --out=four.png")
"""


def test_the_wheel_works_in_any_folder(away: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    before = sorted((tmp_path / "site").rglob("*.[!p]*"))
    command = [sys.executable, "-P", "-c", COMMANDS]
    run = subprocess.run(command, cwd=tmp_path / "elsewhere", env=away, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    listed = {line.partition(" ")[0] for line in run.stdout.splitlines()}
    assert {"mine", "mnist-2d", "mnist-20d"} <= listed and run.stdout.count("nats per image") == 2
    assert (tmp_path / "elsewhere" / "four.png").stat().st_size > 0
    assert sorted((tmp_path / "site").rglob("*.[!p]*")) == before  # what is bytecode aside
    own = {path.name for path in (tmp_path / "home").rglob("*") if path.is_file()}
    assert {"model.safetensors", "projection-mnist-sample-tsne.npz"} <= own


def test_the_command_is_installed() -> None:
    run = subprocess.run([Path(sys.executable).with_name("vae"), "--version"], cwd="/", capture_output=True, text=True)
    assert run.stdout == f"vae-explorer {PROJECT['version']}\n"
