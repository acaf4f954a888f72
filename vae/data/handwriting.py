"""Converts a photograph or a scan of a digit to an image like those of MNIST.

    grey        turned upright by its EXIF data, transparency on a plain background, at most 1,000 pixels per side
    ink         the brightness of the background removed, strokes light on black by Otsu's threshold
    cropped     to the ink; specks, and anything that enters from the edge, are removed
    scaled      the longer side to 20 pixels, antialiased
    centred     in 28 x 28, the centre of mass within half a pixel of (14, 14)

LeCun, Bottou, Bengio & Haffner (1998), section III.A, for the last two; Otsu (1979) for the threshold. In the 70,000
images of MNIST the box of the ink is 20 long (19 in 16 images), and the centre of mass is between 13.5 and 14.5.
"""

from __future__ import annotations

import io
import math
from typing import Any, NamedTuple

import numpy as np
import scipy  # imports `scipy.ndimage` on first use
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vae.errors import ConfigError, DataError

__all__ = ["MOST_BYTES", "MOST_PIXELS", "Steps", "centre", "prepare"]

Array = NDArray[Any]
MOST_BYTES = 20_000_000
MOST_PIXELS = 60_000_000
_LEAST = 8  # pixels of the shorter side
_SIDE = 1000  # pixels of the longer side, to which images are reduced
_COARSE = 64  # pixels of the longer side for finding out whether the ink is dark
_WIDEST = 1 / 4  # width of a stroke, relative to the side, at most
_MOST_INK = 0.6  # of the area
_STEEPEST = 15.0  # lower bound on the slope of ink, in units of its contrast per side; anything less is shading
_FAINTEST = 0.15  # lower bound on the contrast of ink, relative to the whole scale; anything less is a stain
_NOISE = 3.0  # lower bound on the contrast of ink, in standard deviations of the background
_SPECK = 0.03  # of the area of the largest stroke: anything smaller is dirt
_FRAME = 20 / 28  # of the side, filled by the digit
_NONE = "The image must show one shape that stands out from its background; on this image there is no ink."
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


class Steps(NamedTuple):
    """A photograph at each step of its conversion; each image is uint8, white on black from `ink` on.

    Attributes:
        grey: (H, W), at most 1,000 pixels per side.
        ink: (H, W), the strokes on a black background.
        cropped: (h, w), the box of the ink.
        scaled: (a, b), the same, with a longer side of 20 (in proportion for other sizes).
        centred: (size, size), the result.
    """

    grey: Array
    ink: Array
    cropped: Array
    scaled: Array
    centred: Array


def prepare(image: bytes | Array, size: int = 28) -> Steps:
    """Converts a photograph or a scan of one digit to an image like those of MNIST.

    Arguments:
        image: the bytes of a PNG, JPEG, WebP, GIF, BMP or TIFF file (if it has several frames, the first), or an array
            uint8, (H, W) grey, (H, W, 3) colour or (H, W, 4) with alpha.
        size: side of the result; 28 for MNIST.

    Raises:
        ConfigError: size is not a whole number from 8 to 512.
        DataError: it is not an image, damaged, too large, or has no ink that stands out from the background.
    """
    if not isinstance(size, int) or isinstance(size, bool) or not 8 <= size <= 512:
        raise ConfigError(f"size must be a whole number from 8 to 512; it is {size!r}.")
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
    """Shifts an image by whole pixels so that its centre of mass is within half a pixel of the middle, as in MNIST.

    The middle of 28 pixels is 14, counted from 0. No ink is moved out of the frame: the shift stops at the edge.

    Arguments:
        image: (H, W) uint8, light ink on a black background.

    Returns:
        (H, W) uint8; an unchanged copy if there is no ink.

    Raises:
        DataError: it is not (H, W) uint8.
    """
    if not isinstance(image, np.ndarray) or image.ndim != 2 or image.dtype != np.uint8:
        raise DataError(f"An image to centre must be (H, W) uint8; this is {_what(image)}.")
    moved = image.copy()
    if not image.any():
        return moved
    for axis, size in enumerate(image.shape):
        mass = image.sum(1 - axis, dtype=np.float64)
        inked = np.flatnonzero(mass)
        move = math.ceil(size / 2 - 0.5 - float(mass @ np.arange(size)) / mass.sum() - 1e-9)
        move = min(max(move, -int(inked[0])), size - 1 - int(inked[-1]))
        moved = np.roll(moved, move, axis)  # the part that wraps around is black
    return moved


def _opened(content: bytes) -> Image.Image:
    """Decodes a file and turns it upright, or raises an error with the reason."""
    if len(content) > MOST_BYTES:
        raise DataError(
            f"An image file may have at most {MOST_BYTES // 10**6} MB; this one has {len(content) / 1e6:.0f}. Shrink "
            "it."
        )
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as file:
            if file.width * file.height > MOST_PIXELS:
                raise DataError(
                    f"An image may have at most {MOST_PIXELS // 10**6} megapixels; this one has "
                    f"{file.width * file.height / 1e6:.0f}. Shrink it."
                )
            file.draft("L", (2 * _SIDE, 2 * _SIDE))  # a JPEG is decoded at no more than the size needed
            return ImageOps.exif_transpose(file).copy()
    except Image.UnidentifiedImageError as error:
        raise DataError(
            "The file must be an image: PNG, JPEG, WebP, GIF, BMP or TIFF. This one cannot be read."
        ) from error
    except Image.DecompressionBombError as error:
        raise DataError(
            f"An image may have at most {MOST_PIXELS // 10**6} megapixels; this one has more. Shrink it."
        ) from error
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
        raise DataError(f"The image file is damaged ({error}). Save it again, or choose another.") from error


def _from_array(image: Array) -> Image.Image:
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4)))
        or not 0 < image.size <= 4 * MOST_PIXELS
    ):
        raise DataError(
            f"An image must be uint8, (H, W), (H, W, 3) or (H, W, 4), and not empty; this is {_what(image)}."
        )
    return Image.fromarray(image)


def _grey(image: Image.Image) -> Array:
    """Returns an image in grey, (H, W) uint8, reduced to the size that is used."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more: scaled by the range of the values
        values = np.asarray(image, np.float64)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        image = Image.fromarray((255 * (np.nan_to_num(values, nan=low) - low) / ((high - low) or 1)).astype(np.uint8))
    if min(image.size) < _LEAST:
        raise DataError(
            f"An image must have at least {_LEAST} pixels per side; this one is {image.height} x {image.width}."
        )
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    if image.has_transparency_data:
        layers = np.asarray(image.convert("RGBA"), np.float64)
        light, alpha = layers[..., :3] @ (0.299, 0.587, 0.114), layers[..., 3] / 255
        # a drawing with transparency is put on the background from which it stands out
        ground = 255 if (light * alpha).sum() < 127.5 * alpha.sum() else 0
        return (light * alpha + ground * (1 - alpha)).round().astype(np.uint8)
    return np.asarray(image.convert("L"))


def _ink(grey: Array) -> Array:
    """Returns the amount of ink, (H, W) in [0, 1], exactly 0 on the background."""
    side = max(grey.shape)
    smooth = scipy.ndimage.gaussian_filter(grey, side / 400) if side > 100 else grey
    light = -smooth if _ink_is_dark(grey) else smooth
    # structures narrower than the widest stroke are ink; wider ones, such as the edges of shadows, are background
    ground = scipy.ndimage.grey_opening(light, max(3, round(side * _WIDEST)), mode="nearest")
    # ink on paper absorbs a share of the light; chalk on a board adds to it
    ink = (light - ground) / np.maximum(-ground if light is not smooth else 1 - ground, 0.05)
    threshold = otsu(ink)
    inked = ink > threshold
    if ink.max() < _FAINTEST:
        raise DataError(_NONE)
    ink = ink - np.median(ink[~inked])  # an opening of noise is below its median
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
    """Tells in which direction the ink differs from the median of its surroundings, which are mostly background."""
    scale = min(1, _COARSE / max(grey.shape))
    width, height = (max(1, round(each * scale)) for each in grey.shape[::-1])
    small = np.asarray(Image.fromarray(grey.astype(np.float32)).resize((width, height), Image.Resampling.BOX))
    return (
        float(((small - scipy.ndimage.median_filter(small, max(3, _COARSE * 2 // 5), mode="nearest")) ** 3).sum()) < 0
    )


def _strokes(soft: Array, inked: Array) -> Array:
    """Returns the pixels of strokes: parts that contain ink, are not specks, and do not enter from the edge."""
    parts, count = scipy.ndimage.label(soft, np.ones((3, 3)))
    area = np.bincount(parts[inked], minlength=count + 1).astype(float)
    area[0] = 0
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    inner = area.copy()
    inner[edge] = 0
    tall = [part.stop - part.start for part, *_ in scipy.ndimage.find_objects(parts)]
    if inner.any() and tall[int(inner.argmax()) - 1] >= 0.1 * len(soft):
        area = inner  # otherwise the digit fills the image up to its edge
    return np.isin(parts, np.flatnonzero(area > _SPECK * area.max()))


def otsu(values: Array) -> float:
    """Returns the threshold that divides values into two classes with the least variance within them (Otsu 1979)."""
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
