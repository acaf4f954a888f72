"""The lesson: every chapter on models of both kinds, answers right and wrong, links that restore what was on screen."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import pages.learn.chapters
from tests.app.test_pages import ROOT, opened, own_folder

__all__ = ["own_folder"]  # a fixture

LESSON = str(ROOT / "pages/learn/lesson.py")
CHAPTERS = [*map(str, range(1, 15)), "slips"]
WRITTEN = ["1"]  # chapters that ask a question and show code
MODELS = ("mnist-2d", "mnist-bernoulli-2d")


def lesson(chapter: str, model: str = "mnist-2d", **link: str) -> AppTest:
    app = opened()
    app.query_params.update({"model": model, "chapter": chapter, "image": "4", **link})
    return app.run().switch_page(LESSON).run()


def value(app: AppTest, name: str) -> str | None:
    """What the link says."""
    found = app.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def test_every_chapter_has_its_file() -> None:
    folder = Path(pages.learn.chapters.__file__).parent
    assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) == len(CHAPTERS)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_opens(chapter: str, model: str) -> None:
    app = lesson(chapter, model)
    assert not app.exception
    assert not app.error
    assert app.sidebar.selectbox[0].value == model
    assert value(app, "chapter") == (None if chapter == "1" else chapter)
