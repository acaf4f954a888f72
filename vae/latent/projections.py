"""Codes of many dimensions on a plane that keeps neighbours together: t-SNE and UMAP of posterior means.

    tsne    t-distributed stochastic neighbour embedding       van der Maaten & Hinton (2008), by scikit-learn
    umap    uniform manifold approximation and projection      McInnes, Healy & Melville (2018), by umap-learn

Both keep who is near whom. Distances between clusters, their sizes and their densities mean next to nothing
(Wattenberg, Viégas & Johnson 2016). They take seconds, so a result is kept beside the model. For a seed it is the same
each time on one machine; elsewhere the last digits of sums may come out differently, and a picture with them.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from vae.data import Dataset
from vae.errors import DAMAGE, CheckpointError, ConfigError, DataError, VAEError
from vae.evidence import checksum
from vae.latent.codes import encode
from vae.model import load, place_for, result_file, results
from vae.paths import given, write_aside

__all__ = [
    "IMAGES", "METHODS", "Method", "Projection", "kept_projection", "load_projection", "make_projection", "project",
    "projection_file",
]  # fmt: skip

Array = NDArray[Any]
Method = Literal["tsne", "umap"]
METHODS: tuple[Method, ...] = get_args(Method)
IMAGES = 2000  # test images that are projected
_FORMAT = 1
_LEAST = 100  # images: fewer have too few neighbours
_OPTIONS: dict[Method, dict[str, Any]] = {
    "tsne": {"perplexity": 30.0, "init": "pca"},
    "umap": {"n_neighbors": 15, "min_dist": 0.1},
}


class Projection(NamedTuple):
    """Points (N, 2) float32 of the first N test images, and the settings that they depend on, plain JSON."""

    points: Array
    settings: Mapping[str, Any]


def project(means: Array, method: Method, *, seed: int = 0) -> Array:
    """Lays codes out on a plane.

    Arguments:
        means: (N, J), posterior means; N at least 100, J at least 2.
        method: "tsne" (perplexity 30, started from the principal directions) or "umap" (15 neighbours).
        seed: of the method's own draws.

    Returns:
        (N, 2) float32, in no unit.

    Raises:
        ConfigError: the method is unknown, or there are too few codes or dimensions.
        DataError: the codes are all the same, or not finite.
        VAEError: the package that does it is not installed; the message has the command.
    """
    if method not in METHODS:
        raise ConfigError(f"A projection is one of {', '.join(METHODS)}; it is {method!r}.")
    if means.ndim != 2 or len(means) < _LEAST or means.shape[1] < 2:
        raise ConfigError(f"A projection takes {_LEAST} codes of 2 dimensions at least; these are {means.shape}.")
    if not np.isfinite(means).all() or not (np.ptp(means, 0) > 1e-6).any():
        raise DataError("Codes to project must be finite and differ; these do not. Train the model first.")
    with warnings.catch_warnings():  # of the packages themselves, about what they do without
        warnings.simplefilter("ignore")
        points = (_tsne if method == "tsne" else _umap)(np.ascontiguousarray(means, np.float32), seed)
    if not np.isfinite(points).all():
        raise DataError("The projection did not come out as finite numbers; the codes lie too far apart.")
    return points.astype(np.float32)


def projection_file(name_or_path: str | Path, data_name: str, method: Method) -> Path:
    """Returns where the projection of a model's codes is kept, see `vae.model.results`.

    Raises:
        CheckpointError: there is no such model.
    """
    return result_file(name_or_path, _file(data_name, method))


def _file(data_name: str, method: Method) -> str:
    return f"projection-{data_name}-{method}.npz"


def make_projection(
    name_or_path: str | Path, dataset: Dataset, method: Method, *, images: int = IMAGES, seed: int = 0
) -> Projection:
    """Projects the codes of a model's first test images, and keeps the result.

    Arguments:
        name_or_path: of the model.
        dataset: whose test images.
        method: "tsne" or "umap".
        images: how many; all, where there are fewer.
        seed: of the method's own draws.

    Raises:
        CheckpointError: there is no such model, its result may be kept nowhere, or the disk refuses.
        ConfigError, DataError, VAEError: as for `project`.
    """
    if images < _LEAST:
        raise ConfigError(f"images must be at least {_LEAST}; it is {images}.")
    place = place_for(name_or_path, _file(dataset.name, method))
    says = _settings(name_or_path, dataset, method, images, seed)
    means = encode(load(name_or_path), dataset.test.images[:images]).mean
    found = Projection(project(means, method, seed=seed), says)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, points=found.points, settings=np.array(json.dumps(says)))
    write_aside(place, file.getvalue())
    return found


def kept_projection(
    name_or_path: str | Path, dataset: Dataset, method: Method, *, images: int = IMAGES, seed: int = 0
) -> Projection | None:
    """Returns what `make_projection` kept, if it is of this model as it is, these images and these settings.

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
        CheckpointError: there is none, or the file is damaged, foreign, or of another version.
    """
    path = given(path)
    if not path.is_file():
        raise CheckpointError(f"There is no projection at {path}; `python -m vae project NAME` makes one.")
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            settings, points = json.loads(str(file["settings"][()])), file["points"]
        if settings["format"] != _FORMAT:
            raise ValueError(f"format {settings['format']}, where this version reads {_FORMAT}")
        if points.shape != (settings["images"], 2) or points.dtype != np.float32 or not np.isfinite(points).all():
            raise ValueError(f"its points are {points.shape} {points.dtype}, or not finite")
    except DAMAGE as error:
        raise CheckpointError(f"{path} is not a whole projection ({error!s:.200}). Make it again.") from error
    return Projection(points, settings)


def _settings(name_or_path: str | Path, dataset: Dataset, method: Method, images: int, seed: int) -> dict[str, Any]:
    """Returns what a projection depends on."""
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
