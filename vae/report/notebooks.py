"""Cells as a Jupyter notebook, nbformat 4.5."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

__all__ = ["Cell", "notebook"]


class Cell(NamedTuple):
    """A cell of a notebook: Markdown, or Python that has not been run."""

    kind: Literal["markdown", "code"]
    source: str


def notebook(cells: Sequence[Cell]) -> bytes:
    """Returns a notebook for a Python 3 kernel, as JSON in the format 4.5 of Jupyter's nbformat."""
    written: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells, 1):
        cell = {
            "cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)
        }  # fmt: skip
        written.append(cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": written}
    return json.dumps(whole, indent=1).encode()
