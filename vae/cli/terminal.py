"""A progress bar, where somebody watches: on a terminal only, and beside what a program prints."""

from __future__ import annotations

import sys

__all__ = ["clear_bar", "draw_bar", "plain"]


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


def plain(text: str) -> str:
    """Returns a text as the console can write it, +- for a plus or minus sign where it knows ASCII alone."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return text.replace("±", "+-").replace("–", "-").replace("−", "-")
    return text
