"""The texts of the lesson as they are set."""

import pytest

from pages.learn import typography


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        (r"weights $\phi$, to", r"weights $\phi\text{,}$ to"),
        (r"of $q$. Then $a$; $b$", r"of $q\text{.}$ Then $a\text{;}$ $b$"),
        (r"costs \$1\$, or $x$", r"costs \$1\$, or $x$"),  # no formula
        ("about -3 (-4)", "about −3 (−4)"),
        ("mnist-2d, $n$-th", "mnist-2d, $n$-th"),
    ],
)
def test_a_paragraph(text: str, set_as: str) -> None:
    assert typography.paragraph(text) == set_as
