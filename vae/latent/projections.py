"""Projections of high-dimensional codes to a plane that keep neighbours together: t-SNE and UMAP of posterior means.

    tsne    t-distributed stochastic neighbour embedding       van der Maaten & Hinton (2008), by scikit-learn
    umap    uniform manifold approximation and projection      McInnes, Healy & Melville (2018), by umap-learn

Both preserve neighbourhoods. Distances between clusters, their sizes and their densities mean little
(Wattenberg, Viégas & Johnson 2016). They take seconds, so the result is stored with the model. With the same seed it is
the same each time on one machine; on another the last digits of sums may differ, and with them the picture.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vae.data import Dataset
from vae.errors import DAMAGE, CheckpointError, ConfigError, DataError, VAEError
from vae.evidence import checksum
from vae.latent.codes import encode
from vae.model import load, place_for, result_file, results
from vae.paths import given, write_aside
from vae.settings import methods

__all__ = [
    "IMAGES", "METHODS", "Method", "Projection", "kept_projection", "load_projection", "make_projection", "project",
    "projection_file",
]  # fmt: skip

Array = NDArray[Any]
Method = methods.Projection
METHODS, IMAGES = methods.PROJECTIONS, methods.PROJECTED
_FORMAT = 1
_LEAST = 100  # images; with fewer there are too few neighbours
_OPTIONS: dict[Method, dict[str, Any]] = {
    "tsne": {"perplexity": 30.0, "init": "pca"},
    "umap": {"n_neighbors": 15, "min_dist": 0.1},
}


class Projection(NamedTuple):
    """Points (N, 2) float32 of the first N test images, and the settings that they depend on, as plain JSON."""

    points: Array
    settings: Mapping[str, Any]


def project(means: Array, method: Method, *, seed: int = 0) -> Array:
    """Projects codes to a plane.

    Arguments:
        means: (N, J), posterior means; N at least 100, J at least 2.
        method: "tsne" (perplexity 30, initialised with the principal directions) or "umap" (15 neighbours).
        seed: of the random numbers of the method.

    Returns:
        (N, 2) float32, without a unit.

    Raises:
        ConfigError: the method is unknown, or there are too few codes or dimensions.
        DataError: the codes are all equal, or not finite.
        VAEError: the package that is needed is not installed; the message has the command.
    """
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}; it is {method!r}.")
    if means.ndim != 2 or len(means) < _LEAST or means.shape[1] < 2:
        raise ConfigError(
            f"A projection needs at least {_LEAST} codes of at least 2 dimensions; these have shape {means.shape}."
        )
    if not np.isfinite(means).all() or not (np.ptp(means, 0) > 1e-6).any():
        raise DataError("Codes to project must be finite and not all equal; these are not. Train the model first.")
    with warnings.catch_warnings():  # the packages warn of optional features that they lack
        warnings.simplefilter("ignore")
        points = (_tsne if method == "tsne" else _umap)(np.ascontiguousarray(means, np.float32), seed)
    if not np.isfinite(points).all():
        raise DataError("The projection gave numbers that are not finite; the codes are too far apart.")
    return points.astype(np.float32)


def projection_file(name_or_path: str | Path, data_name: str, method: Method) -> Path:
    """Returns the path of the projection of a model's codes, see `vae.model.results`.

    Raises:
        CheckpointError: there is no such model.
    """
    return result_file(name_or_path, _file(data_name, method))


def _file(data_name: str, method: Method) -> str:
    return f"projection-{data_name}-{method}.npz"


def make_projection(
    name_or_path: str | Path, dataset: Dataset, method: Method, *, images: int = IMAGES, seed: int = 0,
    device: str = "cpu",
) -> Projection:  # fmt: skip
    """Projects the codes of a model's first test images, and stores the result.

    Arguments:
        name_or_path: of the model.
        dataset: whose test images to encode.
        method: "tsne" or "umap".
        images: how many; all if there are fewer.
        seed: of the random numbers of the method.
        device: on which images are encoded, see `load`; the method itself runs on the CPU.

    Raises:
        CheckpointError: there is no such model, or the result cannot be stored.
        ConfigError, DataError, VAEError: as for `project`.
    """
    if images < _LEAST:
        raise ConfigError(f"images must be at least {_LEAST}; it is {images}.")
    place = place_for(name_or_path, _file(dataset.name, method))
    says = _settings(name_or_path, dataset, method, images, seed)
    means = encode(load(name_or_path, device), dataset.test.images[:images]).mean
    found = Projection(project(means, method, seed=seed), says)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, points=found.points, settings=np.array(json.dumps(says)))
    write_aside(place, file.getvalue())
    return found


def kept_projection(
    name_or_path: str | Path, dataset: Dataset, method: Method, *, images: int = IMAGES, seed: int = 0
) -> Projection | None:
    """Returns the stored result of `make_projection`, if it is for this version of the model, images and settings.

    Raises:
        CheckpointError: there is no such model.
    """
    says = _settings(name_or_path, dataset, method, images, seed)
    for path in results(name_or_path, _file(dataset.name, method)):
        with contextlib.suppress(CheckpointError):
            found = load_projection(path)
            if dict(found.settings) == says:
                return found
    return None


def load_projection(path: Path) -> Projection:
    """Reads a projection.

    Raises:
        CheckpointError: there is no such file, or it is damaged, not a projection, or of another version.
    """
    path = given(path)
    if not path.is_file():
        raise CheckpointError(f"There is no projection at {path}; `vae project NAME` makes one.")
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            settings, points = json.loads(str(file["settings"][()])), file["points"]
        if settings["format"] != _FORMAT:
            raise ValueError(f"format {settings['format']}, but this version reads {_FORMAT}")
        if points.shape != (settings["images"], 2) or points.dtype != np.float32 or not np.isfinite(points).all():
            raise ValueError(f"its points are {points.shape} {points.dtype}, or not finite")
    except DAMAGE as error:
        raise CheckpointError(f"{path} is not a complete projection ({error!s:.200}). Make it again.") from error
    return Projection(points, settings)


def _settings(name_or_path: str | Path, dataset: Dataset, method: Method, images: int, seed: int) -> dict[str, Any]:
    """Returns the settings that a projection depends on."""
    about = {"model": checksum(name_or_path), "data": dataset.name, "images": min(images, len(dataset.test))}
    return {"format": _FORMAT, **about, "method": method, "seed": seed, **_OPTIONS.get(method, {})}


def _tsne(means: Array, seed: int) -> Array:
    try:
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise VAEError("t-SNE needs scikit-learn: python -m pip install scikit-learn") from error
    with threadpool_limits(1, "openmp"):  # its threads wait for each other: 52 s on two busy cores, 7 s on one
        return TSNE(random_state=seed, **_OPTIONS["tsne"]).fit_transform(means)


def _umap(means: Array, seed: int) -> Array:
    try:
        from umap import UMAP
    except ImportError as error:
        raise VAEError("UMAP needs umap-learn: python -m pip install umap-learn") from error
    return UMAP(random_state=seed, n_jobs=1, **_OPTIONS["umap"]).fit_transform(means)
