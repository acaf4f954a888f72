"""The progress of a command, where somebody watches: on standard error, beside what a program prints."""

from __future__ import annotations

import sys
import time
import typing

if typing.TYPE_CHECKING:
    import torch

__all__ = ["Bar", "clear_bar", "draw_bar", "plain", "say_device"]

_WIDTH = 56  # letters beside the bar
_PATIENCE = 10.0  # seconds after which a log is told what takes so long


class Bar:
    """The bar of work that may take minutes, with the time that is left.

    Where standard error is no terminal, a part that takes longer than ten seconds is one line, and all else nothing.
    """

    def __init__(self) -> None:
        self._part = ""
        self._share = 1.0
        self._begun = self._since = 0.0  # when the work began, and when its part did
        self._told = False  # whether the part is in the log

    def draw(self, part: str, share: float) -> None:
        """Says how far the work is.

        Arguments:
            part: what is being computed; on a terminal its first 36 letters are shown.
            share: of the work that is done, in [0, 1]; one that is smaller than the last begins new work.
        """
        now = time.monotonic()
        if share < self._share - 1e-6 or not self._part:  # shares are sums, and may be off by rounding
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
    """Draws the bar over the one before.

    Arguments:
        share: that is done, in [0, 1].
        words: beside it, up to 56 letters.
    """
    if sys.stderr.isatty():
        print(f"\r[{'#' * round(20 * share):<20}] {words:<{_WIDTH}}", end="", file=sys.stderr, flush=True)


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


def _time(seconds: float, share: float) -> str:
    """Says how long is left if the rest goes as fast or, while that is unknown, how long it has taken."""
    known = share >= 0.01 and seconds >= 2
    seconds = seconds * (1 - share) / share if known else seconds
    length = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
    return f"{length} left" if known else length
