"""Clusters of codes by k-means, for data without labels, and a typical image of each cluster.

    k-means: centres c_1, ..., c_K that minimise   sum_n min_k |mu_n - c_k|^2

Lloyd's algorithm (1982), initialised by k-means++ (Arthur & Vassilvitskii 2007), both from scikit-learn. Clusters are
only groups of codes: they need not correspond to classes in any human sense, and another model has others.
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
_STARTS = 4  # each finds a local minimum; the best is kept


class Clusters(NamedTuple):
    """K clusters of N codes, the largest first.

    Attributes:
        labels: (N,) int64, the cluster of each code, counted from 0.
        centres: (K, J) float32, the means of the clusters.
    """

    labels: Array
    centres: Array


def k_means(codes: Array, count: int, seed: int = 0) -> Clusters:
    """Clusters codes by k-means.

    Arguments:
        codes: (N, J).
        count: K; if there are fewer distinct codes, there are as many clusters as distinct codes.
        seed: of the initialisations. The same seed gives the same clusters.

    Raises:
        ConfigError: the count is not a whole number from 1 to 1,000.
        DataError: there are no codes, or they are not finite.
        VAEError: scikit-learn is not installed; the message has the command.
    """
    check_count("The number of clusters", count, _MOST)
    if codes.ndim != 2 or not codes.size or not np.isfinite(codes).all():
        raise DataError(
            f"Codes to cluster must have shape (N, J) and be finite; these, of shape {codes.shape}, do not."
        )
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise VAEError("Clusters need scikit-learn: python -m pip install scikit-learn") from error
    codes = np.ascontiguousarray(codes, np.float32)
    method = KMeans(min(count, len(np.unique(codes, axis=0))), n_init=_STARTS, tol=0, random_state=seed)
    with threadpool_limits(1, "openmp"):  # its threads would wait for each other on busy cores
        found = method.fit(codes)
    numbers, sizes = np.unique(found.labels_, return_counts=True)
    order = numbers[np.argsort(-sizes, kind="stable")]
    return Clusters((found.labels_[:, None] == order).argmax(1), found.cluster_centers_[order])


def typical(codes: Array, clusters: Clusters) -> Array:
    """Returns the row of the code nearest to the centre of each cluster, (K,) int64: images as varied as the codes."""
    rows = [np.flatnonzero(clusters.labels == number) for number in range(len(clusters.centres))]
    away = (((codes[own] - centre) ** 2).sum(1) for own, centre in zip(rows, clusters.centres, strict=True))
    return np.array([own[far.argmin()] for own, far in zip(rows, away, strict=True)], np.int64)
