"""Chapters 5 to 9 on models of every kind, without MNIST, and what their buttons do."""

from pathlib import Path

import pytest
import streamlit as st

import vae
from pages.cache import bound as cache_bound
from pages.cache import models as cache
from pages.ui import words
from tests.app.test_lesson import lesson, value, verdict
from tests.app.test_pages import own_folder, said

pytestmark = pytest.mark.slow

__all__ = ["own_folder"]  # a fixture

CHAPTERS = [*map(str, range(5, 10))]
KINDS = {
    "one dimension": {"latent": 1},
    "linear of 12": {"latent": 12, "likelihood": "gaussian-shared", "decoder_layers": ()},
    "binary of 3": {"latent": 3, "likelihood": "bernoulli", "activation": "silu"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_models_of_every_kind(chapter: str, kind: str) -> None:
    config = vae.ModelConfig(**{"encoder_layers": (8,), "decoder_layers": (8,), **KINDS[kind]})
    record = vae.Record(name="odd", model=config, training=vae.TrainConfig(data="mnist-sample"))
    vae.save(vae.build(config), record)
    app = lesson(chapter, "odd", answers=f"{chapter}a")
    assert not app.exception
    assert not app.error
    assert verdict(app)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_without_mnist_the_sample_serves(chapter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path))
    st.cache_resource.clear()  # of what other tests read elsewhere
    st.cache_data.clear()
    app = lesson(chapter, image="1999", answers=f"{chapter}a")
    st.cache_resource.clear()
    st.cache_data.clear()
    assert not app.exception
    assert not app.error
    assert verdict(app)


def test_the_first_to_ask_for_a_model_leaves_it_fit_for_gradients() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
    model = cache.model_id("mnist-20d")
    cache_bound.code(model, "mnist-sample", 0)
    assert not any(weights.is_inference() for weights in cache.load(model).parameters())
    assert not cache.pixels(model, "mnist-sample", (0,)).is_inference()


@pytest.mark.parametrize("step", [str(i) for i in range(1, 7)])
@pytest.mark.parametrize("base", ["encoder", "prior"])
def test_every_line_of_the_derivation_can_be_linked_to(step: str, base: str) -> None:
    app = lesson("5", "mnist-bernoulli-2d", answers="5a", **{"5.line": step, "5.q": base})
    assert not app.exception
    assert value(app, "5.line") == (step if step != "1" else None)
    assert value(app, "5.q") == (base if base != "encoder" else None)
    assert "log p(x)" in said(app)


def test_a_step_of_the_ascent_is_one_step() -> None:
    app = lesson("9", "mnist-bernoulli-2d", answers="9c")
    assert "**Step 1**" in said(app)
    app.button(key="lesson.step").click().run()
    assert "**Step 2**" in said(app)
    app.button(key="lesson.more").click().run()
    assert "**Step 52**" in said(app)
    app.number_input(key="lesson.row").set_value(7).run()
    assert "**Step 1**" in said(app)  # another digit begins anew
    app.button(key="lesson.step").click().run()
    app.button(key="lesson.restart").click().run()
    assert "**Step 1**" in said(app)
    assert not app.exception


def test_numbers_have_a_true_minus_and_small_ones_two_digits() -> None:
    assert words.number(-1234.56) == "−1,234.6"
    assert words.number(3.14159, 2, sign=True) == "+3.14"
    assert [words.small(v) for v in (1.0, 0.25, 0.0334, 8.1e-5, 9.7e-7)] == [
        "1.00", "0.25", "0.033", "8 × 10⁻⁵", "1 × 10⁻⁶",
    ]  # fmt: skip
    assert words.small(0.0) == "0"
