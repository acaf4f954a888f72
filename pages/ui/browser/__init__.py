"""Interactive components that run in the browser, with the model's networks sent once. There is no build step.

`store` keeps the networks and codes of a model for all components of a page; small data are sent to each component. The
modules in modules/:

    net, seeded                   the networks, and reproducible random numbers
    store, keep                   data sent once
    follower, later               components about one model: synchronisation with the server, and delayed reports
    dom, controls, svg, pictures  elements, buttons, draggable knobs, small images
    plane                         a plane of latent space: basis (projection), viewport (pan, zoom), gestures (pointer
                                  and keys), scales, points, marks (its layers), sheets (decoded plane, density),
                                  labels (layout of class names)
    map, sliders, generate        components; so is replay. The map uses clusters, room (its height in the window)
                                  and wander (the pointer moves until it is touched)
    tour, newcomer                the tour for new visitors
    document, away                the page itself: its language, and the notice that the server is away
    alone                         the map as a separate file, without a server
    sketch                        pad and stroke (ink as in MNIST), judge (the ELBO), rank (histogram of ELBOs)
    reparameterise                draws (samples, gradients), twoaxes, cloud, knobs, shades, sweepchart
    divergence                    normals, shares
    race                          racescale (its axes)
    probe                         lattice (class probabilities), regions (drawing), classbars, doubt, ways (paths)
    slow                          stages, slowdraw, bars
    takeaway                      found (figures and tables), figure, snapshot (a component as SVG), fonts, csv
"""

import base64
import math
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.ui import colours, language, newcomer, planes, state, words
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures, latent
from vae.model import AnyConfig

_NEW = {"n": 0, "row": None, "z": None}
PAD = "draw.pad"


def tell_language() -> None:
    """Sends the page its language, for screen readers, and the messages for missing images and connections."""
    data = {
        "lang": language.current().replace("_", "-"),
        "missing": _("This image could not be loaded from the server."),
        "away": _(
            "The server is not responding: it was stopped, or the network connection was lost. This page continues "
            "when the server is back. Training runs continue without it, or can be resumed."
        ),
    }
    component("document")(key="document", data=data, height=1, on_back_change=_nothing)


def store(model: cache.Model) -> str:
    """Sends the large data of a model, once, and returns the key by which the components find them."""
    return _send(cache.browser.packed(model, cache.images(model).name))


def store_encoder(model: cache.Model) -> None:
    """Also sends the encoder, for components that need it."""
    _send(cache.browser.packed_encoder(model, cache.images(model).name))


def _send(packed: dict[str, Any]) -> str:
    component("keep")(key=f"store.{packed['key']}", data=packed, height=1)
    return str(packed["key"])


def hear(model: cache.Model) -> None:
    """Applies the latest reports of components, also if the user has just changed the page."""
    for key in (f"map.{model[0]}", f"sliders.{model[0]}", f"generate.{model[0]}", f"probe.{model[0]}"):
        take(key, (st.session_state.get(key) or {}).get("chosen") or _NEW)
    _take_drawing((st.session_state.get(PAD) or {}).get("drawn"), cache.record(model[0]).model.image_shape)


def latent_map(model: cache.Model, kept: str, plane: planes.Shown, painted: cache.latent.Colouring) -> None:
    """Shows the map of a plane, and applies clicks on it. Call it in a fragment."""
    key = f"map.{model[0]}"
    heard = st.session_state.get(key) or {}
    chosen, asked = heard.get("chosen") or _NEW, heard.get("asked") or {}
    take(key, chosen)
    z = cache.z(model)
    data = map_data(model, kept, plane, painted) | {
        "n": chosen["n"], "z": [round(float(v), 5) for v in z], "row": cache.row(model),
        "welcome": newcomer.has_nothing_in_use(),
    }  # fmt: skip
    if asked.get("manifold"):
        axes = plane.axes
        through = axes.lift(np.zeros((1, 2), np.float32))[0] + (z - axes.lift(axes.project(z[None]))[0])
        directions, centre = (tuple(part.ravel().tolist()) for part in (axes.directions, through))
        data["manifold"], data["levels"] = cache.browser.manifold(model, directions, centre)
    if asked.get("z"):
        decoded = cache.decode(model, tuple(asked["z"]), 0)
        data["answer"] = {
            "z": asked["z"], "mean": decoded.mean[0].ravel().round(4).tolist(),
            "deviation": decoded.deviation[0].ravel().round(4).tolist(),
        }  # fmt: skip
    component("map")(key=key, data=data, on_chosen_change=_nothing, on_asked_change=_nothing)


def map_data(model: cache.Model, kept: str, plane: planes.Shown, painted: cache.latent.Colouring) -> dict[str, Any]:
    """Returns the data of the map, on a page or in a separate file, without the current point.

    Arguments:
        model: by name and modification time.
        kept: the key of its decoder and codes.
        plane: the plane shown.
        painted: the colouring of the points.
    """
    data = {
        "model": kept, "classes": colours.names(cache.images(model), painted), "titles": plane.titles,
        "basis": _basis(plane.axes),
        "colours": {"encoder": figures.COLOURS["elbo"], "aggregate": figures.latent.AGGREGATE},
        "sigma_colours": figures.SIGMA_COLOURS.ravel().tolist(),
        "words": _map_words(cache.record(model[0]).model, painted, words.draws(cache.images(model))),
    }  # fmt: skip
    if painted.kind == "clusters":  # from a few centres, the browser finds the cluster of each code
        data["centres"] = cache.latent.clusters(model, painted.groups).centres.ravel().tolist()
        data["inks"] = painted.colours
    return data


def sliders(model: cache.Model, kept: str) -> None:
    """Shows a slider for each dimension, the most informative first, and applies their final positions."""
    key = f"sliders.{model[0]}"
    chosen = (st.session_state.get(key) or {}).get("chosen") or _NEW
    take(key, chosen)
    carried, unit = cache.carried(model)
    reach = np.maximum(3, np.ceil(np.abs(cache.codes(model).mean).max(0)))
    data = {
        "model": kept, "n": chosen["n"], "z": [round(float(v), 5) for v in cache.z(model)], "row": cache.row(model),
        "order": np.argsort(-carried, kind="stable").tolist(), "carried": carried.tolist(),
        "labels": [f"{amount:.2f} {unit}" for amount in carried],
        "names": [words.coordinate(j) for j in range(len(carried))], "reach": reach.tolist(),
        "sigma_colours": figures.SIGMA_COLOURS.ravel().tolist(),
        "words": _slider_words(unit, cache.record(model[0]).model),
    }  # fmt: skip
    component("sliders")(key=key, data=data, on_chosen_change=_nothing)


def sketch(
    model: cache.Model, kept: str, axes: latent.Axes, titles: tuple[str, str], example: NDArray[np.uint8]
) -> None:
    """Shows the pad, and saves what is drawn; the example (H, W) is shown until something is."""
    shape, images = cache.record(model[0]).model.image_shape, cache.images(model)
    _take_drawing((st.session_state.get(PAD) or {}).get("drawn"), shape)
    drawn = state.drawn_last()
    fits = drawn is not None and drawn.image.shape == shape
    given = drawn if drawn is not None and fits else state.Drawing(example, "example", [], example)
    autoencoder = cache.record(model[0]).autoencoder
    data = {
        "model": kept, "titles": titles, "basis": _basis(axes), "words": _sketch_words(words.digits(images)),
        "classes": words.classes(images), "centred": words.digits(images),
        "given": {
            "id": given.id, "example": not fits, "strokes": given.strokes,
            "ground": None if given.ground is None else base64.b64encode(given.ground.tobytes()).decode(),
        },
        "elbos": None if autoencoder else cache.browser.sorted_elbos(model, images.name),
        "colours": {"encoder": figures.COLOURS["elbo"]},
    }  # fmt: skip
    if not cache.browser.nets_travel(model):
        data["answer"] = {"id": given.id, **cache.browser.judged(model, given.image.tobytes())}
    component("sketch")(key=PAD, data=data, on_drawn_change=_nothing)


def _take_drawing(drawn: dict[str, Any] | None, shape: tuple[int, ...]) -> None:
    """Saves the drawing that the pad has reported, once for each report."""
    if not drawn or st.session_state.get(f"{PAD}.taken") == drawn["n"]:
        return
    st.session_state[f"{PAD}.taken"] = drawn["n"]
    image, ground = (np.frombuffer(base64.b64decode(drawn[part] or ""), np.uint8) for part in ("pixels", "ground"))
    if image.size != math.prod(shape):
        state.use_drawing(None)
        return
    under = ground.reshape(shape) if ground.size == image.size else None
    state.use_drawing(state.Drawing(image.reshape(shape), str(drawn["n"]), drawn["strokes"], under))


def take(key: str, chosen: dict[str, Any]) -> None:
    """Applies an image or a latent that a component has reported, once for each report."""
    if st.session_state.get(f"{key}.taken", 0) == chosen["n"]:
        return
    st.session_state[f"{key}.taken"] = chosen["n"]
    if chosen["row"] is not None:
        state.use_image(int(chosen["row"]))
    elif chosen["z"] is not None:
        state.use_z(tuple(float(v) for v in chosen["z"]))
    state.write_link()


def _basis(axes: latent.Axes) -> dict[str, list[float]]:
    return {"mean": axes.centre.tolist(), "directions": axes.directions.ravel().tolist()}


def _map_words(config: AnyConfig, painted: cache.latent.Colouring, draws: bool) -> dict[str, str]:
    """Returns the texts on and around the map; the browser fills in the braces.

    The points are test images, or samples from the model that replace them.
    """
    low, high = words.span(*painted.reach)
    return {
        "map": _("latent map"),
        "help": _(
            "Samples from the model as points in the latent plane. The arrow keys move z, with Shift in small steps; "
            "plus and minus zoom, 0 shows all."
        )
        if draws
        else _(
            "Test images as points in the latent plane. The arrow keys move z, with Shift in small steps; plus and "
            "minus zoom, 0 shows all."
        ),
        "closer": _("Zoom in"), "farther": _("Zoom out"), "whole": _("Show all"), "under": _("Background"),
        "points": _("Points only"), "manifold": _("Decoded plane"), "density": _("Aggregate posterior"),
        "classes": _("Clusters") if painted.kind == "clusters" else _("Classes"),
        "hide": _("Click to hide; double-click, long press or Shift+Enter to show only this one"),
        "pause": _("Pause"), "pause_help": _("Stop the pointer that moves by itself"),
        "mean": _("mean of p(x|z)"), "deviation": words.deviation(config),
        "range": _("σ, {low} to {high}") if config.grey else words.deviation_range(config),
        "image": _("a sample x from the model") if draws else _("test image x"),
        "no_image": _("no sample here") if draws else _("no test image here"),
        "reconstruction": _("its reconstruction, the mean of p(x|z)"), "sigma": _("Show σ"),
        "scale": _("log q(z) at the codes, {low} to {high} nats").format(low=low, high=high)
        if painted.kind == "density"
        else "",
        "at_image": _("Sample {row}: {label}, at {where}") if draws else _("Test image {row}: {label}, at {where}"),
        "at_plain": _("Sample {row}, at {where}") if draws else _("Test image {row}, at {where}"),
        "at_place": _("z = {where}"),
        "on_plane": _("{where} on the plane"),
        "server": _("This decoder cannot run in the browser. The server decodes where the pointer rests."),
    }  # fmt: skip


def _slider_words(unit: str, config: AnyConfig) -> dict[str, str]:
    return {
        "zero": _("Prior mean, z = 0"), "prior": _("Sample z ~ p(z)"), "draw_again": _("New sample x"),
        "mean": _("mean of p(x|z)"), "deviation": words.deviation(config), "range": words.deviation_range(config),
        "draw": _("a sample x ~ p(x|z)"), "image": _("test image {row}"), "more": _("{count} more dimensions"),
        "unused": _("Unused, less than 0.01 {unit}: {names}").replace("{unit}", unit),
    }  # fmt: skip


def _sketch_words(digits: bool) -> dict[str, str]:
    return {
        "brush": _("Brush"), "undo": _("Undo"), "clear": _("Clear"),
        "centre": _("Centre as MNIST does") if digits else _("Centre"),
        "centre_help": _("Scales the longer side to 20 of 28 pixels, centred by centre of mass (LeCun et al. 1998)"),
        "pad": _("Drawing pad. Arrow keys move a pen, the space bar lowers and lifts it, Backspace undoes a stroke."),
        "hint": _("Draw a digit with a mouse, pen or finger.") if digits else _("Draw with a mouse, pen or finger."),
        "seen": _("what the model sees"),
        "example": _("a test image to start with"), "reconstruction": _("its reconstruction"),
        "map": _("Latent plane; the ellipse is q(z|x) of the drawing"), "nats": _("nats"),
        "rank": _("Histogram of the ELBOs of test images, with the ELBO of the drawing as a line"),
        "score": _("ELBO {elbo} nats, KL {kl} nats. {percent}% of {count} test images have a lower ELBO."),
        "blank": _("Nothing has been drawn yet."), "over": _("A drawing on top of an image cannot be centred."),
        "no_elbo": _("A plain autoencoder has no ELBO."),
        "server": _("This model cannot run in the browser. The server evaluates it after each stroke."),
    }  # fmt: skip


def _nothing() -> None:
    """Streamlit requires a callback for each value that a component keeps."""
