"""A photograph or a scan of a digit as an image of the kind that MNIST is made of.

    grey        upright by its EXIF, alpha laid on a plain ground, at most 1,000 pixels per side
    ink         the ground's own brightness taken out, strokes light on black by Otsu's threshold
    cropped     to the ink; specks, and what runs in from the edge, left out
    scaled      the longer side to 20 pixels, antialiased
    centred     in 28 x 28, the centre of mass within half a pixel of (14, 14)

LeCun, Bottou, Bengio & Haffner (1998), section III.A, for the last two; Otsu (1979) for the threshold. In the 70,000
images of MNIST the box of the ink is 20 long (in 16 of them 19), and the centre of mass from 13.5 to 14.5, from 0 on.
"""

from __future__ import annotations

import io
import math
from typing import Any, NamedTuple

import numpy as np
import scipy  # which imports `scipy.ndimage` when it is first used
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vae.errors import ConfigError, DataError

__all__ = ["MOST_BYTES", "MOST_PIXELS", "Steps", "centre", "prepare"]

Array = NDArray[Any]
MOST_BYTES = 20_000_000
MOST_PIXELS = 60_000_000
_LEAST = 8  # pixels of the shorter side
_SIDE = 1000  # pixels of the longer side that are worked on
_COARSE = 64  # pixels of the longer side on which it is seen whether ink is dark
_WIDEST = 1 / 4  # of the side: what is wider is no stroke
_MOST_INK = 0.6  # of the area
_STEEPEST = 15.0  # times its contrast a side is how steep ink rises at least: less is shading
_FAINTEST = 0.15  # contrast of ink, of the whole scale, that is not taken for a stain
_NOISE = 3.0  # times the ground's deviation that ink must stand out
_SPECK = 0.03  # of the area of the largest stroke: what is smaller is dirt
_FRAME = 20 / 28  # of the side that the digit fills
_NONE = "There must be one shape on the image that stands out from its ground; on this there is no ink."
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


class Steps(NamedTuple):
    """What becomes of a photograph, step by step; each an image uint8, white on black from `ink` on.

    Attributes:
        grey: (H, W), at most 1,000 pixels per side.
        ink: (H, W), the strokes, their ground black.
        cropped: (h, w), the box of the ink.
        scaled: (a, b), the same, the longer side 20 (in proportion for other sizes).
        centred: (size, size), the result.
    """

    grey: Array
    ink: Array
    cropped: Array
    scaled: Array
    centred: Array


def prepare(image: bytes | Array, size: int = 28) -> Steps:
    """Turns a photograph or a scan of one digit into an image as MNIST's are.

    Arguments:
        image: the bytes of a PNG, JPEG, WebP, GIF, BMP or TIFF file (of several frames the first), or an array uint8,
            (H, W) grey, (H, W, 3) colour or (H, W, 4) with alpha.
        size: of the result, a side; 28 for MNIST.

    Raises:
        ConfigError: size is not a whole number from 8 to 512.
        DataError: it is no image, damaged, too large, or there is no ink on it that stands out from its ground.
    """
    if not isinstance(size, int) or isinstance(size, bool) or not 8 <= size <= 512:
        raise ConfigError(f"The side of an image is a whole number from 8 to 512; it is {size!r}.")
    grey = _grey(_opened(image) if isinstance(image, bytes) else _from_array(image))
    strength = _ink(grey / 255)
    rows, columns = (np.flatnonzero(strength.any(axis)) for axis in (1, 0))
    ink = (255 * strength).round().astype(np.uint8)
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    longer = max(1, round(size * _FRAME))
    height, width = (max(1, round(longer * side / max(cropped.shape))) for side in cropped.shape)
    scaled = np.asarray(Image.fromarray(cropped).resize((width, height), Image.Resampling.BICUBIC, reducing_gap=None))
    frame = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    frame[top : top + height, left : left + width] = scaled
    return Steps(grey, ink, cropped, scaled, centre(frame))


def centre(image: Array) -> Array:
    """Moves an image by whole pixels so that its centre of mass comes within half a pixel of the middle, as in MNIST.

    The middle of 28 pixels is 14, counted from 0. No ink is moved out of the frame: the move ends at the edge.

    Arguments:
        image: (H, W) uint8, ink light on a black ground.

    Returns:
        (H, W) uint8; a copy without a move where there is no ink.

    Raises:
        DataError: it is not (H, W) uint8.
    """
    if not isinstance(image, np.ndarray) or image.ndim != 2 or image.dtype != np.uint8:
        raise DataError(f"An image to centre is (H, W) uint8; this is {_what(image)}.")
    moved = image.copy()
    if not image.any():
        return moved
    for axis, size in enumerate(image.shape):
        mass = image.sum(1 - axis, dtype=np.float64)
        inked = np.flatnonzero(mass)
        move = math.ceil(size / 2 - 0.5 - float(mass @ np.arange(size)) / mass.sum() - 1e-9)
        move = min(max(move, -int(inked[0])), size - 1 - int(inked[-1]))
        moved = np.roll(moved, move, axis)  # what comes around is black
    return moved


def _opened(content: bytes) -> Image.Image:
    """Decodes a file, upright, or says what is wrong with it."""
    if len(content) > MOST_BYTES:
        raise DataError(
            f"An image file has at most {MOST_BYTES // 10**6} MB; this has {len(content) / 1e6:.0f}. Shrink it."
        )
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as file:
            if file.width * file.height > MOST_PIXELS:
                raise DataError(
                    f"An image has at most {MOST_PIXELS // 10**6} megapixels; this has "
                    f"{file.width * file.height / 1e6:.0f}. Shrink it."
                )
            file.draft("L", (2 * _SIDE, 2 * _SIDE))  # a JPEG is decoded no larger than needed
            return ImageOps.exif_transpose(file).copy()
    except Image.UnidentifiedImageError as error:
        raise DataError(
            "The file must be an image: PNG, JPEG, WebP, GIF, BMP or TIFF. This is none that can be read."
        ) from error
    except Image.DecompressionBombError as error:
        raise DataError(f"An image has at most {MOST_PIXELS // 10**6} megapixels; this has more. Shrink it.") from error
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
        KeyError,
        OverflowError,
        MemoryError,
    ) as error:
        raise DataError(f"The image file is damaged ({error}). Save it again, or take another.") from error


def _from_array(image: Array) -> Image.Image:
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4)))
        or not 0 < image.size <= 4 * MOST_PIXELS
    ):
        raise DataError(f"An image is uint8, (H, W), (H, W, 3) or (H, W, 4), not empty; this is {_what(image)}.")
    return Image.fromarray(image)


def _grey(image: Image.Image) -> Array:
    """Returns an image in grey, (H, W) uint8, no larger than is worked on."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more: by their own range
        values = np.asarray(image, np.float64)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        image = Image.fromarray((255 * (np.nan_to_num(values, nan=low) - low) / ((high - low) or 1)).astype(np.uint8))
    if min(image.size) < _LEAST:
        raise DataError(f"An image has at least {_LEAST} pixels per side; this has {image.height} x {image.width}.")
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    if image.has_transparency_data:
        layers = np.asarray(image.convert("RGBA"), np.float64)
        light, alpha = layers[..., :3] @ (0.299, 0.587, 0.114), layers[..., 3] / 255
        # what is drawn is laid on the ground that it stands out from
        ground = 255 if (light * alpha).sum() < 127.5 * alpha.sum() else 0
        return (light * alpha + ground * (1 - alpha)).round().astype(np.uint8)
    return np.asarray(image.convert("L"))


def _ink(grey: Array) -> Array:
    """Returns how much ink there is, (H, W) in [0, 1], the ground exactly 0."""
    side = max(grey.shape)
    smooth = scipy.ndimage.gaussian_filter(grey, side / 400) if side > 100 else grey
    light = -smooth if _ink_is_dark(grey) else smooth
    # what is narrower than a stroke may be wide is ink; what is wider, shadows with their edges too, is the ground
    ground = scipy.ndimage.grey_opening(light, max(3, round(side * _WIDEST)), mode="nearest")
    # ink on paper takes away a share of its light; chalk on a board adds to it
    ink = (light - ground) / np.maximum(-ground if light is not smooth else 1 - ground, 0.05)
    threshold = otsu(ink)
    inked = ink > threshold
    if ink.max() < _FAINTEST:
        raise DataError(_NONE)
    ink = ink - np.median(ink[~inked])  # an opening of noise lies below its middle
    noise, strength = 1.4826 * float(np.median(np.abs(ink[~inked]))), float(ink[inked].mean())
    slopes = np.hypot(*np.gradient(scipy.ndimage.gaussian_filter(ink, side / 150)))
    steep = float(np.quantile(slopes[scipy.ndimage.binary_dilation(inked) & ~inked], 0.9)) * side
    if (
        strength < max(_FAINTEST, _NOISE * noise)
        or inked.mean() > _MOST_INK
        or steep < min(_STEEPEST, side / 4) * strength
    ):
        raise DataError(_NONE)
    low, high = max(0.15 * strength, 2.5 * noise), float(np.quantile(ink[inked], 0.4))
    soft = ((ink - low) / max(high - low, 1e-6)).clip(0, 1)
    return np.where(_strokes(soft > 0, inked), soft, 0)


def _ink_is_dark(grey: Array) -> bool:
    """Tells which way the ink differs from the median of its surroundings, most of which is ground."""
    scale = min(1, _COARSE / max(grey.shape))
    width, height = (max(1, round(each * scale)) for each in grey.shape[::-1])
    small = np.asarray(Image.fromarray(grey.astype(np.float32)).resize((width, height), Image.Resampling.BOX))
    return (
        float(((small - scipy.ndimage.median_filter(small, max(3, _COARSE * 2 // 5), mode="nearest")) ** 3).sum()) < 0
    )


def _strokes(soft: Array, inked: Array) -> Array:
    """Returns which pixels belong to strokes: parts that hold ink, are no specks, and do not run in from the edge."""
    parts, count = scipy.ndimage.label(soft, np.ones((3, 3)))
    area = np.bincount(parts[inked], minlength=count + 1).astype(float)
    area[0] = 0
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    inner = area.copy()
    inner[edge] = 0
    tall = [part.stop - part.start for part, *_ in scipy.ndimage.find_objects(parts)]
    if inner.any() and tall[int(inner.argmax()) - 1] >= 0.1 * len(soft):
        area = inner  # else a digit that fills the image to its edge is all there is
    return np.isin(parts, np.flatnonzero(area > _SPECK * area.max()))


def otsu(values: Array) -> float:
    """Returns the threshold that parts values in two classes of the least variance within (Otsu 1979)."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[1:] + edges[:-1]) / 2
    below = counts.cumsum()
    above = below[-1] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = (counts * middles).cumsum()
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1:][np.nan_to_num(between).argmax()])


def _what(image: object) -> str:
    return f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
