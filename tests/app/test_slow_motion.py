"""A step in slow motion, as the browser gets it: each number is the step's, whatever was trained."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.train.panels import slow
from tests.toys import small_model, toy_dataset
from tests.waiting import HANG
from vae.settings.config import TrainConfig
from vae.training.slowmotion import save_slow_step, slow_step
from vae.training.trainer import Trainer

KINDS = {
    "elbo": ({"latent": 5}, {"beta": 0.5}),
    "iwae": ({"latent": 3, "likelihood": "bernoulli"}, {"objective": "iwae", "samples": 20}),
    "autoencoder": ({"latent": 3}, {"objective": "autoencoder"}),
    "free bits of one dimension": ({"latent": 1}, {"free_bits": 2.0}),
    "many dimensions": ({"latent": 300}, {}),
}


def step_of(kind: str):
    model, training = KINDS[kind]
    config = TrainConfig(epochs=2, batch_size=100, learning_rate=0.01, **training)
    return slow_step(Trainer(small_model(**model), toy_dataset(), config))


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_are_those_of_the_step(kind):
    step = step_of(kind)
    found = json.loads(json.dumps(slow.numbers(step)))  # the browser takes JSON
    latent = len(step.mean)
    for name in ("x", "mean", "deviation", "kl_by_dimension", "mean_gradient", "deviation_gradient"):
        np.testing.assert_allclose(found[name], getattr(step, name).ravel(), rtol=1e-5)
    z = np.array(found["mean"]) + np.array(found["deviation"]) * np.array(found["noise"])
    np.testing.assert_allclose(found["z"], z, rtol=1e-4, atol=1e-4)
    assert len(found["z"]) == min(len(step.z), slow.MOST_DRAWS) and found["draws"] == len(step.z)
    assert len(found["names"]) == latent and found["names"][-1].startswith("z")
    np.testing.assert_allclose(found["decoded_mean"], step.decoded_mean[0].ravel(), rtol=1e-5)
    assert (found["height"], found["width"]) == (4, 4)
    assert found["drawn"] == (kind != "autoencoder")


@pytest.mark.parametrize("kind", KINDS)
def test_the_plane_is_that_of_the_two_dimensions_with_the_largest_kl(kind):
    step = step_of(kind)
    first, second = slow.numbers(step)["axes"]
    rest = np.delete(step.kl_by_dimension, [first, second])
    assert not len(rest) or rest.max() <= min(step.kl_by_dimension[[first, second]])
    assert (first == second) == (len(step.mean) == 1)


def test_the_losses_add_up_where_the_objective_is_their_sum():
    for kind, sums in (("elbo", True), ("iwae", False), ("autoencoder", True), ("free bits of one dimension", False)):
        found = slow.numbers(step_of(kind))
        assert found["plain"] == sums
        reconstruction, kl, loss = found["losses"]
        assert np.isclose(reconstruction + kl, loss, rtol=1e-4) == sums
    assert found["losses"][1] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown_and_is_another_one_after_the_next_step(kind, tmp_path):
    path = tmp_path / "step.npz"
    model, training = KINDS[kind]
    trainer = Trainer(small_model(**model), toy_dataset(), TrainConfig(epochs=2, batch_size=100, **training))
    save_slow_step(path, slow_step(trainer))
    lines = [
        "from pathlib import Path",
        "from pages.train.panels import slow",
        "from vae.training import load_slow_step",
    ]
    app = AppTest.from_string(
        "\n".join([*lines, f"slow.show(load_slow_step(Path({str(path)!r})))"]), default_timeout=HANG
    )
    app.run()
    assert not app.exception
    ids = [given(app)["id"]]
    assert ("KL" in given(app)["words"]["equations"][3]) == (kind != "autoencoder")
    save_slow_step(path, slow_step(trainer))
    app.run()
    assert not app.exception
    ids.append(given(app)["id"])
    assert ids[0].startswith("1 ") and ids[1].startswith("2 ")


def given(app: AppTest) -> dict:
    """What the component was sent."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)
