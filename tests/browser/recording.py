"""Frames of a page as a GIF, for the README."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page


class Recording:
    """Takes one picture after another, and writes them to a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.frames: list[Image.Image] = []

    def take(self, page: Page, part: Locator, width: int = 640) -> None:
        """Takes a picture of a part of the page."""
        box = part.bounding_box()
        assert box
        image = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
        self.frames.append(image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS))

    def finish(self, name: str) -> int:
        """Writes the animation, and returns the number of its frames."""
        palette = self.frames[0].quantize(256)
        frames = [frame.quantize(256, palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        self.folder.mkdir(exist_ok=True)
        path = self.folder / name
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=110, loop=0, optimize=True)
        with Image.open(path) as written:
            return int(getattr(written, "n_frames", 1))
