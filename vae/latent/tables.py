"""Codes as a table that spreadsheets and other programs can read: CSV, one row per image."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vae.errors import ConfigError
from vae.latent.codes import Codes

__all__ = ["codes_csv"]


def codes_csv(codes: Codes, labels: Sequence[str] | None = None, *, plain: bool = False) -> bytes:
    """Writes the codes of N images as CSV in UTF-8: a line with the names of the columns, then one row per image.

    The columns, in this order:

    - `index`: the index of the image in its split, from 0;
    - `label`: the name of its class; this column is absent without labels;
    - `mean_1` to `mean_J`: mu_z(x);
    - `standard_deviation_1` to `standard_deviation_J`: sigma_z(x);
    - `kl`: KL[q(z|x) || p(z)], the sum over all dimensions, nats;
    - `kl_1` to `kl_J`: KL[q(z_j|x) || p(z_j)], nats.

    Numbers have as many digits as are needed to recover the same float32.

    Arguments:
        codes: of the images.
        labels: (N,) the name of each image's class; None if there are no labels.
        plain: the codes are those of a plain autoencoder, which trains only the means, so the table ends with them.

    Raises:
        ConfigError: the number of labels is not N.
    """
    count, size = codes.mean.shape
    if labels is not None and len(labels) != count:
        raise ConfigError(f"Each image must have one label; there are {count} images and {len(labels)} labels.")
    dimensions = range(1, size + 1)
    names, columns = [f"mean_{j}" for j in dimensions], [codes.mean]
    if not plain:
        names += [f"standard_deviation_{j}" for j in dimensions] + ["kl"] + [f"kl_{j}" for j in dimensions]
        columns += [codes.deviation, codes.kl.sum(1, keepdims=True), codes.kl]
    numbers: NDArray[np.str_] = np.concatenate(columns, 1).astype(np.float32).astype(np.str_)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["index", *(["label"] if labels is not None else []), *names])
    for index, row in enumerate(numbers.tolist()):
        writer.writerow([index, *([labels[index]] if labels is not None else []), *row])
    return file.getvalue().encode()
