"""Groups of codes where there are no labels: k-means clusters, and an image that is typical of each.

    k-means: centres c_1, ..., c_K with the least   sum_n min_k |mu_n - c_k|^2

Lloyd's algorithm (1982) from starts by k-means++ (Arthur & Vassilvitskii 2007), both by scikit-learn. Clusters are
groups of codes and nothing more: they need not be what a person would call classes, and another model has others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.errors import DataError, VAEError
from vae.evidence import check_count

__all__ = ["Clusters", "k_means", "typical"]

Array = NDArray[Any]
_MOST = 1000  # clusters
_STARTS = 4  # of the algorithm, which finds a local minimum; the best is kept


class Clusters(NamedTuple):
    """K groups of N codes, the largest first.

    Attributes:
        labels: (N,) int64, the group of each code, counted from 0.
        centres: (K, J) float32, the means of the groups.
    """

    labels: Array
    centres: Array


def k_means(codes: Array, count: int, seed: int = 0) -> Clusters:
    """Groups codes by k-means.

    Arguments:
        codes: (N, J).
        count: K; where fewer codes differ from each other, there are as many groups as these.
        seed: of the starts. The same seed gives the same groups.

    Raises:
        ConfigError: the count is not a whole number from 1 to 1,000.
        DataError: there are no codes, or they are not finite.
        VAEError: scikit-learn is not installed; the message has the command.
    """
    check_count("The number of clusters", count, _MOST)
    if codes.ndim != 2 or not codes.size or not np.isfinite(codes).all():
        raise DataError(f"Codes to group must be (N, J) and finite; these {codes.shape} are not.")
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise VAEError("Clusters need scikit-learn: python -m pip install scikit-learn") from error
    codes = np.ascontiguousarray(codes, np.float32)
    method = KMeans(min(count, len(np.unique(codes, axis=0))), n_init=_STARTS, tol=0, random_state=seed)
    with threadpool_limits(1, "openmp"):  # on busy cores its threads would wait for each other
        found = method.fit(codes)
    numbers, sizes = np.unique(found.labels_, return_counts=True)
    order = numbers[np.argsort(-sizes, kind="stable")]
    return Clusters((found.labels_[:, None] == order).argmax(1), found.cluster_centers_[order])


def typical(codes: Array, clusters: Clusters) -> Array:
    """Returns the row of the code nearest to the centre of each group, (K,) int64: images as varied as codes are."""
    rows = [np.flatnonzero(clusters.labels == number) for number in range(len(clusters.centres))]
    away = (((codes[own] - centre) ** 2).sum(1) for own, centre in zip(rows, clusters.centres, strict=True))
    return np.array([own[far.argmin()] for own, far in zip(rows, away, strict=True)], np.int64)
