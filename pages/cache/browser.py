"""Caches of data sent to the browser."""

import contextlib
import hashlib
import zlib
from typing import Any

import numpy as np
import streamlit as st
import torch

from pages.cache import latent as latent_cache
from pages.cache import models
from pages.cache.kept import kept
from pages.ui import state
from vae import evidence, figures, latent
from vae.errors import ConfigError, VAEError
from vae.interchange import OwnClassifier, onnx_archive
from vae.model import generator, load, portable
from vae.uses import classifier

SHEET, SIDE = 100, 10  # images per sheet, and along its side
PLANE, ACROSS = 20, 640  # images along a side of the plane decoded on the server, at most, and about its pixels


@st.cache_resource(max_entries=16, show_spinner=False)
def packed(model: models.Model, data_name: str) -> dict[str, Any]:
    """Returns the decoder and the codes of a model in the format of the components."""
    record, codes, data = models.record(model[0]), models.codes(model), models.dataset(data_name)
    painted = latent_cache.colouring(model)
    parts: dict[str, Any] = {
        "key": _key(model, data_name), "config": {**record.model.to_dict(), "linear": record.model.linear},
        "count": len(codes.mean), "labels": painted.labels.astype(np.min_scalar_type(painted.labels.max())),
        "classes": data.classes, "colours": painted.colours, "images": f"images/{version(data_name)}/{data_name}",
    }  # fmt: skip
    kinds = {"mean": codes.mean}
    if not record.autoencoder:  # an autoencoder's standard deviations are not trained
        kinds["deviation"] = codes.deviation
    for name, values in kinds.items():
        book: portable.Codebook = portable.pack_codes(values)
        parts[f"{name}s"] = book.levels.ravel()
        parts[f"{name}_scale"] = {"low": book.low.tolist(), "step": book.step.tolist()}
    return parts | _net("decoder", models.load(model).decoder)


@st.cache_resource(max_entries=16, show_spinner=False)
def packed_encoder(model: models.Model, data_name: str) -> dict[str, Any]:
    """Returns the encoder of a model in the format of the components."""
    config = models.record(model[0]).model.to_dict()
    return {"key": f"{_key(model, data_name)} encoder", "config": config, **_net("encoder", models.load(model).encoder)}


def version(data_name: str) -> str:
    """Returns a version of a data set for addresses, which differs from those of earlier sets of the same name."""
    return hashlib.sha256(models.dataset(data_name).checksum.encode()).hexdigest()[:16]


def _key(model: models.Model, data_name: str) -> str:
    return f"{model[0]} {model[1]} {data_name} {version(data_name)}"


@st.cache_resource(max_entries=4, show_spinner=False)
def packed_classifier(key: str, _net: Any) -> dict[str, Any]:
    """Returns a classifier as the components take it, without its net where that is no multilayer perceptron."""
    if isinstance(_net, classifier.Classifier):
        layers, head = [each[0] for each in _net.body], _net.head  # type: ignore[index]
        affines = [portable.Affine(each.weight, each.bias) for each in layers]
        return {"key": key, **_flat("classifier", portable.packed(affines, [portable.Affine(head.weight, head.bias)]))}
    found = portable.perceptron(_net.graph) if isinstance(_net, OwnClassifier) else None
    if found is None or len(found.heads) > 1 or any(found.bounded):
        return {"key": key}
    with contextlib.suppress(ConfigError):  # it is too large
        net = portable.packed(found.layers, found.heads, activation=found.activation)
        return {"key": key, **_flat("classifier", net)}
    return {"key": key}


def _net(name: str, part: torch.nn.Module) -> dict[str, Any]:
    """Returns a compressed network, or nothing if it must run on the server."""
    try:
        return _flat(name, portable.portable(part))
    except ConfigError:
        return {}


def _flat(name: str, net: portable.Portable) -> dict[str, Any]:
    size = net.weights.itemsize
    # first bytes of all numbers, then second bytes: with adjacent exponents, deflate saves a tenth
    planes = net.weights.view(np.uint8).reshape(-1, size).T.tobytes()
    weights = np.frombuffer(zlib.compress(planes), np.uint8)
    return {name: {**net.layout(), "half": size == 2}, f"{name}_weights": weights}


def prepare() -> None:
    """Packs the default model before it is first requested."""
    with contextlib.suppress(VAEError):
        model = models.model_id(state.DEFAULT_MODEL)
        packed(model, models.images(model).name)


def sheet(data_name: str, number: int) -> bytes | None:
    """Returns a hundred test images as one PNG, or None beyond the last image."""
    if not 0 <= number * SHEET < len(models.dataset(data_name).test):
        return None  # not cached, so that invalid numbers do not displace sheets
    return _sheet(data_name, number)


@st.cache_resource(max_entries=256, show_spinner=False)
def _sheet(data_name: str, number: int) -> bytes:
    images = models.dataset(data_name).test.images[number * SHEET : (number + 1) * SHEET].numpy()
    whole = np.zeros((SHEET, *images.shape[1:]), np.float32)
    whole[: len(images)] = images / 255
    return figures.png(figures.contact_sheet(whole, SIDE, 1))


@kept()
def sorted_elbos(model: models.Model, data_name: str, count: int = 1000, draws: int = 8) -> np.ndarray:
    """Returns the ELBOs of the first test images, increasing, in nats."""
    rows = tuple(range(min(count, len(models.dataset(data_name).test))))
    return np.sort(models.elbo(model, data_name, rows, draws)[0]).astype(np.float32)


@st.cache_data(max_entries=64, show_spinner=False)
def judged(model: models.Model, drawing: bytes) -> dict[str, Any]:
    """Encodes, decodes and scores one image, for a model that runs on the server."""
    vae, config = models.load(model), models.record(model[0]).model
    image = torch.frombuffer(bytearray(drawing), dtype=torch.uint8).reshape(1, *config.image_shape)
    codes = latent.encode(vae, image)
    mean = latent.decode(vae, codes.mean).mean[0]
    score = evidence.elbo(vae, vae.pixels(image, generator(0)), 8, generator(1))
    return {
        "mean": codes.mean[0].tolist(), "deviation": codes.deviation[0].tolist(), "kl": float(codes.kl.sum()),
        "reconstruction": mean.ravel().round(4).tolist(), "elbo": float(score.value[0]),
    }  # fmt: skip


def nets_travel(model: models.Model) -> bool:
    """Whether encoder and decoder can both run in the browser."""
    name = models.images(model).name
    return "decoder" in packed(model, name) and "encoder" in packed_encoder(model, name)


@st.cache_resource(max_entries=16, show_spinner=False)
def manifold(
    model: models.Model, directions: tuple[float, ...], centre: tuple[float, ...]
) -> tuple[dict[str, Any], np.ndarray]:
    """Returns the decoded plane around all codes, for a model that runs on the server: its position and pixels."""
    axes = latent.Axes(np.array(centre, np.float32), np.array(directions, np.float32).reshape(2, -1), np.zeros(2))
    points = axes.project(models.codes(model).mean)
    low, high = points.min(0), points.max(0)
    side = max(10, min(PLANE, ACROSS // max(models.record(model[0]).model.planes[:2])))
    steps = (np.arange(side) + 0.5) / side
    across, up = np.meshgrid(low[0] + steps * (high[0] - low[0]), high[1] - steps * (high[1] - low[1]))
    means = latent.decode(models.load(model), axes.lift(np.stack([across.ravel(), up.ravel()], 1))).mean
    place = {"side": side, "low": low.tolist(), "high": high.tolist()}
    return place, figures.contact_sheet(means, side, 1).ravel()


@st.cache_data(max_entries=4, show_spinner=False)
def networks(model: models.Model) -> bytes:
    """Returns encoder and decoder as an archive of ONNX files; this takes seconds.

    It uses a copy of the model, because other sessions may be using the cached one.
    """
    return onnx_archive(load(model[0]), model[0])
