"""Import of a user's own images: upload, preview, and saving as a data set."""

import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages import cache
from pages.classroom import acts, uploads
from pages.ui import pictures, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae.data import NAMES, imports, names
from vae.errors import DataError, VAEError

PICTURES = ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff")
ARRAYS = ("zip", "npz", "npy", "gz", "idx", "parquet")
SHOWN, COLUMNS = 48, 12  # images in the preview
HELD = "data.held"  # the uploaded files and the folder that contains them
LARGEST = 128  # pixels per side, at most


@fragment()
def show() -> None:
    """Draws the uploader and, once there are files, the preview and its options."""
    st.subheader(_("Your own images"), anchor=False)
    kept = st.session_state.setdefault("data.times", 0)  # incremented to clear the uploaders
    left, right = st.columns(2, gap="medium")
    files = left.file_uploader(
        _("Images"), [*ARRAYS, *PICTURES], accept_multiple_files=True, key=f"data.files{kept}",
        help=_(
            "A zip archive of a folder of images, optionally with one subfolder per class; a .npz or .npy file of "
            "images of shape (N, H, W) or (N, H, W, 3); an IDX file, the format of MNIST; a Parquet file as written by "
            "Hugging Face; or image files."
        ),
    )  # fmt: skip
    labels = right.file_uploader(
        _("Labels, if they are in a separate file"), ["csv", "txt", "npy", "gz", "idx"], key=f"data.labels{kept}",
        help=_("A text file with a label per line, a CSV file of file names and labels, a .npy file or an IDX file."),
    )  # fmt: skip
    if not files:
        st.session_state.pop(HELD, None)
        return
    try:
        acts.check_upload([each.size for each in [*files, *([labels] if labels else [])]])
        draft = _opened([(each.file_id, each.name, each) for each in files], (labels.name, labels) if labels else None)
    except VAEError as error:
        _complain(error)
        return
    draft = replace(draft, recipe=_recipe(draft))
    if draft.test is None:
        share = st.slider(_("Held-out images, %"), 1, 50, 10, key="data.held_out", width=320)
        draft = replace(draft, held_out=share / 100)
    if draft.trouble:
        _complain(draft.trouble)
        return
    try:
        sheet = draft.sheet(SHOWN)
    except DataError as error:
        _complain(error)
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        columns = min(COLUMNS, len(sheet))
        whole = sheet[: len(sheet) // columns * columns] / 255
        pictures.strip(whole, _("Some of the images, as they will be saved"), columns=columns, scale=2)
    with right:
        _says(draft)
    _keep(draft, [*files, *([labels] if labels else [])])


class _Folder:
    """A temporary folder of a session, removed when the session drops it."""

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="vae-upload-"))
        except OSError as error:
            raise _not_put(error) from error
        weakref.finalize(self, shutil.rmtree, self.path, True)

    def put(self, kind: str, name: str, content: memoryview) -> Path:
        """Writes a file under its own name into one of the folders `file`, `images` and `labels`.

        Raises:
            DataError: there is already a file of that name, or writing fails.
        """
        place = self.path / kind / Path(name).name
        try:
            place.parent.mkdir(exist_ok=True)
            if place.exists():
                raise DataError(
                    _("File names must be unique; {name} was uploaded twice. Rename one of the two files.").format(
                        name=place.name
                    )
                )
            place.write_bytes(content)
        except OSError as error:
            raise _not_put(error) from error
        return place

    def called(self, text: str) -> str:
        """Replaces the paths of uploaded files in a text by the names under which they were uploaded."""
        for kind in ("file", "labels"):
            text = text.replace(f"{self.path / kind}{os.sep}", "")
        return text.replace(str(self.path / "images"), _("the uploaded files"))


def _not_put(error: OSError) -> DataError:
    says = _("The uploaded files could not be stored in {folder} ({why}). Free some space there.")
    return DataError(says.format(folder=tempfile.gettempdir(), why=error.strerror or error))


def _complain(error: object) -> None:
    """Shows an error about the uploaded files."""
    held = st.session_state.get(HELD)
    st.error(held[1].called(said(error)) if held else said(error), icon=":material/error:")


def _opened(files: list[tuple], labels: tuple | None) -> imports.Draft:
    """Writes the uploaded files into a folder of this session and opens them, once for each set of files."""
    key = (tuple(each[0] for each in files), labels and labels[1].file_id)
    held = st.session_state.get(HELD)
    if held is None or held[0] != key:
        st.session_state.pop(HELD, None)
        folder = _Folder()
        alone = len(files) == 1 and Path(files[0][1]).suffix.lower().lstrip(".") in ARRAYS
        places = [folder.put("file" if alone else "images", name, content.getbuffer()) for _id, name, content in files]
        named = folder.put("labels", labels[0], labels[1].getbuffer()) if labels else None
        held = st.session_state[HELD] = key, folder, places[0] if alone else places[0].parent, named
    draft = imports.open_source(held[2], labels=held[3])
    count = len(files)
    return replace(draft, source=held[2].name if held[2].is_file() else f"{count} uploaded files")


def _recipe(draft: imports.Draft) -> imports.Recipe:
    """Draws the options for preparing the images."""
    first = next(iter(draft.sizes))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        resize = st.toggle(_("Resize"), len(draft.sizes) > 1 or max(first) > LARGEST, key="data.resize")
        size = None
        if resize:
            height = st.number_input(_("Height"), 4, LARGEST, min(first[0], 28), key="data.height", width=110)
            width = st.number_input(_("Width"), 4, LARGEST, min(first[1], 28), key="data.width", width=110)
            size = (int(height), int(width))
        grey = draft.colour and st.toggle(_("Convert to greyscale"), False, key="data.grey")
        invert = st.toggle(
            _("Invert"), False, key="data.invert",
            help=_("Swaps light and dark, for dark strokes on a light background such as paper."),
        )  # fmt: skip
    return imports.Recipe(size, bool(grey), invert)


def _says(draft: imports.Draft) -> None:
    height, width, *colour = draft.image_shape
    rows, held = draft.places()
    st.markdown(
        _("**{train:,}** training images and **{test:,}** held-out images, {height} × {width} pixels, {kind}.").format(
            train=len(rows), test=len(held), height=height, width=width,
            kind=_("colour") if colour else _("greyscale"),
        )
    )  # fmt: skip
    if len(draft.sizes) > 1:
        sizes = list(draft.sizes.items())
        listed = ", ".join(f"{h} × {w} ({count:,})" for (h, w), count in sizes[:5])
        st.caption(
            _("The original images have {count} different sizes: {sizes}").format(
                count=len(sizes), sizes=listed + " …" * (len(sizes) > 5)
            )
        )
    classes = draft.classes
    if classes:
        st.table(
            {_("Class"): [words.literal(name) for name in classes], _("Images"): list(classes.values())},
            hide_index=True, border="horizontal", height=min(32 + 30 * len(classes), 250),
        )  # fmt: skip
    else:
        st.caption(_("The images have no labels. Training does not need any."))
    for step in draft.steps:
        st.caption(said(step))


def _keep(draft: imports.Draft, files: list) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(
            _("Name"), key="data.name", width=220, help=_("Use lower-case letters, digits and hyphens.")
        )
        title = st.text_input(_("Title"), key="data.title", width=260, help=_("The name that is displayed."))
        keep = st.button(
            _("Save as data set"), type="primary", icon=":material/save:", disabled=not name, key="data.keep"
        )
    if not keep:
        return
    bar = st.progress(0.0, _("Saving the images …"))

    def told(done: int, whole: int) -> None:
        bar.progress(min(done / whole, 1.0), _("Saving the images …"))

    try:
        acts.keep_set(draft, name, title, told)
    except VAEError as error:
        bar.empty()
        _complain(error)
        return
    cache.forget_datasets()  # an earlier set may have had the same name
    uploads.forget(files)
    st.session_state.pop(HELD, None)
    st.session_state["data.times"] += 1
    st.session_state["train.data"] = name
    st.session_state["data.kept"] = name
    st.rerun()


def names_of_own() -> list[str]:
    """Returns the names of the imported data sets."""
    return [name for name in names() if name not in NAMES]
