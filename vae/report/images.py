"""Images by the model: reconstructions, traversals, samples from the prior, and the nearest training images."""

from __future__ import annotations

import numpy as np
import torch

from vae.latent import COLLAPSED, decode, traversals
from vae.model import generator
from vae.report.parts import Array, Part, Subject, sheet

__all__ = ["draws", "memory", "reconstructions", "walks"]

EACH = 10  # images per row
DIMENSIONS = 6
SEARCHED = 20_000  # training images that are searched for the one nearest to a sample


def reconstructions(of: Subject) -> Part:
    """The best, the middle and the worst of the held-out images by their ELBO, with their reconstructions."""
    order = np.argsort(-of.elbo, kind="stable")
    middle = len(order) // 2 - min(EACH, len(order)) // 2
    chosen = {"Best": order[:EACH], "Middle": order[middle : middle + EACH], "Worst": order[-EACH:]}
    pictures = []
    for name, rows in chosen.items():
        originals = of.dataset.test.images[torch.from_numpy(rows)].numpy() / 255
        decoded = _shaped(of, decode(of.model, of.codes.mean[rows]).mean)
        pictures.append(
            sheet(
                np.concatenate([originals, decoded]),
                f"{name} by ELBO: held-out images above their reconstructions",
                len(rows),
            )
        )
    says = [f"From {len(order):,} held-out images; a reconstruction is the mean of p(x|z) at the mean of q(z|x)."]
    return Part(title="Reconstructions", says=says, pictures=pictures)


def walks(of: Subject) -> Part:
    """Walks along the dimensions with the largest KL, from a held-out image."""
    kl = of.kl
    chosen = [int(j) for j in np.argsort(-kl, kind="stable")[:DIMENSIONS] if kl[j] >= COLLAPSED]
    if not chosen:
        says = [f"No dimension has a KL of {COLLAPSED:g} nats or more, so there is nothing to traverse."]
        return Part(title="Traversals", says=says)
    values = np.linspace(-3, 3, EACH + 1)
    numbers = {"images": 1, "dimensions": [j + 1 for j in chosen], "steps": len(values), "from": -3, "to": 3}
    path = traversals(of.codes.mean[0], chosen, values).reshape(-1, kl.size)
    picture = sheet(
        _shaped(of, decode(of.model, path).mean), "Traversals: one dimension per row, from −3 to 3", EACH + 1
    )
    names = ", ".join(f"z{j + 1} ({kl[j]:.2f} nats)" for j in chosen)
    says = [f"From the first held-out image, changing one dimension at a time: {names}."]
    return Part(title="Traversals", says=says, pictures=[picture], numbers=numbers)


def draws(of: Subject) -> Part:
    """Samples from the prior, as means of p(x|z) and as samples from it."""
    z = torch.randn(2 * EACH, of.model.config.latent, generator=generator(0)).numpy()
    decoded = decode(of.model, z)
    pictures = [
        sheet(_shaped(of, decoded.mean), "z)|z)"),
        sheet(_shaped(of, decoded.sample).clip(0, 1), "z)|z)"),
    ]
    return Part(
        title="Draws from the prior", numbers={"draws": len(z)}, pictures=pictures,
        says=[f"{len(z)} samples z ~ N(0, I), the same in both pictures."],
    )  # fmt: skip


def memory(of: Subject) -> Part:
    """The training image nearest to each sample, and whether samples are nearer to them than held-out images are."""
    z = torch.randn(EACH, of.model.config.latent, generator=generator(0)).numpy()
    made = decode(of.model, z).mean.reshape(EACH, -1)
    train = of.dataset.train.images[:SEARCHED]
    rows, far = _nearest(made, train)
    held = of.dataset.test.images[:200].flatten(1).numpy() / 255
    _, ordinary = _nearest(held.astype(np.float32), train)
    ratio = float(np.median(far) / max(np.median(ordinary), 1e-9))
    pair = np.concatenate([_shaped(of, made), train[torch.from_numpy(rows)].numpy() / 255])
    says = [
        f"Means of p(x|z) for {EACH} samples, and below each the nearest of {len(train):,} training images. Their "
        f"distance is {ratio:.2f} times that of a held-out image from its nearest training image (medians). A ratio "
        "far "
        "below 1 would suggest that training images were memorised; somewhat below 1 is usual, since means are smooth."
    ]
    numbers = {"draws": EACH, "training_images": len(train), "distance_ratio": ratio}
    return Part(
        title="Nearest training images of samples",
        says=says,
        numbers=numbers,
        pictures=[sheet(pair, "Samples from the prior, and below each the nearest training image", EACH)],
    )


def _nearest(points: Array, images: torch.Tensor) -> tuple[Array, Array]:
    """Returns the index of the nearest of images (N, ...) uint8 for each point (M, D) in [0, 1], and its distance."""
    found, best = torch.zeros(len(points), dtype=torch.long), torch.full((len(points),), torch.inf)
    wanted = torch.from_numpy(np.asarray(points, np.float32))
    for first in range(0, len(images), 2000):
        part = images[first : first + 2000].flatten(1).float() / 255
        far, row = torch.cdist(wanted, part).min(1)
        found = torch.where(far < best, row + first, found)
        best = torch.minimum(best, far)
    return found.numpy(), best.numpy()


def _shaped(of: Subject, values: Array) -> Array:
    return values.reshape(-1, *of.model.config.image_shape)
