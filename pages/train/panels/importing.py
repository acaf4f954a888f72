"""Images of one's own: uploaded, looked at as they would be kept, and kept."""

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
SHOWN, COLUMNS = 48, 12  # images on the sheet
LARGEST = 128  # pixels a side that a set may have


@fragment()
def show() -> None:
    """Draws the upload and, once there is something, the draft with what can be chosen for it."""
    st.subheader(_("Your own images"), anchor=False)
    kept = st.session_state.setdefault("data.times", 0)  # a new number empties what was uploaded
    left, right = st.columns([3, 2], gap="medium")
    files = left.file_uploader(
        _("Images"), [*ARRAYS, *PICTURES], accept_multiple_files=True, key=f"data.files{kept}",
        help=_(
            "A zip archive of a folder of images, with one folder for each class or without; .npz or .npy with "
            "images (N, H, W) or (N, H, W, 3); IDX as MNIST comes; Parquet as Hugging Face writes it; or image files."
        ),
    )  # fmt: skip
    labels = right.file_uploader(
        _("Labels, if they are in a file of their own"), ["csv", "txt", "npy", "gz", "idx"], key=f"data.labels{kept}",
        help=_("One label a line, a CSV of file name and label, .npy or IDX."),
    )  # fmt: skip
    if not files:
        return
    try:
        acts.check_upload([each.size for each in [*files, *([labels] if labels else [])]])
        draft = _opened([(each.file_id, each.name, each) for each in files], (labels.name, labels) if labels else None)
    except VAEError as error:
        st.error(said(error), icon=":material/error:")
        return
    draft = replace(draft, recipe=_recipe(draft))
    if draft.test is None:
        share = st.slider(_("Held out, %"), 1, 50, 10, key="data.held_out", width=320)
        draft = replace(draft, held_out=share / 100)
    if draft.trouble:
        st.error(said(draft.trouble), icon=":material/error:")
        return
    try:
        sheet = draft.sheet(SHOWN)
    except DataError as error:
        st.error(said(error), icon=":material/error:")
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        columns = min(COLUMNS, len(sheet))
        whole = sheet[: len(sheet) // columns * columns] / 255
        pictures.strip(whole, _("Some of the images, as they will be kept"), columns=columns, scale=2)
    with right:
        _says(draft)
    _keep(draft, [*files, *([labels] if labels else [])])


class _Folder:
    """A folder of a session, which is removed when the session forgets it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="vae-upload-"))
        weakref.finalize(self, shutil.rmtree, self.path, True)


def _opened(files: list[tuple], labels: tuple | None) -> imports.Draft:
    """Writes what was uploaded into a folder of this session, and opens it; once for the same files."""
    key = (tuple(each[0] for each in files), labels and labels[1].file_id)
    held = st.session_state.get("data.held")
    if held is None or held[0] != key:
        try:
            held = (key, *_put_aside(files, labels))
        except OSError as error:
            says = _("What was uploaded could not be put into {folder} ({why}). Free space there.")
            raise DataError(says.format(folder=tempfile.gettempdir(), why=error.strerror or error)) from error
        st.session_state["data.held"] = held
    return imports.open_source(held[2], labels=held[3])


def _put_aside(files: list[tuple], labels: tuple | None) -> tuple[_Folder, Path, Path | None]:
    """Writes what was uploaded into a new folder; returns that, and where in it the images and the labels are."""
    folder = _Folder()
    place = folder.path
    if len(files) == 1 and Path(files[0][1]).suffix.lower().lstrip(".") in ARRAYS:
        source = place / Path(files[0][1]).name
        source.write_bytes(files[0][2].getbuffer())
    else:
        source = place / "images"
        source.mkdir()
        for _id, name, content in files:
            if (source / Path(name).name).exists():
                raise DataError(
                    _("Each file has a name of its own; {name} came twice. Rename one.").format(name=Path(name).name)
                )
            (source / Path(name).name).write_bytes(content.getbuffer())
    if labels:
        (place / f"labels-{Path(labels[0]).name}").write_bytes(labels[1].getbuffer())
    return folder, source, place / f"labels-{Path(labels[0]).name}" if labels else None


def _recipe(draft: imports.Draft) -> imports.Recipe:
    """Draws what can be done to the images."""
    first = next(iter(draft.sizes))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        resize = st.toggle(_("Resize"), len(draft.sizes) > 1 or max(first) > LARGEST, key="data.resize")
        size = None
        if resize:
            height = st.number_input(_("Height"), 4, LARGEST, min(first[0], 28), key="data.height", width=110)
            width = st.number_input(_("Width"), 4, LARGEST, min(first[1], 28), key="data.width", width=110)
            size = (int(height), int(width))
        grey = draft.colour and st.toggle(_("Make grey"), False, key="data.grey")
        invert = st.toggle(
            _("Invert"), False, key="data.invert",
            help=_("Light and dark change places: for dark strokes on a light ground, as on paper."),
        )  # fmt: skip
    return imports.Recipe(size, bool(grey), invert)


def _says(draft: imports.Draft) -> None:
    height, width, *colour = draft.image_shape
    rows, held = draft.places()
    st.markdown(
        _("**{train:,}** images to learn from and **{test:,}** held out, {height} × {width} pixels {kind}.").format(
            train=len(rows), test=len(held), height=height, width=width,
            kind=_("in colour") if colour else _("in grey"),
        )
    )  # fmt: skip
    if len(draft.sizes) > 1:
        sizes = list(draft.sizes.items())
        listed = ", ".join(f"{h} × {w} ({count:,})" for (h, w), count in sizes[:5])
        st.caption(
            _("They came in {count} sizes: {sizes}").format(count=len(sizes), sizes=listed + " …" * (len(sizes) > 5))
        )
    classes = draft.classes
    if classes:
        st.table(
            {_("Class"): [words.literal(name) for name in classes], _("Images"): list(classes.values())},
            hide_index=True, border="horizontal", height=min(32 + 30 * len(classes), 250),
        )  # fmt: skip
    else:
        st.caption(_("There are no labels, and none are needed."))
    for step in draft.steps:
        st.caption(said(step))


def _keep(draft: imports.Draft, files: list) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(_("Name"), key="data.name", width=220, help=_("Lower-case letters, digits and dashes."))
        title = st.text_input(_("Title"), key="data.title", width=260, help=_("What people call it."))
        keep = st.button(
            _("Keep as data set"), type="primary", icon=":material/save:", disabled=not name, key="data.keep"
        )
    if not keep:
        return
    bar = st.progress(0.0, _("Keeping the images …"))

    def told(done: int, whole: int) -> None:
        bar.progress(min(done / whole, 1.0), _("Keeping the images …"))

    try:
        acts.keep_set(draft, name, title, told)
    except VAEError as error:
        bar.empty()
        st.error(said(error), icon=":material/error:")
        return
    cache.forget_datasets()  # it may have had another set of this name
    uploads.forget(files)
    st.session_state.pop("data.held", None)
    st.session_state["data.times"] += 1
    st.session_state["train.data"] = name
    st.session_state["data.kept"] = name
    st.rerun()


def names_of_own() -> list[str]:
    """The names of the sets that were imported."""
    return [name for name in names() if name not in NAMES]
