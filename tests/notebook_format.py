"""The rules of Jupyter's notebook format 4.5 that a notebook without results can break.

Written after the format's description, https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import json
import re
from typing import Any


def checked(content: bytes) -> dict[str, Any]:
    """Reads a notebook, and holds it against the format."""
    notebook = json.loads(content)
    assert set(notebook) == {"nbformat", "nbformat_minor", "metadata", "cells"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    kernel = notebook["metadata"]["kernelspec"]
    assert all(isinstance(kernel[key], str) and kernel[key] for key in ("name", "display_name"))
    for cell in notebook["cells"]:
        keys = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            keys |= {"execution_count", "outputs"}
            assert cell["execution_count"] is None and cell["outputs"] == []
        else:
            assert cell["cell_type"] == "markdown"
        assert set(cell) == keys
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert isinstance(cell["metadata"], dict)
        assert all(isinstance(line, str) for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    return notebook
