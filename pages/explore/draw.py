"""Draw a digit, or photograph one, and see what the model makes of it."""

from pathlib import Path

import streamlit as st

from pages import cache
from pages.ui import browser, pictures, state, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae import figures
from vae.data import handwriting
from vae.errors import DataError

PAGES = Path(__file__).parents[1]
model = cache.model_id(state.model())
config = cache.record(state.model()).model
dataset = cache.images(model)

LARGEST = 64  # pixels a side that a hand can fill
drawable = config.grey and max(config.image_shape) <= LARGEST


def undrawable() -> None:
    """Says that there is no pad, and shows what the model makes of a test image instead."""
    size = " x ".join(map(str, config.image_shape[:2])) + ("" if config.grey else " " + _("in colour"))
    st.info(
        _("Drawing is for grey images of up to {most} x {most} pixels; those of {name} are {size}.").format(
            most=LARGEST, name=model[0], size=size
        ),
        icon=":material/draw:",
    )
    row = min(state.image(), len(dataset.test) - 1)
    decoded = cache.reconstructions(model, dataset.name, (row,)).mean[0]
    pictures.row(
        {
            _("test image {row}").format(row=row): pictures.plain(dataset.test.images[row].numpy() / 255),
            _("its reconstruction"): pictures.plain(decoded),
        }
    )


if not drawable:
    undrawable()
    st.stop()
st.markdown(
    _(
        "Each stroke is encoded at once: the ellipse is $q(z|x)$ on the latent plane, and the ELBO says how probable "
        "the model finds the drawing at least. Draw something that is no digit, too."
    )
)
kept = browser.store(model)
browser.store_encoder(model)
plane = None if config.latent > 2 else (0, min(1, config.latent - 1))
titles = (
    (_("first principal direction"), _("second principal direction"))
    if plane is None
    else (words.coordinate(0), words.coordinate(1) if config.latent > 1 else "")
)


@fragment()
def explore() -> None:
    pad = st.container()
    with st.expander(_("Upload a photograph or a scan of a digit"), icon=":material/photo_camera:"):
        photograph()
    row = min(state.image(), len(dataset.test) - 1)
    with pad:
        example = dataset.test.images[row].numpy()
        browser.sketch(model, kept, cache.axes(model, plane), titles, example)
        if st.button(
            _("Take it to the likelihood page"), icon=":material/query_stats:", disabled=state.drawing() is None,
            key="draw.take",
        ):  # fmt: skip
            state.ask_for_drawing(True)
            st.switch_page(str(PAGES / "measure" / "likelihood.py"))


def photograph() -> None:
    """Makes an upload into a drawing, and shows how."""
    if config.image_shape[0] != config.image_shape[1]:
        st.caption(_("This model's images are not square."))
        return
    file = st.file_uploader(
        _("One digit, dark on light or light on dark"), ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"],
        key="draw.file",
    )  # fmt: skip
    if file is None:
        st.session_state.pop("draw.taken", None)
        return
    try:
        steps = handwriting.prepare(file.getvalue(), config.image_shape[0])
    except DataError as error:
        st.error(said(error), icon=":material/error:")
        return
    if st.session_state.get("draw.taken") != file.file_id:  # once: what is drawn over it afterwards stays
        st.session_state["draw.taken"] = file.file_id
        state.use_drawing(state.Drawing(steps.centred, file.file_id, [], steps.centred))
    names = (_("grey"), _("ink on black"), _("cropped to the ink"), _("20 pixels"), _("centre of mass in the middle"))
    with st.container(horizontal=True):
        for name, image in zip(names, steps, strict=True):
            scale = max(1, 140 // max(image.shape))
            st.image(figures.png_uri(pictures.plain(image / 255, scale)), caption=name, alt=name, width=140)


explore()
