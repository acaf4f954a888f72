"""Parsers of the texts in a link; each raises ValueError if the text is invalid."""

import math

__all__ = ["commitment", "latent"]


def latent(text: str) -> tuple[float, ...]:
    """Reads "0.5,-1": a latent."""
    values = tuple(float(number) for number in text.split(","))
    if not all(math.isfinite(value) and abs(value) <= 1000 for value in values):
        raise ValueError(text)
    return values


def commitment(text: str) -> tuple[str, str]:
    """Reads "3b": option b of chapter 3."""
    if not (len(text) < 9 and text[:-1].isdigit() and text[-1:].isalpha() and text.isascii()):
        raise ValueError(text)
    return text[:-1], text[-1]
