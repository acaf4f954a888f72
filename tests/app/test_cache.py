"""What the server keeps: pixels of test images, made by the piece."""

import torch

import vae
from pages.cache import models
from vae.model.distributions import prepare_pixels


def test_pixels_are_made_by_the_piece_and_an_image_always_has_the_same_noise(monkeypatch):
    monkeypatch.setattr(models, "_VALUES", 7 * 784)
    model = models.model_id("mnist-2d")
    images = vae.load_dataset("mnist-sample", fetch=False).test.images
    found = models.pixels(model, "mnist-sample", (0, 6, 7, 20, 6))
    for row, x in zip((0, 6, 7, 20, 6), found, strict=True):
        piece = images[row // 7 * 7 : row // 7 * 7 + 7]
        assert torch.equal(x, prepare_pixels(piece, "gaussian", vae.generator(row // 7))[row % 7])
    assert torch.equal(
        models.pixels(model, "mnist-sample", (8, 7)), models.pixels(model, "mnist-sample", (7, 8)).flip(0)
    )
    assert models.pixels(model, "mnist-sample", ()).shape == (0, 784)
    models._pixels_of_piece.clear()
