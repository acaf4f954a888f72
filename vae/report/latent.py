"""The latent space: the KL of each dimension, the distance of q(z) from the prior, and classifiers on the codes."""

from __future__ import annotations

import numpy as np

from vae.figures import latent as figures
from vae.latent import ALL_COLLAPSED, COLLAPSED, Codes, active_units, coordinate_axes, encode, principal_axes
from vae.latent import aggregate as aggregates
from vae.latent import surgery as surgeries
from vae.report.parts import Array, Part, Subject, drawn, signed
from vae.uses import features

__all__ = ["aggregate", "dimensions", "probes"]

MANY = 5000  # training images for a probe and for q(z)
_SHOWN, _TABLED = 60, 10  # number of dimensions drawn, and in the table


def dimensions(of: Subject) -> Part:
    """KL by dimension, active units, and the mean KL as mutual information plus distance from the prior."""
    kl, means = of.kl, of.codes.mean
    errors = of.codes.kl.std(0) / np.sqrt(len(means))
    error = float(of.codes.kl.sum(1).std() / np.sqrt(len(means)))
    active, fallen = active_units(means), kl < COLLAPSED
    parts = surgeries.surgery(of.codes)
    order = np.argsort(-kl, kind="stable")[:_SHOWN]
    names = [f"z{j + 1}" for j in order]
    figure = figures.dimension_bars(
        names, kl[order], means.var(0)[order], aggregates.ACTIVE, ("KL, nats", "variance of μ")
    )
    total, size, digits = float(kl.sum()), len(kl), 4 if of.collapsed else 2
    constant = len(means) > 1 and parts.mutual_information + 2 * parts.mutual_information_error < ALL_COLLAPSED
    says = [
        f"On {len(means):,} images. The KL is {signed(total, error, digits)} nats per image; {active.sum()} of {size} "
        f"dimensions are active (the variance of their means is above {aggregates.ACTIVE}). ± is the standard error "
        f"over the images; that of the KL of one dimension is at most {errors.max():.2g} nats."
    ]
    if of.collapsed:
        says.append(
            f"The posterior has collapsed to the prior: its KL over all dimensions is below {ALL_COLLAPSED:g} nats, "
            "so a code z contains almost no information about its image."
        )
    elif constant:
        says.append(
            "The posterior has collapsed, though not to the prior: it is nearly the same for all images, whose mutual "
            f"information with the code is below {ALL_COLLAPSED:g} nats."
        )
    else:
        says += _asleep(kl, active, fallen)
    says.append(
        f"Of the KL, {signed(parts.mutual_information, parts.mutual_information_error, digits)} nats are the mutual "
        f"information of code and image (at most log N = {parts.ceiling:.2f}), and "
        f"{signed(parts.marginal_kl, parts.marginal_kl_error, digits)} nats the divergence of q(z) from the "
        "prior; here ± is the Monte Carlo error of both."
    )
    if size > 1:
        says.append(
            f"The table lists the {min(size, _TABLED)} dimensions with the largest KL, each considered separately: two "
            "dimensions may carry the same information about an image, so their mutual information need not add up to "
            "that of the code."
        )
    table, information = _by_dimension(of.codes, order[:_TABLED], kl, errors)
    numbers = {
        "images": len(means), "kl": total, "kl_standard_error": error, "kl_by_dimension": kl.tolist(),
        "kl_by_dimension_standard_error": errors.tolist(), "active": int(active.sum()), "latent": size,
        "collapsed": of.collapsed or constant, f"kl_below_{COLLAPSED:g}": int(fallen.sum()),
        "mutual_information": parts.mutual_information,
        "mutual_information_standard_error": parts.mutual_information_error,
        "mutual_information_by_dimension": information,
        "marginal_kl": parts.marginal_kl, "marginal_kl_standard_error": parts.marginal_kl_error,
    }  # fmt: skip
    shown = drawn(figure, "KL of each dimension and the variance of its posterior means, the largest KL first")
    return Part(title="What each dimension carries", says=says, numbers=numbers, table=table, figures=[shown])


def _by_dimension(codes: Codes, order: Array, kl: Array, errors: Array) -> tuple[list[list[str]], dict[str, float]]:
    """A table of what each dimension carries, and the mutual information of each and the image, in nats."""
    table = [["", "KL, nats", "mutual information with the image, nats", "variance of the mean"]]
    information = {}
    for j in order.tolist():
        alone = surgeries.surgery(Codes(*(part[:, [j]] for part in codes)))
        information[f"z{j + 1}"] = alone.mutual_information
        table.append(
            [
                f"z{j + 1}", signed(kl[j], errors[j], 2),
                signed(alone.mutual_information, alone.mutual_information_error, 2), f"{codes.mean[:, j].var():.2g}",
            ]
        )  # fmt: skip
    return table, information


def _asleep(kl: Array, active: Array, fallen: Array) -> list[str]:
    """Describes the dimensions that have collapsed in a posterior that has not, and those that only appear to have."""
    hidden = ~active & ~fallen
    many, others = int(fallen.sum()), int(hidden.sum())
    says = []
    if many == len(kl):
        says.append(
            f"No dimension has a KL of {COLLAPSED:g} nats or more, but together they have {kl.sum():.2g} nats: the "
            "posterior is near the prior, and has not collapsed."
        )
    elif many == 1:
        says.append(f"One of the {len(kl)} dimensions has collapsed to the prior: its KL is below {COLLAPSED:g} nats.")
    elif many:
        says.append(
            f"{many} of the {len(kl)} dimensions have collapsed to the prior: each has a KL below {COLLAPSED:g} nats, "
            f"{kl[fallen].sum():.2g} together."
        )
    if others == 1:
        says.append(
            "One dimension that is not active has not collapsed: its mean varies little, but its KL is "
            f"{kl[hidden].sum():.2f} nats."
        )
    elif others:
        says.append(
            f"{others} dimensions that are not active have not collapsed: their means vary little, but their KL is "
            f"{kl[hidden].sum():.2f} nats together."
        )
    return says


def aggregate(of: Subject) -> Part:
    """The aggregate posterior of training images compared with the prior: a picture, and the mass of the holes."""
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
        f"{draws.standard_error:.0%} of 1,000 samples from the prior fall into holes, where q(z) is below "
        f"{aggregates.RATIO:g} times the prior."
    ]
    if size > 4:
        says.append("In many dimensions a few thousand narrow Gaussians cover almost nothing, whatever the model.")
    numbers = {
        "images": count, "draws": len(draws.z), "prior_in_holes": draws.share, "standard_error": draws.standard_error,
    }  # fmt: skip
    shown = drawn(figure, "The aggregate posterior, the prior, and the holes between them")
    return Part(title="The codes as a whole against the prior", says=says, numbers=numbers, figures=[shown])


def probes(of: Subject) -> Part | None:
    """How well a linear probe and nearest neighbours predict the classes from the codes; None without labels."""
    train, test = of.dataset.train, of.dataset.test
    labels = train.labels[:MANY].numpy()
    if not (train.labelled and test.labelled) or len(np.unique(labels)) < 2:
        return None
    codes = encode(of.model, train.images[:MANY])
    held, truth = of.codes.mean, test.labels[: len(of.codes.mean)].numpy()
    linear = features.linear_accuracy(codes.mean, labels, held, truth)
    near = features.neighbour_accuracy(codes.mean, labels, held, truth)
    of_draws = features.linear_accuracy(_draw(codes, 0), labels, _draw(of.codes, 1), truth)
    most = float(np.bincount(truth).max() / len(truth))
    rows = [["classifier", "accuracy"]]
    numbers: dict[str, float] = {"images": len(truth), "training_images": len(labels), "most_frequent": most}
    for key, name, share in (
        ("linear", "logistic regression on the means of q(z|x)", linear),
        ("neighbours", "nearest neighbours among the means of q(z|x)", near),
        ("linear_of_draws", "logistic regression on samples from q(z|x)", of_draws),
    ):
        error = float(np.sqrt(share * (1 - share) / len(truth)))
        rows.append([name, f"{share:.1%} ± {error:.1%}"])
        numbers |= {key: share, f"{key}_standard_error": error}
    rows.append(["always predicting the most frequent class", f"{most:.1%}"])
    says = [
        f"Trained on {len(labels):,} training images with labels, evaluated on {len(truth):,} held-out ones; ± is the "
        "binomial standard error on the latter."
    ]
    if of.collapsed:
        says.append(
            "The posterior has collapsed. Its means may still differ by class, since they have no noise; a sample from "
            "it, which is the input of the decoder, says almost nothing about the class."
        )
    return Part(title="Classes in the codes", table=rows, numbers=numbers, says=says)


def _draw(codes: Codes, seed: int) -> Array:
    """Samples z from q(z|x) of each image, (N, J)."""
    noise = np.random.default_rng(seed).standard_normal(codes.mean.shape, dtype=np.float32)
    return codes.mean + codes.deviation * noise
