"""A progress bar, where somebody watches: on a terminal only, and beside what a program prints."""

from __future__ import annotations

import sys
import typing

if typing.TYPE_CHECKING:
    import torch

__all__ = ["clear_bar", "draw_bar", "plain", "say_device"]


def draw_bar(share: float, words: str) -> None:
    """Draws the bar over the one before.

    Arguments:
        share: that is done, in [0, 1].
        words: beside it, up to 56 letters.
    """
    if sys.stderr.isatty():
        print(f"\r[{'#' * round(20 * share):<20}] {words:<56}", end="", file=sys.stderr, flush=True)


def clear_bar() -> None:
    """Wipes the line of the bar."""
    if sys.stderr.isatty():
        print(f"\r{'':<80}\r", end="", file=sys.stderr, flush=True)


def say_device(device: torch.device) -> None:
    """Says in a line where it is computed, unless that is the CPU."""
    if device.type != "cpu":
        import torch  # which whoever has a device has imported

        name = f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
        print(f"on {device}{name}", file=sys.stderr)


def plain(text: str) -> str:
    """Returns a text as the console can write it, +- for a plus or minus sign where it knows ASCII alone."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return text.replace("±", "+-").replace("–", "-").replace("−", "-")
    return text
