"""What is said of a trained model."""

from tests.toys import small_model, toy_dataset
from vae.jobs import cards
from vae.model.config import TrainConfig


def test_figures_are_of_all_images_however_few_are_floats_at_one_time(monkeypatch):
    model, dataset = small_model(), toy_dataset(test=300)
    whole = cards.held_out_figures(model, dataset, TrainConfig())
    monkeypatch.setattr(cards, "_AT_ONCE", 70 * 16)
    pieces = cards.held_out_figures(model, dataset, TrainConfig())
    assert pieces.keys() == whole.keys() and pieces["images"] == 300 and pieces["kl"] == whole["kl"]
    assert 0 < abs(pieces["elbo"] - whole["elbo"]) < 2 * whole["elbo_standard_error"]  # other draws of the same images
