"""The progress of a command, on standard error, separate from what a program prints."""

from __future__ import annotations

import sys
import time
import typing

if typing.TYPE_CHECKING:
    import torch

__all__ = ["Bar", "clear_bar", "draw_bar", "plain", "say_device"]

_WIDTH = 56  # characters next to the bar
_PATIENCE = 10.0  # seconds after which a log says which part is taking long


class Bar:
    """The progress bar of work that may take minutes, with the remaining time.

    If standard error is not a terminal, each part that takes longer than ten seconds prints one line, and others
    nothing.
    """

    def __init__(self) -> None:
        self._part = ""
        self._share = 1.0
        self._begun = self._since = 0.0  # when the work began, and when its part did
        self._told = False  # whether the part has been logged

    def draw(self, part: str, share: float) -> None:
        """Shows the progress of the work.

        Arguments:
            part: what is being computed; on a terminal its first 36 characters are shown.
            share: completed fraction of the work, in [0, 1]; if it is smaller than the last, new work has begun.
        """
        now = time.monotonic()
        if share < self._share - 1e-6 or not self._part:  # fractions are sums with rounding errors
            self._begun = now
        if part != self._part:
            self._since, self._told = now, False
        self._part, self._share = part, share
        if sys.stderr.isatty():
            draw_bar(share, f"{share:4.0%} {part[:36]}, {_time(now - self._begun, share)}")
        elif not self._told and now - self._since > _PATIENCE:
            self._told = True
            print(f"{part} ...", file=sys.stderr, flush=True)


def draw_bar(share: float, words: str) -> None:
    """Draws the bar over the previous one.

    Arguments:
        share: completed fraction, in [0, 1].
        words: text next to the bar, up to 56 characters.
    """
    if sys.stderr.isatty():
        print(f"\r[{'#' * round(20 * share):<20}] {words:<{_WIDTH}}", end="", file=sys.stderr, flush=True)


def clear_bar() -> None:
    """Clears the line of the bar."""
    if sys.stderr.isatty():
        print(f"\r{'':<80}\r", end="", file=sys.stderr, flush=True)


def say_device(device: torch.device) -> None:
    """Prints the device, unless it is the CPU."""
    if device.type != "cpu":
        import torch  # already imported if there is a device

        name = f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
        print(f"on {device}{name}", file=sys.stderr)


def plain(text: str) -> str:
    """Returns a text that the console can print, with +- for a plus-minus sign if it supports only ASCII."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return text.replace("±", "+-").replace("–", "-").replace("−", "-")
    return text


def _time(seconds: float, share: float) -> str:
    """Returns the remaining time at the current speed or, while that is unknown, the time that has passed."""
    known = share >= 0.01 and seconds >= 2
    seconds = seconds * (1 - share) / share if known else seconds
    length = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"{length} left" if known else length
