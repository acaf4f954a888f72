"""Images drawn with whole pixels, never smoothed."""

import base64

import streamlit as st
from numpy.typing import NDArray

from pages.ui import state
from pages.ui.language import _
from vae import figures


def plain(values: NDArray, scale: int = 6) -> NDArray:
    """Returns a picture of values (H, W) or (H, W, 3) in [0, 1]; large images are magnified less."""
    return figures.picture(values, figures.fitted(scale, *values.shape[:2]))


def sigma(deviation: NDArray, scale: int = 6, top: float | None = None) -> NDArray:
    """Returns a picture of sigma (H, W), the maximum or `top` brightest; (H, W, 3) is averaged over the channels."""
    mean = figures.over_colours(deviation)
    return figures.picture(mean, figures.fitted(scale, *mean.shape), float(mean.max()) if top is None else top)


def sigma_words(deviation: NDArray) -> str:
    """Returns a caption of `sigma` with the minimum and maximum."""
    mean = figures.over_colours(deviation)
    says = _("σ, {low:.2g} to {high:.2g}").format(low=mean.min(), high=mean.max())
    return says if deviation.ndim == 2 else says + ", " + _("averaged over the colour channels")


def show(values: NDArray, caption: str, *, scale: int = 8) -> None:
    """Shows an image (H, W) or (H, W, 3) in [0, 1], at most at its own size.

    It is larger in presenter mode."""
    st.image(figures.png_uri(plain(values, state.larger(scale))), caption=caption, alt=caption)


def row(images: dict[str, NDArray], width: int = 140) -> None:
    """Shows pictures of one width in pixels with captions, side by side as space permits."""
    with st.container(horizontal=True):
        for caption, image in images.items():
            st.image(figures.png_uri(image), caption=caption, alt=caption, width=state.larger(width))


def strip(images: NDArray, caption: str, *, columns: int | None = None, scale: int = 3) -> None:
    """Shows images (N, H, W) or (N, H, W, 3) in one picture, in rows, at most at its own size.

    It is larger in presenter mode."""
    sheet = figures.contact_sheet(
        images, columns or len(images), figures.fitted(state.larger(scale), *images.shape[1:3])
    )
    wide = sheet.shape[1]
    # a small picture would be enlarged to the width of its caption, and a fixed width does not shrink
    st.image(figures.png_uri(sheet), caption=caption, alt=caption, width=wide if wide < 300 else "content")


def wide(content: bytes, alt: str, kind: str = "png") -> None:
    """Shows an encoded picture, at most at its own size."""
    st.image(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", alt=alt, width="content")


def whole(content: bytes, alt: str) -> None:
    """Shows a PNG as wide as its container, so that it lines up with what is below."""
    st.image(f"data:image/png;base64,{base64.b64encode(content).decode()}", alt=alt, width="stretch")
