"""The chapter is being written."""

from pages.learn import kit
from pages.ui.language import _


def show(scene: kit.Scene) -> None:
    """Says that the chapter is being written."""
    kit.words(_("This chapter is being written."))
