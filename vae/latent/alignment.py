"""Alignment of the codes of two models: the prior is rotation invariant, so coordinate axes are not factors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import ConfigError

__all__ = ["Alignment", "align"]

Array = NDArray[Any]


class Alignment(NamedTuple):
    """Codes rotated onto others.

    Attributes:
        codes: (N, J) float32, codes @ rotation.
        rotation: (J, J), orthogonal; its determinant is -1 if a reflection was needed.
        residual: ||codes @ rotation - reference||^2 / ||reference||^2; 0 if the two differ only by a rotation.
    """

    codes: Array
    rotation: Array
    residual: float


def align(codes: Array, reference: Array) -> Alignment:
    """Rotates, and if need be reflects, codes onto those of the same images by another model (Procrustes).

    The rotation R = U V^T, from the singular value decomposition codes^T reference = U S V^T, is the orthogonal matrix
    that minimises ||codes R - reference||_F (Schönemann 1966). It keeps the origin and the scale, since these are the
    transformations of z that leave N(0, I) invariant.

    Arguments:
        codes: (N, J), posterior means.
        reference: (N, J), of the same images in the same order.

    Raises:
        ConfigError: the two differ in shape, or are not finite.
    """
    if codes.ndim != 2 or codes.shape != reference.shape or not len(codes):
        raise ConfigError(
            f"Codes to be aligned must be of the same images and have equally many dimensions; they are {codes.shape} "
            "and "
            f"{reference.shape}."
        )
    a, b = codes.astype(np.float64), reference.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ConfigError("Codes to be aligned must be finite numbers; some are not.")
    left, _, right = np.linalg.svd(a.T @ b)
    rotation = left @ right
    aligned = a @ rotation
    residual = ((aligned - b) ** 2).sum() / max((b**2).sum(), np.finfo(float).tiny)
    return Alignment(aligned.astype(np.float32), rotation, float(residual))
