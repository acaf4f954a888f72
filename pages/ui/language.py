"""The language that a visitor reads."""

from gettext import gettext as _

__all__ = ["_"]
