"""A model's figures on held-out images."""

from tests.toys import small_model, toy_dataset
from vae.latent import scores


def test_figures_are_of_all_images_however_few_are_floats_at_one_time(monkeypatch):
    model, dataset = small_model(), toy_dataset(test=300)
    whole = scores.held_out_figures(model, dataset)
    monkeypatch.setattr(scores, "_AT_ONCE", 70 * 16)
    pieces = scores.held_out_figures(model, dataset)
    assert pieces.keys() == whole.keys() and pieces["images"] == 300 and pieces["kl"] == whole["kl"]
    assert 0 < abs(pieces["elbo"] - whole["elbo"]) < 2 * whole["elbo_standard_error"]  # other draws of the same images
