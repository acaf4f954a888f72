"""The reference level of a race, log p(x) or the best lower bound, and which estimators come near it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages import cache
from pages.ui.language import _
from vae.evidence import Comparison, is_known, races

_LEVELS = "likelihood.levels"  # session state: log p(x) and its error if not among the stored results

Key = tuple[cache.Model, str, tuple[int, ...]]


class Goal(NamedTuple):
    """The level that estimates approach, a mean over the images.

    Attributes:
        nats: the level.
        exact: whether it is log p(x), or else the best lower bound.
        error: bound on the error of log p(x), nats.
    """

    nats: float
    exact: bool
    error: float = 0.0

    @property
    def name(self) -> str:
        """The name of the level."""
        return _("log p(x), exact") if self.exact else _("best lower bound")

    @property
    def word(self) -> str:
        """Its name within a sentence."""
        return _("log p(x)") if self.exact else _("the best lower bound")


def goal(key: Key) -> Goal | None:
    """Returns the level, from the stored results or from `find`, without computing it."""
    rows = key[2]
    if (kept := _ships(key)) is not None:
        values, kind = kept.reference()
        if not values[list(rows)].isfinite().all():
            return None
        bound = kept.estimates["exact"].error_bound if kind == "exact" else None
        error = 0.0 if bound is None else float(bound[list(rows)].max())
        return Goal(float(values[list(rows)].mean()), kind == "exact", error)
    return st.session_state.get(_LEVELS, {}).get(key)


def _ships(key: Key) -> Comparison | None:
    """Returns the stored results for these images, if there are any."""
    model, data_name, rows = key
    kept = cache.comparison(model, data_name)
    return kept if kept is not None and max(rows) < len(kept.encoder_kl) else None


def find(key: Key) -> bool:
    """Computes log p(x) of images without stored results; returns whether it did.

    Raises:
        DataError: the integration grids do not agree.
    """
    levels = st.session_state.setdefault(_LEVELS, {})
    if _ships(key) is not None or key in levels or not is_known(cache.record(key[0][0]).model):
        return False
    found = cache.evidence_of(*key)
    assert found is not None
    known = bool(np.isfinite(found[0]).all())
    levels[key] = Goal(float(found[0].mean()), True, float(found[1].max())) if known else None
    return True


def exactly(key: Key) -> str:
    """States how accurately log p(x) is known, or that it is not; empty before `find` has run."""
    known, config = goal(key), cache.record(key[0][0]).model
    if known is not None and known.exact:
        return _("log p(x) is known to about ± {error:.1g} nats.").format(error=known.error)
    if is_known(config):
        if known is None and key not in st.session_state.get(_LEVELS, {}) and not _ships(key):
            return ""
        return _("The integration grids do not agree on log p(x) of these images, so no exact value is drawn.")
    if known is None:
        return _("log p(x) is not known exactly for J = {size}.").format(size=config.latent)
    return _("log p(x) is not known exactly for J = {size}; the line is the best lower bound that was found.").format(
        size=config.latent
    )


def arrivals(
    tracks: Sequence[races.Track],
    names: dict[races.Runner, str],
    places: Sequence[int | None],
    known: Goal,
    *,
    running: bool,
) -> str:
    """States from how many samples on each estimator is near the level, or how far from it each ends."""
    near, last, far = [], [], []
    for track, place in zip(tracks, places, strict=True):
        name, end, count = names[track.runner], float(track.median[-1]), int(track.samples[-1])
        if place is not None:
            first = int(track.samples[place])
            near.append((first, _("{name} **{samples:,}**").format(name=name, samples=first)))
        elif races.near(track.median, known.nats, bound=not known.exact)[-1]:
            last.append(_("{name} **{samples:,}**").format(name=name, samples=count))
        elif not np.isfinite(end):
            far.append(_("{name}: not a finite number after {samples:,}").format(name=name, samples=count))
        else:
            says = _("{name} **{nats:,.1f} nats** below after {samples:,}")
            if end > known.nats:
                says = _("{name} **{nats:,.1f} nats** above after {samples:,}")
            far.append(says.format(name=name, nats=abs(end - known.nats), samples=count))
    lines = []
    if near:
        found = "; ".join(says for _samples, says in sorted(near))
        lines.append(_stays(known, running=running).format(level=known.word, found=found))
    if last:
        says = _("Only the last estimate is within 1 nat of {level}: {found}.")
        if not known.exact:
            says = _("Only the last estimate is within 1 nat of {level} or above it: {found}.")
        lines.append(says.format(level=known.word, found="; ".join(last)))
    if far:
        lines.append(_("Not within 1 nat yet: {found}.").format(found="; ".join(far)))
    return "  \n".join(lines)


def _stays(known: Goal, *, running: bool) -> str:
    """Returns the sentence on estimators that are near the level, with fields for it and for them."""
    if known.exact and running:
        return _("So far, the median is within 1 nat of {level} from these numbers of samples on: {found}.")
    if known.exact:
        return _("From these numbers of samples on, the median stays within 1 nat of {level}: {found}.")
    if running:
        return _("So far, the median is within 1 nat of {level} or above it from these numbers of samples on: {found}.")
    return _("From these numbers of samples on, the median stays within 1 nat of {level} or above it: {found}.")
