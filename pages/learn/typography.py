"""How the lesson sets its texts: minus signs, and punctuation that stays with its formula."""

import re


def minus(text: str) -> str:
    """Replaces hyphens before the numbers of a text by minus signs."""
    return re.sub(r"(?<=[\s(*|])-(?=\d)", "−", text)


def paragraph(text: str) -> str:
    """Sets minus signs, and moves punctuation after a formula into it: otherwise a line could break between the two."""
    return re.sub(r"(?<!\\)\$([^$]*[^$\\])\$([,.;:])", r"$\1\\text{\2}$", minus(text))
