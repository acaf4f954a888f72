"""One image as the pixels of a data set: a file decoded to 8 bits, then brought to one size and one kind of colour."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vae.errors import DataError, VAEError

__all__ = [
    "LARGEST_COLOUR",
    "LARGEST_GREY",
    "SMALLEST",
    "Look",
    "Recipe",
    "damaged",
    "decode",
    "finish",
    "look",
    "on_white",
]

Array = NDArray[Any]
MOST_PIXELS = 30_000_000  # of a file, which take up to 400 MB while it is decoded
SMALLEST, LARGEST_GREY, LARGEST_COLOUR = 4, 128, 64  # pixels per side of a data set's images
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_GREY = ("1", "L", "LA", "La")
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)  # of EXIF


class Recipe(NamedTuple):
    """What is done to each image of a set.

    Attributes:
        size: height and width to which it is resized, antialiased and without regard to its proportions; None leaves
            it as it is.
        grey: whether colour becomes luma, 0.299 R + 0.587 G + 0.114 B.
        invert: whether light and dark change places, v' = 255 - v.
    """

    size: tuple[int, int] | None = None
    grey: bool = False
    invert: bool = False


class Look(NamedTuple):
    """What the header of an image file says: height, width, and whether there is colour."""

    height: int
    width: int
    colour: bool


@contextlib.contextmanager
def damaged(what: str) -> Iterator[None]:
    """Turns whatever a library raises on a damaged file into a DataError that names the file.

    Pillow, NumPy, zipfile and pyarrow raise errors of nearly every kind on bytes that are not as they should be.
    """
    try:
        yield
    except VAEError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{what} cannot be read ({reason}). Mend it, or leave it out.") from error


def look(file: BinaryIO, what: str) -> Look:
    """Reads the header of an image file, and no pixels.

    Arguments:
        file: opened, at its beginning.
        what: to call it in errors.

    Raises:
        DataError: it is no image, damaged, or has more than 30 megapixels.
    """
    with damaged(what), _opened(file, what) as image:
        height, width = image.height, image.width
        if image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE:
            height, width = width, height
        return Look(height, width, _coloured(image))


def decode(content: bytes, what: str) -> Array:
    """Decodes an image file, upright, its transparent parts laid on white; of several frames the first.

    16-bit grey is divided by 257 and rounded; of 16-bit colour the higher byte is taken, which is what Pillow reads.

    Arguments:
        content: the bytes of a PNG, JPEG, WebP, GIF, BMP, TIFF or PNM file.
        what: to call it in errors.

    Returns:
        (H, W) uint8 for grey, (H, W, 3) for colour.

    Raises:
        DataError: it is no image, damaged, of floats, or has more than 30 megapixels.
    """
    with damaged(what), _opened(io.BytesIO(content), what) as file:
        coloured = _coloured(file)
        image: Image.Image = file
        ImageOps.exif_transpose(image, in_place=True)  # without a copy, for it may be large
        if image.mode.startswith("I"):
            values = np.asarray(image)
            if values.min() < 0 or values.max() > 65535:
                raise DataError(f"{what} has more than 16 bits per pixel. Save it with 8 or 16 bits.")
            return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if image.mode == "F":
            raise DataError(f"{what} has pixels of floating point. Save it with 8 or 16 bits.")
        if image.has_transparency_data:
            image = on_white(image)
        return np.asarray(image.convert("RGB" if coloured else "L"))


def on_white(image: Image.Image) -> Image.Image:
    """Lays an image with transparent parts on white."""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def finish(image: Array, recipe: Recipe, colour: bool) -> Array:
    """Makes an image what a set wants.

    Arguments:
        image: (H, W) or (H, W, 3) uint8.
        recipe: what is done to it.
        colour: whether the set is in colour.

    Returns:
        (H', W') uint8, or (H', W', 3) for a set in colour.
    """
    if image.ndim == 3 and not colour:
        image = np.asarray(Image.fromarray(image).convert("L"))
    elif image.ndim == 2 and colour:
        image = np.repeat(image[..., None], 3, 2)
    if recipe.size and image.shape[:2] != recipe.size:
        image = np.asarray(Image.fromarray(image).resize(recipe.size[::-1], Image.Resampling.BILINEAR))
    return 255 - image if recipe.invert else image


@contextlib.contextmanager
def _opened(file: BinaryIO, what: str) -> Iterator[Image.Image]:
    try:
        image = Image.open(file, formats=_FORMATS)
    except Image.UnidentifiedImageError as error:
        raise DataError(
            f"{what} is damaged, or no image of a kind that is read: PNG, JPEG, WebP, GIF, BMP, TIFF and PNM are."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(what) from error
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise _too_large(what)
        yield image


def _too_large(what: str) -> DataError:
    return DataError(f"An image has at most {MOST_PIXELS // 10**6} megapixels; {what} has more. Shrink it.")


def _coloured(image: Image.Image) -> bool:
    """Tells whether an image may have colour; of a palette, whether one of its entries has."""
    if image.mode == "P":
        palette = np.array(image.getpalette() or [0, 0, 1]).reshape(-1, 3)
        return bool((palette != palette[:, :1]).any())
    return image.mode not in _GREY and not image.mode.startswith(("I", "F"))
