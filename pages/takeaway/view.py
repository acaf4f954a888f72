"""The state of a session: the current model, image, latent and settings, for the files of the menu."""

import contextlib
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages import cache
from pages.explore.panels import interpolation
from pages.learn import kit
from pages.train.panels import choose, settings
from pages.ui import planes, state
from vae import Preset
from vae.errors import VAEError


class View(NamedTuple):
    """The state of a session at one moment.

    Attributes:
        model: by name and time of writing.
        data: name of the data set whose test images are shown.
        row: of the current test image.
        z: the latent chosen instead of the image's code; None if there is none.
        plane: the two coordinates of the map; None for the principal directions.
        seed: of random samples.
        drawing: the image drawn or uploaded, (H, W) uint8 of the model's size.
        drawing_asked: whether to evaluate the drawing instead of the test image.
        to: the test image at the end of the interpolation; None if none was chosen.
        walk_drawn: whether the interpolation starts at the drawing, and whether it ends there.
        chapter: of the lesson.
        plan: the settings of the page Train; None on other pages, and if a setting is invalid.
    """

    model: cache.Model
    data: str
    row: int
    z: tuple[float, ...] | None
    plane: tuple[int, int] | None
    seed: int
    drawing: NDArray[np.uint8] | None
    drawing_asked: bool
    to: int | None
    walk_drawn: tuple[bool, bool]
    chapter: str
    plan: Preset | None

    def of(self, model: cache.Model) -> "View":
        """Returns the view of another model, with the same test image if there is one."""
        images = cache.images(model)
        return self._replace(model=model, data=images.name, row=min(self.row, len(images.test) - 1), z=None)


def current(page: str, model: cache.Model) -> View:
    """Returns the current state; call it while the session's script runs."""
    images, config = cache.images(model), cache.record(model[0]).model
    first = kit.FIRST.get(images.name, 0) if page == "learn/lesson" else 0
    z, drawing, to = state.z(), state.drawing(), st.session_state.get(interpolation.TO)
    drawn = drawing is not None and drawing.shape == config.image_shape
    plan = None
    if page == "train/train":
        with contextlib.suppress(VAEError):  # the page itself shows it
            plan = settings.chosen() if settings.filled() else choose.kept(choose.FIRST)
    return View(
        model=model,
        data=images.name,
        row=min(state.image(first), len(images.test) - 1),
        z=z if z is not None and len(z) == config.latent else None,
        plane=planes.chosen(model) if config.latent > 2 else (0, config.latent - 1),
        seed=state.seed(),
        drawing=drawing if drawn else None,
        drawing_asked=drawn and state.drawing_is_asked_for(),
        to=to if to is not None and 0 <= to < len(images.test) else None,
        walk_drawn=interpolation.drawn_ends() if drawn else (False, False),
        chapter=state.chapter(),
        plan=plan,
    )
