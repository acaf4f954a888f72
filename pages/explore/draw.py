"""The page Draw: draw, or upload a photograph, and see its code, reconstruction and ELBO."""

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
LARGEST = 64  # pixels per side of the drawing pad
model = cache.model_id(state.model())
config = cache.record(state.model()).model
dataset = cache.images(model)
digits = words.digits(dataset)


def undrawable() -> None:
    """Explains why there is no pad, and shows the reconstruction of a test image instead."""
    st.info(
        _(
            "Drawing is available for greyscale images of up to {most} × {most} pixels, but the images of {name} are "
            "{size}. To draw, choose another model in the sidebar."
        ).format(most=LARGEST, name=model[0], size=words.sides(config.image_shape)),
        icon=":material/info:",
    )
    row = min(state.image(), len(dataset.test) - 1)
    decoded = cache.reconstructions(model, dataset.name, (row,)).mean[0]
    pictures.row(
        {
            words.image(dataset, row): pictures.plain(dataset.test.images[row].numpy() / 255),
            _("its reconstruction"): pictures.plain(decoded),
        }
    )


if not config.grey or max(config.image_shape) > LARGEST:
    undrawable()
    st.stop()
st.markdown(
    _(
        "**Draw a digit.** Each stroke is encoded immediately: the ellipse shows $q(z|x)$ in the latent plane, and the "
        "ELBO is a lower bound on the log-likelihood of your drawing. Try drawing something that is not a digit, too."
    )
    if digits
    else _(
        "**Draw.** Each stroke is encoded immediately: the ellipse shows $q(z|x)$ in the latent plane, and the ELBO is "
        "a lower bound on the log-likelihood of your drawing. Try drawing something unlike the training images, too."
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
    upload = _("Upload a photograph or a scan of a digit") if digits else _("Upload a photograph or a scan")
    with st.expander(upload, icon=":material/photo_camera:"):
        photograph()
    row = min(state.image(), len(dataset.test) - 1)
    with pad:
        example = dataset.test.images[row].numpy()
        browser.sketch(model, kept, cache.axes(model, plane), titles, example)
        if st.button(
            _("Open it on the Likelihood page"), icon=":material/query_stats:", disabled=state.drawing() is None,
            key="draw.take",
        ):  # fmt: skip
            state.ask_for_drawing(True)
            st.switch_page(str(PAGES / "measure" / "likelihood.py"))


def photograph() -> None:
    """Turns an uploaded photograph into a drawing, and shows the steps."""
    if config.image_shape[0] != config.image_shape[1]:
        st.caption(_("Photographs can be used only with a model of square images."))
        return
    file = st.file_uploader(
        _("One digit, dark on light or light on dark") if digits else _("One shape, dark on light or light on dark"),
        ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"],
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
    if st.session_state.get("draw.taken") != file.file_id:  # only once, to keep what is drawn over it
        st.session_state["draw.taken"] = file.file_id
        state.use_drawing(state.Drawing(steps.centred, file.file_id, [], steps.centred))
    names = (
        _("grey"), _("white ink on black"), _("cropped to the ink"),
        _("{count} pixels").format(count=max(steps[3].shape)),
        _("centred by centre of mass"),
    )  # fmt: skip
    with st.container(horizontal=True):
        for name, image in zip(names, steps, strict=True):
            scale = max(1, 140 // max(image.shape))
            st.image(figures.png_uri(pictures.plain(image / 255, scale)), caption=name, alt=name, width=140)


explore()
