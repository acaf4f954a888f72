"""Image files of every kind become the pixels that they show."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.own_images import png
from vae.data.pixels import Recipe, decode, finish, look
from vae.errors import DataError

GREY = np.arange(0, 240, dtype=np.uint8).reshape(12, 20)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def seen(content: bytes) -> tuple[int, int, bool]:
    return tuple(look(io.BytesIO(content), "it"))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_file_gives_its_pixels(form: str, image: np.ndarray) -> None:
    content = saved(Image.fromarray(image), form, **({"lossless": True} if form == "WEBP" else {}))
    found = decode(content, "it")
    if form == "WEBP" and image is GREY:  # which knows colour alone
        found = found[..., 0]
    assert np.array_equal(found, image) and seen(content)[:2] == (12, 20)
    assert seen(content)[2] == (image.ndim == 3 or form == "WEBP")


def test_a_palette_is_what_it_shows() -> None:
    palette = Image.fromarray(COLOUR).quantize(16)
    assert np.array_equal(decode(saved(palette), "it"), np.asarray(palette.convert("RGB")))
    assert np.array_equal(decode(saved(palette, "GIF"), "it"), np.asarray(palette.convert("RGB")))
    assert seen(saved(palette))[2]
    grey = Image.fromarray(GREY).convert("P")
    assert np.array_equal(decode(saved(grey), "it"), GREY) and not seen(saved(grey))[2]


def test_one_bit_is_black_and_white() -> None:
    assert np.array_equal(decode(saved(Image.fromarray(GREY > 100)), "it"), np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_white(mode: str) -> None:
    image = Image.fromarray(COLOUR if mode == "RGBA" else GREY).convert(mode)
    image.putalpha(Image.fromarray(np.where(GREY < 120, 0, 255).astype(np.uint8)))
    expected = (COLOUR if mode == "RGBA" else GREY).copy()
    expected[GREY < 120] = 255
    assert np.array_equal(decode(saved(image), "it"), expected)
    palette = Image.fromarray(COLOUR).quantize(8)
    shows = np.asarray(palette.convert("RGB")).copy()
    shows[np.asarray(palette) == 3] = 255
    assert np.array_equal(decode(saved(palette, transparency=3), "it"), shows)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_stands_as_its_exif_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {
        1: GREY, 2: GREY[:, ::-1], 3: GREY[::-1, ::-1], 4: GREY[::-1], 5: GREY.T, 6: GREY[::-1].T,
        7: GREY[::-1, ::-1].T, 8: GREY[:, ::-1].T,
    }[orientation]  # fmt: skip
    content = saved(Image.fromarray(GREY), exif=exif)
    assert np.array_equal(decode(content, "it"), upright) and seen(content)[:2] == upright.shape


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_16_bits_become_8(form: str) -> None:
    wide = GREY.astype(np.uint16) * 257
    wide[0, :3] = 128, 129, 65535
    expected = GREY.copy()
    expected[0, :3] = 0, 1, 255
    assert np.array_equal(decode(saved(Image.fromarray(wide), form), "it"), expected)


def test_16_bits_of_colour_become_8(tmp_path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.tobytes() for row in (COLOUR.astype(">u2") * 257).astype(">u2"))
    header = struct.pack(">IIBBBBB", 20, 12, 16, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.array_equal(decode(content, "it"), COLOUR)


def test_of_several_frames_the_first_is_taken() -> None:
    frames = [Image.fromarray(np.full((6, 6), value, np.uint8)) for value in (10, 200)]
    assert (decode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "it") == 10).all()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header says another size than its pixels have."""
    import struct
    import zlib

    content = bytearray(png(GREY))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is damaged, or not an image"),
        (b"hello", "it is damaged, or not an image"),
        (png_of(100_000, 100_000), "An image may have at most 30 megapixels; it has more"),
        (png_of(6_000, 6_000), "An image may have at most 30 megapixels; it has more"),
        (png(GREY)[:-30], "it cannot be read"),
        (saved(Image.fromarray(GREY.astype(np.float32)), "TIFF"), "it has floating-point pixels"),
        (saved(Image.fromarray(GREY.astype(np.int32) * 1000), "TIFF"), "it has more than 16 bits"),
    ],
)
def test_what_is_no_image_is_said(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        look(io.BytesIO(content), "it")
        decode(content, "it")


def test_a_recipe_by_hand() -> None:
    assert np.array_equal(finish(GREY, Recipe(), colour=False), GREY)
    assert np.array_equal(finish(GREY, Recipe(invert=True), colour=True), 255 - np.stack([GREY] * 3, -1))
    luma = COLOUR.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(finish(COLOUR, Recipe(grey=True), colour=False) - luma).max() <= 1
    halved = finish(np.repeat(np.repeat(GREY[:, :8], 2, 0), 2, 1), Recipe(size=(12, 8)), colour=False)
    assert halved.shape == (12, 8) and np.abs(halved[3:-3, 2:-2].astype(int) - GREY[3:-3, 2:6]).max() <= 4
