"""A classifier on a latent plane: class regions, uncertainty, and paths to another class."""

from typing import Any

import numpy as np
import streamlit as st

from pages import cache
from pages.ui import browser, state, words
from pages.ui.browser.mount import component
from pages.ui.language import _
from vae import figures
from vae.uses import classifier, flips

PAIRS = "probe.pairs"
_THRESHOLD = "probe.threshold"


def show(
    model: cache.Model, judge: cache.probe.Judge, part: str, plane: cache.probe.Plane, titles: tuple[str, str],
    classes: tuple[str, ...], *, log_q: np.ndarray | None = None, doubt: cache.probe.Doubts | None = None,
    ways: cache.flips.Flips | None = None,
) -> None:  # fmt: skip
    """Shows a plane, and applies clicks on it. Call it in a fragment.

    Arguments:
        model: the model, by name and time of writing.
        judge: the classifier.
        part: map, doubt or flip.
        plane: the class probabilities on it.
        titles: of its axes.
        classes: names of the classes.
        log_q: (H, W), log q(z) on the plane, if it is known.
        doubt: the uncertainty over the prior, for the part doubt of a model with a prior.
        ways: the paths to another class, for the part flip.
    """
    key, net = f"probe.{model[0]}", cache.browser.packed_classifier(judge.key, judge.judge)
    with st.container(gap=None):  # invisible
        kept = browser.store(model)
        if "classifier" in net:
            component("keep")(key=f"store.{judge.key}", data=net, height=1)
    heard = st.session_state.get(key) or {}
    chosen, asked = heard.get("chosen") or {"n": 0, "row": None, "z": None}, heard.get("asked") or {}
    if heard.get("pairs") is not None:
        st.session_state[f"{PAIRS}.{model[0]}"] = heard["pairs"]
    x, y, found = plane.lattice.x, plane.lattice.y, plane.lattice.log_probability
    data: dict[str, Any] = {
        "model": kept, "n": chosen["n"], "row": cache.row(model),
        "z": [round(float(v), 5) for v in cache.z(model)], "part": part, "titles": titles,
        "basis": {"mean": plane.axes.centre.tolist(), "directions": plane.axes.directions.ravel().tolist()},
        "grid": {
            "low": [float(x[0]), float(y[0])], "step": float(x[1] - x[0]), "width": len(x), "height": len(y),
            "classes": found.shape[2],
        },
        "judge": judge.key if "classifier" in net else None, "levels": plane.levels,
        "names": plane.names, "classes": classes,
        "inks": figures.group_colours(found.shape[2]), "density_colour": figures.latent.AGGREGATE,
        "words": _words(model),
    }  # fmt: skip
    if log_q is not None:
        data["log_q"] = np.maximum(log_q, -1000).astype(np.float32).ravel()
    if doubt is not None:
        moved = heard.get("threshold") or {"n": 0, "at": 0}
        data["doubt"] = {
            "thresholds": doubt.doubt.thresholds.tolist(), "unsure": doubt.doubt.unsure.tolist(),
            "astray": doubt.doubt.astray.tolist(), "draws": doubt.doubt.draws, "n": moved["n"],
            "at": _threshold(doubt.doubt.thresholds, **moved),
        }  # fmt: skip
    if ways is not None:
        bound = cache.record(model[0]).model.latent > 2
        data["ways"] = [_way(name, way, ways.shares[name], classes, bound) for name, way in ways.ways.items()]
        data["pairs"] = st.session_state.get(f"{PAIRS}.{model[0]}", [])
    if asked.get("z") and len(asked["z"]) == len(data["z"]):
        mean = cache.decode(model, tuple(asked["z"]), 0).mean[0]
        data["answer"] = {"z": asked["z"], "mean": mean.ravel().round(4).tolist()}
    component("probe")(
        key=key, data=data, on_chosen_change=_nothing, on_asked_change=_nothing, on_pairs_change=_nothing,
        on_threshold_change=_nothing,
    )  # fmt: skip


def take(model: cache.Model) -> None:
    """Applies the last click, before the values that depend on it are computed."""
    key = f"probe.{model[0]}"
    browser.take(key, (st.session_state.get(key) or {}).get("chosen") or {"n": 0, "row": None, "z": None})


def _threshold(thresholds: np.ndarray, n: int, at: int) -> int:
    """Returns the index of the threshold last reported by the browser, or in the link, and writes it into the link."""
    state.begin(_THRESHOLD, _share, classifier.SURE)
    if n > st.session_state.get(f"{_THRESHOLD}.taken", 0):
        st.session_state[f"{_THRESHOLD}.taken"] = n
        st.session_state[_THRESHOLD] = float(thresholds[at])
    asked, usual = (int(np.abs(thresholds - each).argmin()) for each in (st.session_state[_THRESHOLD], classifier.SURE))
    state.write_link(probe__threshold=None if asked == usual else f"{thresholds[asked]:.3f}")
    return asked


def _share(text: str) -> float:
    if not 0 <= (value := float(text)) <= 1:
        raise ValueError(text)
    return value


def _way(
    name: str, way: flips.Flip, shares: np.ndarray, classes: tuple[str, ...], bound: bool
) -> dict[str, Any]:  # fmt: skip
    """Describes a path; `bound` tells that the distance of a straight one is an upper bound on the smallest."""
    title = {"straight": _("Straight"), "density": _("Along high q(z)")}[name]
    start, end = classes[way.start], classes[way.end]
    says, short = _("From {start} to {end}, at a distance of {distance:.2f} in z."), "{start} → {end}, {distance:.2f}"
    if name == "density":
        says = _("From {start} to {end}, at a distance of {distance:.2f} in z; the path is {length:.2f} long.")
    elif bound:
        short = "{start} → {end}, ≤ {distance:.2f}"
        says = _(
            "From {start} to {end}. The distance to the nearest such point is at most {distance:.2f} in z: it was "
            "found with the gradient, and a nearer one may exist."
        )
    numbers = {"start": start, "end": end, "distance": way.distance, "length": way.length}
    return {
        "name": name, "title": title, "path": way.path.ravel().tolist(), "says": says.format(**numbers),
        "shares": shares.astype(float).ravel().round(8).tolist(),
        "from": _("decoded z, classified as {label}").format(label=start),
        "to": _("along the path, which ends in {label}").format(label=end),
        "short": short.format(**numbers),
    }  # fmt: skip


def _words(model: cache.Model) -> dict[str, str]:
    drawn, size = words.draws(cache.images(model)), cache.record(model[0]).model.latent
    return {
        "plane": _("latent plane with the classifier's regions"),
        "help": _(
            "The predicted class at each point of the latent plane. Arrow keys move z, with Shift in small steps; "
            "plus and minus zoom, 0 shows all."
        ),
        "mean": _("mean of p(x|z)"), "bars": _("Class probabilities"),
        "between": _("The bars are interpolated between the {count} points at which the classifier was evaluated."),
        "original": _("sample {row}: {label}") if drawn else _("test image {row}: {label}"),
        "original_plain": _("sample {row}") if drawn else _("test image {row}"),
        "codes": _("Show the samples") if drawn else _("Show the test images"),
        "at": _("z = {where}"), "on_plane": _("{where} on the plane"), "outside": _("outside the classified square"),
        "log_q": _("log q(z) = {nats} nats")
        if size <= 2
        else _("log q(z) over {count:,} images = {{nats}} nats").format(
            count=min(cache.probe.CODES, len(cache.images(model).test))
        ),
        "density": _("log q(z), top {nats} nats; cross at z").format(nats=7 * size),
        "unsure": _("of the prior mass: low confidence"),
        "astray": _("of the prior mass: high confidence, but far from the data"),
        "threshold": _("Probability above which the classifier counts as confident"),
        "at_threshold": _("threshold {share}"),
        "no_prior": _("A plain autoencoder has neither p(z) nor q(z), so there is no prior mass to measure."),
        "way": _("Path"), "walk": _("Along the path"), "keep": _("Keep this pair"), "pairs": _("Kept pairs"),
        "start": _("decoded z"), "flip": _("along the path"),
        "hint": _("Click the plane to start from there."),
        "no_way": _("No point of that class was found from here."),
    }  # fmt: skip


def _nothing() -> None:
    """Streamlit requires a callback for each value that a component keeps."""
