"""Notebooks written before the library had wings go on working, and are told the new names."""

import importlib
import subprocess
import sys

import pytest

import vae
from vae import former

# What a notebook of the lesson, or the README, had of each module.
WRITTEN = [
    ("climb", "Climb"), ("derivation", "derive"), ("regulariser", "paid"), ("classifier", "load_classifier"),
    ("surgery", "surgery"), ("distributions", "prepare_pixels"), ("integrand", "grid_evidence"), ("evidence", "elbo"),
    ("gaps", "refine"), ("gradients", "gradient_draws"), ("slips", "kl_to_prior"), ("variance", "deviation_by_level"),
    ("oddities", "odd"), ("features", "linear_accuracy"), ("annealing", "annealed_importance_sampling"),
    ("quadrature", "log_integrals"), ("jobs", "start"), ("replay", "replay"), ("slowmotion", "slow_step"),
    ("aggregate", "log_density"), ("handwriting", "prepare"), ("exact", "exact"), ("latent", "encode"),
    ("data", "load_dataset"), ("training", "Trainer"), ("distributed", "rank"), ("figures", "training"),
    ("cli", "main"), ("config", "ModelConfig"), ("models", "build"), ("checkpoints", "load"), ("walks", "straight"),
]  # fmt: skip


@pytest.mark.parametrize("name", former.MODULES)
def test_each_former_module_is_the_one_of_today(name: str) -> None:
    sys.modules.pop(f"vae.{name}", None)
    with pytest.warns(DeprecationWarning, match=rf"vae\.{name} is vae\.{former.MODULES[name]} now"):
        found = importlib.import_module(f"vae.{name}")
    assert found is importlib.import_module(f"vae.{former.MODULES[name]}")


def test_what_notebooks_imported_is_still_there() -> None:
    lines = ["import vae", "found = []"]
    for module, name in WRITTEN:
        lines += [f"found.append(vae.{module}.{name})", f"from vae.{module} import {name} as found_too"]
        lines += [f"from vae import {module} as module", f"assert found[-1] is found_too is module.{name}, {module!r}"]
    run = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_name_that_never_was_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vae.nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("vae.nothing")
