"""Notebooks written before the library had wings go on working, and are told the new names."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vae
from vae import former

# The public names of each module when the library was flat, as its `__all__` had them.
PUBLIC = dict(line.split(": ") for line in Path(__file__).with_name("former.txt").read_text().splitlines())


@pytest.mark.parametrize("name", former.MODULES)
def test_each_former_module_is_the_one_of_today(name: str) -> None:
    sys.modules.pop(f"vae.{name}", None)
    with pytest.warns(DeprecationWarning, match=rf"vae\.{name} is vae\.{former.MODULES[name]} now"):
        found = importlib.import_module(f"vae.{name}")
    assert found is importlib.import_module(f"vae.{former.MODULES[name]}")


@pytest.mark.slow
def test_every_public_name_is_still_there() -> None:
    lines = ["import vae"]
    for module, names in PUBLIC.items():
        lines += [f"from vae.{module} import {', '.join(names.split())}", f"from vae import {module} as it"]
        lines += [f"assert vae.{module} is it, {module!r}"]
    run = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_name_that_never_was_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vae.nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vae.nothing")
