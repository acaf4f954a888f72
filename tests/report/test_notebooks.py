"""Notebooks: valid by the format's rules, and every cell as it was given."""

from tests.notebook_format import checked
from vae.report import Cell, notebook


def test_a_notebook_keeps_its_cells_and_their_order() -> None:
    cells = [Cell("markdown", "# Über\n\nzwei Sätze"), Cell("code", "x = 1\nprint('a\\n')\n"), Cell("code", "")]
    found = checked(notebook(cells))["cells"]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in found] == cells
