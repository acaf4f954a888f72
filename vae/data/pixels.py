"""One image as the pixels of a data set: a file decoded to 8 bits, then converted to a given size and colour mode."""

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
MOST_PIXELS = 30_000_000  # per file; decoding them takes up to 400 MB
SMALLEST, LARGEST_GREY, LARGEST_COLOUR = 4, 128, 64  # pixels per side of the images of a data set
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_GREY = ("1", "L", "LA", "La")
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)  # of EXIF


class Recipe(NamedTuple):
    """The processing of each image of a set.

    Attributes:
        size: height and width to which it is resized, antialiased and without preserving its proportions; None leaves
            it unchanged.
        grey: whether colour is converted to luma, 0.299 R + 0.587 G + 0.114 B.
        invert: whether light and dark are swapped, v' = 255 - v.
    """

    size: tuple[int, int] | None = None
    grey: bool = False
    invert: bool = False


class Look(NamedTuple):
    """The header of an image file: height, width, and whether there is colour."""

    height: int
    width: int
    colour: bool


@contextlib.contextmanager
def damaged(what: str) -> Iterator[None]:
    """Converts whatever a library raises on a damaged file to a DataError that names the file.

    Pillow, NumPy, zipfile and pyarrow raise errors of nearly every kind on malformed bytes.
    """
    try:
        yield
    except VAEError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{what} cannot be read ({reason}). Repair it, or leave it out.") from error


def look(file: BinaryIO, what: str) -> Look:
    """Reads the header of an image file, without its pixels.

    Arguments:
        file: opened, at its beginning.
        what: its name in errors.

    Raises:
        DataError: it is not an image, is damaged, or has more than 30 megapixels.
    """
    with damaged(what), _opened(file, what) as image:
        height, width = image.height, image.width
        if image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE:
            height, width = width, height
        return Look(height, width, _coloured(image))


def decode(content: bytes, what: str) -> Array:
    """Decodes an image file, upright, with transparent parts on white; of several frames the first.

    16-bit grey is divided by 257 and rounded; of 16-bit colour the higher byte is used, which is what Pillow reads.

    Arguments:
        content: the bytes of a PNG, JPEG, WebP, GIF, BMP, TIFF or PNM file.
        what: its name in errors.

    Returns:
        (H, W) uint8 for grey, (H, W, 3) for colour.

    Raises:
        DataError: it is not an image, is damaged, has floating-point pixels, or has more than 30 megapixels.
    """
    with damaged(what), _opened(io.BytesIO(content), what) as file:
        coloured = _coloured(file)
        image: Image.Image = file
        ImageOps.exif_transpose(image, in_place=True)  # without a copy, since it may be large
        if image.mode.startswith("I"):
            values = np.asarray(image)
            if values.min() < 0 or values.max() > 65535:
                raise DataError(f"{what} has more than 16 bits per pixel. Save it with 8 or 16 bits.")
            return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if image.mode == "F":
            raise DataError(f"{what} has floating-point pixels. Save it with 8 or 16 bits.")
        if image.has_transparency_data:
            image = on_white(image)
        return np.asarray(image.convert("RGB" if coloured else "L"))


def on_white(image: Image.Image) -> Image.Image:
    """Puts an image with transparent parts on a white background."""
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def finish(image: Array, recipe: Recipe, colour: bool) -> Array:
    """Converts an image to the size and colour mode of a set.

    Arguments:
        image: (H, W) or (H, W, 3) uint8.
        recipe: how to process it.
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
            f"{what} is damaged, or not an image of a supported kind: PNG, JPEG, WebP, GIF, BMP, TIFF or PNM."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(what) from error
    with image:
        if image.width * image.height > MOST_PIXELS:
            raise _too_large(what)
        yield image


def _too_large(what: str) -> DataError:
    return DataError(f"An image may have at most {MOST_PIXELS // 10**6} megapixels; {what} has more. Shrink it.")


def _coloured(image: Image.Image) -> bool:
    """Tells whether an image may have colour; for a palette, whether one of its entries does."""
    if image.mode == "P":
        palette = np.array(image.getpalette() or [0, 0, 1]).reshape(-1, 3)
        return bool((palette != palette[:, :1]).any())
    return image.mode not in _GREY and not image.mode.startswith(("I", "F"))
