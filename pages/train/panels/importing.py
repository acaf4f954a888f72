"""Import of a user's own images: upload, preview, and saving as a data set."""

import os
import re
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages import cache
from pages.classroom import acts, uploads
from pages.ui import pictures, words
from pages.ui.fragment import fragment
from pages.ui.language import _, said
from vae.data import NAMES, imports, names
from vae.errors import DataError, VAEError

PICTURES = ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff")
ARRAYS = ("npz", "npy", "gz", "idx")
IN_ONE = ("zip", "parquet", *ARRAYS)  # a single file may contain a complete set
LABELS = ["csv", "txt", "npy", "gz", "idx"]
SHOWN, COLUMNS = 48, 12  # images in the preview
HELD = "data.held"  # the uploaded files and the folder that contains them
LARGEST = 128  # pixels per side, at most


@fragment()
def show() -> None:
    """Draws the uploader and, once there are files, the preview and its options."""
    st.subheader(_("Your own images"), anchor=False)
    came = _uploads()
    if not came.images:
        st.session_state.pop(HELD, None)
        return
    skip_bad = not all(_ending(each) in ARRAYS for each in (*came.images, *came.test)) and st.toggle(
        _("Skip damaged images"), False, key="data.skip_bad",
        help=_("Skips images that cannot be read, at most half of all, and reports their number."),
    )  # fmt: skip
    try:
        acts.check_upload([each.size for each in came.all])
        draft = _opened(came, skip_bad)
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
        for warning in imports.warnings_of(sheet):
            st.warning(said(warning), icon=":material/warning:")
    with right:
        _says(draft)
    _keep(draft, came.all)


class _Uploads(NamedTuple):
    """The uploaded files: images and their labels, held-out images and their labels."""

    images: list
    labels: Any
    test: list
    test_labels: Any

    @property
    def all(self) -> list:
        return [*self.images, *self.test, *filter(None, (self.labels, self.test_labels))]


def _uploads() -> _Uploads:
    """Draws the uploaders."""
    kept = st.session_state.setdefault("data.times", 0)  # incremented to clear the uploaders
    forms = _(
        "A zip archive of a folder of images, optionally with one subfolder per class; a .npz or .npy file of "
        "images of shape (N, H, W) or (N, H, W, 3); an IDX file, the format of MNIST; a Parquet file as written by "
        "Hugging Face; or image files."
    )
    of_labels = _("A text file with a label per line, a CSV file of file names and labels, a .npy file or an IDX file.")
    left, right = st.columns(2, gap="medium")
    images = left.file_uploader(
        _("Images"), [*IN_ONE, *PICTURES], accept_multiple_files=True, key=f"data.files{kept}", help=forms
    )
    labels = right.file_uploader(
        _("Labels, if they are in a separate file"), LABELS, key=f"data.labels{kept}", help=of_labels
    )
    with st.expander(_("Held-out images, if they are in separate files")):
        left, right = st.columns(2, gap="medium")
        test = left.file_uploader(
            _("Held-out images"), [*IN_ONE, *PICTURES], accept_multiple_files=True, key=f"data.test{kept}", help=forms
        )
        test_labels = right.file_uploader(
            _("Their labels, if they are in a separate file"), LABELS, key=f"data.test_labels{kept}", help=of_labels
        )
    return _Uploads(images, labels, test, test_labels)


class _Folder:
    """A temporary folder of a session, removed when the session drops it."""

    def __init__(self) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="vae-upload-"))
        except OSError as error:
            raise _not_put(error) from error
        weakref.finalize(self, shutil.rmtree, self.path, True)

    def put(self, kind: str, name: str, content: memoryview) -> Path:
        """Writes a file under its own name into the folder of its kind of upload.

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
        for kind in _Uploads._fields:
            text = text.replace(f"{self.path / kind}{os.sep}", "")
        for kind in ("images", "test"):
            text = re.sub(re.escape(str(self.path / kind)) + r"\b", lambda _match: _("the uploaded files"), text)
        return text


def _not_put(error: OSError) -> DataError:
    says = _("The uploaded files could not be stored in {folder} ({why}). Free some space there.")
    return DataError(says.format(folder=tempfile.gettempdir(), why=error.strerror or error))


def _complain(error: object) -> None:
    """Shows an error about the uploaded files."""
    held = st.session_state.get(HELD)
    text = held[1].called(said(error)) if held else said(error)
    if isinstance(error, imports.BadImage):
        text = _("{error} You can also skip all damaged images with the switch above.").format(error=text)
    st.error(text, icon=":material/error:")


def _opened(came: _Uploads, skip_bad: bool) -> imports.Draft:
    """Writes the uploaded files into a folder of this session and opens them, once for each set of files."""
    key = [each.file_id for each in came.all]
    held = st.session_state.get(HELD)
    if held is None or held[0] != key:
        st.session_state.pop(HELD, None)
        folder = _Folder()
        images, test = (_put(folder, kind, getattr(came, kind)) for kind in ("images", "test"))
        labels, test_labels = (
            each and folder.put(kind, each.name, each.getbuffer())
            for kind, each in (("labels", came.labels), ("test_labels", came.test_labels))
        )
        sources = {"path": images, "test": test, "labels": labels, "test_labels": test_labels}
        held = st.session_state[HELD] = key, folder, sources, {}
    places: dict[str, Any] = held[2]
    drafts: dict[bool, imports.Draft] = held[3]
    if skip_bad not in drafts:
        drafts[skip_bad] = imports.open_source(**places, skip_bad=skip_bad)
    place = places["path"]
    return replace(drafts[skip_bad], source=place.name if place.is_file() else f"{len(came.images)} uploaded files")


def _put(folder: _Folder, kind: str, files: list) -> Path | None:
    """Writes image files, and returns the only one if it contains a complete set, or else the folder of all."""
    places = [folder.put(kind, each.name, each.getbuffer()) for each in files]
    if not places:
        return None
    return places[0] if len(files) == 1 and _ending(files[0]) in IN_ONE else places[0].parent


def _ending(file: Any) -> str:
    return Path(file.name).suffix.lower().lstrip(".")


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
