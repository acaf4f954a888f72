"""The page Report: made at a click on models of every kind, and taken away; what a report cannot be on is said."""

from pathlib import Path

import pytest
import streamlit as st
import torch

import vae
from tests.app.test_pages import own_folder, said, through_frame
from tests.toys import toy_dataset

__all__ = ["own_folder"]  # a fixture

PAGE = "pages/measure/report.py"
NAME = "fashion-mnist"  # by which the app asks for the images of the test


def split(images: torch.Tensor, labelled: bool) -> vae.Split:
    return vae.Split(images, torch.arange(len(images)) % 2) if labelled else vae.Split(images)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "labelled", "latent"),
    [((10, 12), True, 1), ((10, 12), False, 64), ((12, 10, 3), True, 64), ((12, 10, 3), False, 1)],
)
def test_a_report_is_made_at_a_click(
    monkeypatch: pytest.MonkeyPatch, own_folder: Path, shape: tuple[int, ...], labelled: bool, latent: int
) -> None:
    toy, load = toy_dataset(150, 40, shape, NAME), vae.load_dataset
    train, test = (split(each.images, labelled) for each in (toy.train, toy.test))
    mine = vae.Dataset(NAME, train, test, ("even", "odd") if labelled else (), toy.checksum)
    monkeypatch.setattr(vae, "load_dataset", lambda name, **how: mine if name == NAME else load(name, **how))
    for kept in (st.cache_resource, st.cache_data):
        kept.clear()
    config = vae.ModelConfig(image_shape=shape, encoder_layers=(8,), decoder_layers=(8,), latent=latent)
    model, training = vae.build(config), vae.TrainConfig(data=NAME, epochs=1)
    list(vae.fit(model, mine, training))
    vae.save(model, vae.Record(name="mine", model=config, training=training))

    app = through_frame(PAGE, "mine")
    assert not app.exception and not app.error and not app.subheader
    app.button(key="report.make").click().run()
    assert not app.exception and not app.error
    titles = [each.value for each in app.subheader]
    assert ("Classes in the codes" in titles) == labelled
    report = vae.report.kept_report("mine", mine)
    assert report is not None and titles == [part.title for part in report.parts]
    assert len(app.get("plotly_chart")) == sum(len(part.figures) for part in report.parts) > 0
    assert len(app.get("download_button")) == 2
    again = through_frame(PAGE, "mine")  # it is kept, so that there is nothing to press
    assert [each.value for each in again.subheader] == titles

    vae.save(model, vae.Record(name="other", model=config, training=training))
    both = through_frame(PAGE, "mine", report__against="other")
    assert [each.value for each in both.subheader] == titles  # of the one that is stored, beside the button
    both.button(key="report.make").click().run()
    assert not both.exception and not both.error and both.query_params["report.against"] == "other"
    assert [each.value for each in both.subheader] == titles and len(both.get("download_button")) == 2
    assert len(both.get("plotly_chart")) == 2 * len(again.get("plotly_chart"))
    both.selectbox(key="report.against").select(None).run()
    assert "report.against" not in both.query_params
    assert len(both.get("plotly_chart")) == len(again.get("plotly_chart"))
    for kept in (st.cache_resource, st.cache_data):
        kept.clear()


def test_only_models_with_a_report_can_be_compared() -> None:
    choice = through_frame(PAGE, "mnist-2d", report__against="mnist-autoencoder-2d").selectbox(key="report.against")
    assert choice.value is None and "mnist-5d" in choice.options
    assert not {"mnist-2d", "mnist-autoencoder-2d"} & {*choice.options}


def test_a_plain_autoencoder_has_none() -> None:
    app = through_frame(PAGE, "mnist-autoencoder-2d")
    assert not app.exception and "plain autoencoder" in app.main.info[0].value
    assert not [each for each in app.button if each.key == "report.make"] and said(app)
