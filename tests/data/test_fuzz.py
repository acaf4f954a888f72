"""Files that are nearly right: whatever a few changed bytes make of them is a set or a sentence, and soon.

Hypothesis cuts, fills and flips valid files of every form. Their images are read to the end; nothing but a DataError
comes of it, none takes more than two seconds of a core, and all together they never take 512 MB.
"""

import resource
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.damage import damaged, fuzz
from tests.own_images import WRITERS, png, small_images
from vae.data.imports import open_source
from vae.data.labels import read_labels
from vae.data.pixels import decode
from vae.errors import DataError

pytestmark = pytest.mark.slow

EDGES = [0, 1, 2, 7, 8, 13, 14, 127, 128, 254, 255]
change = st.tuples(
    st.sampled_from(["set", "flip", "cut", "drop", "repeat", "fill"]), st.floats(0, 1), st.integers(0, 255)
) | st.tuples(st.just("head"), st.floats(0, 1), st.sampled_from(EDGES))
changes = st.lists(change, min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    """Images of damaged files make Pillow and NumPy warn; a warning is no exception to whoever imports them."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 2**10


def sound_or_said(source: Path, **extra: Any) -> bool:
    """Reads all images of a source; tells whether they were sound."""
    clock = time.process_time()
    try:
        draft = open_source(source, **extra)
        for part in filter(None, (draft.train, draft.test)):
            for image in part.read(np.arange(part.count)):
                assert image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,)) and image.size
            assert part.labels is None or len(part.labels.numbers) == part.count
        assert draft.trouble is None or isinstance(draft.trouble, str)
        return True
    except DataError as error:
        assert 10 < len(str(error)) < 2000 and "\n" not in str(error)
        return False
    finally:
        assert time.process_time() - clock < 2


@pytest.mark.parametrize(
    ("form", "skip_bad"),
    [(form, False) for form in ("zip", "npy", "npz", "idx", "idx.gz", "parquet")] + [("zip", True), ("parquet", True)],
)
def test_a_source_with_changed_bytes_is_sound_or_said(form: str, skip_bad: bool, tmp_path: Path) -> None:
    source, extra = WRITERS[form](tmp_path, *small_images(5, (6, 6)))
    extra |= {"skip_bad": skip_bad}
    content = source.read_bytes()
    assert sound_or_said(source, **extra)  # so that what is changed is a set
    found = []

    @fuzz(250)
    @given(changes)
    def one(done: list[tuple[str, float, int]]) -> None:
        source.write_bytes(damaged(content, done))
        found.append(sound_or_said(source, **extra))

    one()
    assert found.count(False) > 50


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_an_image_file_with_changed_bytes_is_sound_or_said(form: str) -> None:
    content = png(small_images(1, (12, 9, 3))[0][0], form)

    @fuzz(120)
    @given(changes)
    def one(done: list[tuple[str, float, int]]) -> None:
        clock = time.process_time()
        try:
            image = decode(damaged(content, done), "it")
            assert image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,))
        except DataError as error:
            assert "it" in str(error)
        assert time.process_time() - clock < 2

    one()


def test_any_bytes_are_labels_or_said(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    lines = st.lists(st.text(max_size=12), max_size=8).map(lambda words: "\n".join(words).encode())

    @fuzz(150)
    @given(
        lines | st.binary(max_size=80) | st.tuples(st.just(b"\x93NUMPY\x01\0"), st.binary(max_size=80)).map(b"".join)
    )
    def one(content: bytes) -> None:
        path.write_bytes(content)
        try:
            labels = read_labels(path, 3, ("a.png", "b.png", "c.png"))
            assert len(labels.numbers) == 3 and labels.numbers.max() < len(labels.classes)
        except DataError as error:
            assert len(str(error)) < 2000

    one()
