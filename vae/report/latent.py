"""The latent space: what each dimension carries, how far q(z) is from the prior, and what can be read off the codes."""

from __future__ import annotations

import numpy as np

from vae.figures import latent as figures
from vae.latent import active_units, coordinate_axes, encode, principal_axes
from vae.latent import aggregate as aggregates
from vae.latent import surgery as surgeries
from vae.report.parts import Part, Subject, drawn, signed
from vae.uses import features

__all__ = ["aggregate", "dimensions", "probes"]

MANY = 5000  # training images of a probe and of q(z)
_SHOWN = 60  # dimensions that are drawn


def dimensions(of: Subject) -> Part:
    """KL by dimension, active units, and the mean KL as mutual information and distance from the prior."""
    kl, means = of.codes.kl.mean(0), of.codes.mean
    errors = of.codes.kl.std(0) / np.sqrt(len(means))
    error = float(of.codes.kl.sum(1).std() / np.sqrt(len(means)))
    active = active_units(means)
    parts = surgeries.surgery(of.codes)
    order = np.argsort(-kl, kind="stable")[:_SHOWN]
    names = [f"z{j + 1}" for j in order]
    figure = figures.dimension_bars(
        names, kl[order], means.var(0)[order], aggregates.ACTIVE, ("KL, nats", "variance of μ")
    )
    asleep = int((~active).sum())
    total, size = float(kl.sum()), len(kl)
    says = [
        f"On {len(means):,} images. The KL is {signed(total, error, 2)} nats an image; {size - asleep} of {size} "
        f"dimensions are active (the variance of their means is above {aggregates.ACTIVE}). ± is the standard error "
        f"over the images; that of the KL of one dimension is at most {errors.max():.2g} nats."
    ]
    if asleep == size:
        says.append("The posterior has collapsed: no dimension says anything of the image.")
    elif asleep:
        says.append(f"{asleep} of the dimensions have collapsed to the prior: they carry {kl[~active].sum():.2f} nats.")
    says.append(
        f"Of the KL, {signed(parts.mutual_information, parts.mutual_information_error, 2)} nats are the mutual "
        f"information of code and image (at most log N = {parts.ceiling:.2f}), and "
        f"{signed(parts.marginal_kl, parts.marginal_kl_error, 2)} nats the divergence of q(z) from the "
        "prior; here ± is the Monte Carlo error of both."
    )
    numbers = {
        "images": len(means), "kl": total, "kl_standard_error": error, "kl_by_dimension": kl.tolist(),
        "kl_by_dimension_standard_error": errors.tolist(), "active": int(active.sum()), "latent": size,
        "mutual_information": parts.mutual_information,
        "mutual_information_standard_error": parts.mutual_information_error,
        "marginal_kl": parts.marginal_kl, "marginal_kl_standard_error": parts.marginal_kl_error,
    }  # fmt: skip
    shown = drawn(figure, "KL of each dimension and the variance of its posterior means, the largest KL first.")
    return Part(title="What each dimension carries", says=says, numbers=numbers, figures=[shown])


def aggregate(of: Subject) -> Part:
    """The aggregate posterior of training images against the prior: a picture, and the mass of the holes."""
    codes = encode(of.model, of.dataset.train.images[:MANY])
    size, count = codes.mean.shape[1], len(codes.mean)
    draws = aggregates.prior_draws(codes)
    axes = principal_axes(codes.mean) if size > 2 else coordinate_axes(codes.mean, 0, min(1, size - 1))
    found = aggregates.holes(codes, axes)
    words = ("q(z)", "prior: 1 and 2 standard deviations", "hole")
    if size == 1:
        figure = figures.aggregate_line(found, words, ("z1", "density"))
    else:
        titles = ("z1", "z2") if size == 2 else ("first principal direction", "second principal direction")
        figure = figures.aggregate_plane(found, words, titles)
    says = [
        f"q(z) is the mixture of q(z|x) over {count:,} training images. {draws.share:.0%} ± "
        f"{draws.standard_error:.0%} of 1,000 draws from the prior fall into holes, where q(z) is below "
        f"{aggregates.RATIO:g} of the prior."
    ]
    if size > 4:
        says.append("In many dimensions a few thousand narrow Gaussians fill next to nothing, whatever the model.")
    numbers = {
        "images": count, "draws": len(draws.z), "prior_in_holes": draws.share, "standard_error": draws.standard_error,
    }  # fmt: skip
    shown = drawn(figure, "The aggregate posterior, the prior, and the holes between them.")
    return Part(title="The codes as a whole against the prior", says=says, numbers=numbers, figures=[shown])


def probes(of: Subject) -> Part | None:
    """How well a linear probe and neighbours read the classes off the codes; None without labels."""
    train, test = of.dataset.train, of.dataset.test
    labels = train.labels[:MANY].numpy()
    if not (train.labelled and test.labelled) or len(np.unique(labels)) < 2:
        return None
    codes = encode(of.model, train.images[:MANY]).mean
    held, truth = of.codes.mean, test.labels[: len(of.codes.mean)].numpy()
    linear = features.linear_accuracy(codes, labels, held, truth)
    near = features.neighbour_accuracy(codes, labels, held, truth)
    most = float(np.bincount(truth).max() / len(truth))
    rows = [["read from the means of q(z|x) by", "accuracy"]]
    numbers: dict[str, float] = {"images": len(truth), "training_images": len(codes), "most_frequent": most}
    for key, name, share in (("linear", "logistic regression", linear), ("neighbours", "nearest neighbours", near)):
        error = float(np.sqrt(share * (1 - share) / len(truth)))
        rows.append([name, f"{share:.1%} ± {error:.1%}"])
        numbers |= {key: share, f"{key}_standard_error": error}
    rows.append(["always the most frequent class", f"{most:.1%}"])
    return Part(
        title="Classes in the codes", table=rows, numbers=numbers,
        says=[
            f"Learned from {len(codes):,} training images with labels, tried on {len(truth):,} held-out ones; ± is the "
            "binomial standard error of the latter."
        ],
    )  # fmt: skip
