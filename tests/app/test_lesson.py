"""The lesson: every chapter on models of both kinds, answers right and wrong, links that restore what was on screen."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import pages.learn.chapters
import vae
from pages.ui import state
from tests.app import test_language
from tests.app.test_pages import ROOT, opened, own_folder, said

pytestmark = pytest.mark.slow

__all__ = ["own_folder"]  # a fixture

LESSON = str(ROOT / "pages/learn/lesson.py")
CHAPTERS = [*map(str, range(1, 15)), "slips"]
MODELS = ("mnist-2d", "mnist-bernoulli-2d")
WRITTEN = CHAPTERS  # chapters that show code
ASKING = CHAPTERS[:-1]  # chapters that ask a question


def lesson(chapter: str, model: str = "mnist-2d", **link: str) -> AppTest:
    app = opened()
    app.query_params.update({"model": model, "chapter": chapter, "image": "4", **link})
    return app.run().switch_page(LESSON).run()


def value(app: AppTest, name: str) -> str | None:
    """What the link says."""
    found = app.query_params.get(name)
    return found[0] if isinstance(found, list) else found


def verdict(app: AppTest) -> str:
    return " ".join(each.value for kind in (app.success, app.warning) for each in kind)


def test_every_chapter_has_its_file() -> None:
    folder = Path(pages.learn.chapters.__file__).parent
    assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) == len(CHAPTERS)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_opens(chapter: str, model: str) -> None:
    app = lesson(chapter, model)
    assert not app.exception
    assert not app.error
    assert app.sidebar.selectbox(key="model").value == model
    assert value(app, "chapter") == (None if chapter == "1" else chapter)


@pytest.mark.parametrize("model", ["mnist-20d", "mnist-shared-variance-2d", "mnist-autoencoder-2d"])
@pytest.mark.parametrize("chapter", WRITTEN)
def test_stands_on_other_models(chapter: str, model: str) -> None:
    app = lesson(chapter, model)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_stands_on_a_line_and_on_the_sample_that_ships(chapter: str, own_folder: Path) -> None:
    config = vae.ModelConfig(latent=1, encoder_layers=(8,), decoder_layers=(8,))
    record = vae.Record(name="line", model=config, training=vae.TrainConfig(data="mnist-sample"))
    vae.save(vae.build(config), record)
    app = lesson(chapter, "line")
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_chapter_mixes_languages(chapter: str) -> None:
    answered = {"answers": f"{chapter}a"} if chapter in ASKING else {}
    chinese = test_language.shown(test_language.opened("zh-CN", chapter=chapter, image="4", **answered), "learn/lesson")
    assert not [text for text in chinese if test_language.ENGLISH.search(text)]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("chapter", ASKING)
def test_a_right_and_a_wrong_answer_are_told_apart(chapter: str, model: str) -> None:
    app = lesson(chapter, model)
    radio, commit = f"lesson.question{chapter}", f"lesson.commit{chapter}"
    assert app.radio(key=radio).value is None
    assert app.button(key=commit).disabled
    assert not verdict(app)
    before = said(app)
    right = []
    for number, option in enumerate(app.radio(key=radio).options):
        app.radio(key=radio).set_value("abcdef"[number]).run()
        app.button(key=commit).click().run()
        assert not app.exception
        assert value(app, "answers") == f"{chapter}{'abcdef'[number]}"
        assert len(app.success) + len(app.warning) == 1
        assert re.search(r"\d", verdict(app))  # the model's own numbers
        if app.success:
            right.append(option)
        else:
            assert any(other.rstrip(".") in verdict(app) for other in app.radio(key=radio).options if other != option)
        app.button(key=f"lesson.again{chapter}").click().run()
        assert value(app, "answers") is None
        assert said(app) == before
    assert len(right) == 1


@pytest.mark.parametrize("chapter", WRITTEN)
def test_the_cell_repeats_a_number_on_screen(chapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = lesson(chapter, answers=f"{chapter}a" if chapter in ASKING else "")
    cell = app.code[-1].value
    assert all(each.value.startswith(("def ", "@", "class ")) for each in app.code[:-1])
    monkeypatch.delenv("VAE_CHECKPOINTS")
    monkeypatch.chdir(ROOT)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(cell, "cell", "exec"), {})  # a cell of our own
    shown = said(app) + verdict(app) + " ".join(each.value for each in app.metric)
    texts = (printed.getvalue(), shown.replace("−", "-"))
    first, second = (set(re.findall(r"-?\d[\d,]*\.\d+", text)) for text in texts)
    assert first & second, (first, shown)


def test_a_link_restores_chapter_answers_model_image_and_step() -> None:
    app = lesson("3", "mnist-bernoulli-2d", answers="1a.3b", **{"naive.draws": "300"})
    assert app.radio(key="lesson.question3").value == "b"
    assert verdict(app)
    assert app.select_slider(key="naive.draws").value == 300
    assert (value(app, "answers"), value(app, "chapter"), value(app, "image")) == ("1a.3b", "3", "4")
    assert value(app, "naive.draws") == "300"
    app.button(key="lesson.next").click().run()
    assert (value(app, "answers"), value(app, "chapter")) == ("1a.3b", "4")
    assert value(app, "naive.draws") is None  # which is not of this chapter
    assert app.radio(key="lesson.question4").value is None


@pytest.mark.parametrize(
    ("chapter", "kind", "key", "chosen"),
    [("2", "segmented_control", "integral.side", 300), ("5", "segmented_control", "5.q", "prior"),
     ("11", "segmented_control", "generating.show", "draw"), ("12", "segmented_control", "uses.classifier", "linear"),
     ("12", "segmented_control", "uses.labels", 100), ("14", "selectbox", "hidden.group", "mnist-bernoulli-2d")],
)  # fmt: skip
def test_a_link_restores_what_was_chosen(chapter: str, kind: str, key: str, chosen: str | int) -> None:
    app = lesson(chapter, seed="3", answers=f"{chapter}a", **{key: str(chosen), "uses.part": "2", "hidden.part": "2"})
    assert not app.exception
    widget = next(each for each in app.get(kind) if each.key == key)
    assert widget.value in (chosen, [chosen])
    assert (value(app, key), value(app, "seed")) == (str(chosen), "3")


def test_the_browsers_history_is_followed_but_not_a_browser_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    app = lesson("5", answers="5a", present="1", **{"5.line": "3"})
    before = dict(app.query_params)
    app.button(key="lesson.next").click().run()
    app.query_params.clear()
    app.query_params.update(before)
    app.run()
    assert value(app, "chapter") == "6" and app.header[0].value.startswith("6")
    monkeypatch.setattr(state, "_history", lambda: True)
    app.query_params.clear()
    app.query_params.update(before)
    app.run()
    assert value(app, "chapter") == "5" and value(app, "5.line") == "3" and app.header[0].value.startswith("5")
    app.query_params.clear()
    app.query_params.update({"chapter": "5"})
    app.run()
    assert not app.exception
    assert not value(app, "answers") and not value(app, "5.line") and not app.sidebar.toggle(key="present").value
    assert app.radio(key="lesson.question5").value is not None and app.button(key="lesson.commit5")


@pytest.mark.parametrize("answers", ["b3", "3", "..", "3z", "99a", "3bb", "³b"])
def test_a_link_with_nonsense_does_no_harm(answers: str) -> None:
    app = lesson("77", answers=answers)
    assert not app.exception
    assert not app.error
    assert value(app, "chapter") is None


def test_an_answer_is_judged_afresh_for_another_digit() -> None:
    app = lesson("4", answers="4a")
    before = verdict(app)
    app.number_input(key="lesson.row").set_value(0).run()
    assert value(app, "image") == "0"
    assert verdict(app) and verdict(app) != before


def test_chapters_are_turned_and_ticked() -> None:
    app = lesson("1", answers="2b")
    row = app.segmented_control(key="lesson.chapter") if hasattr(app, "segmented_control") else None
    app.button(key="lesson.next").click().run()
    assert value(app, "chapter") == "2"
    assert app.header[0].value.startswith("2")
    app.button(key="lesson.back").click().run()
    assert app.header[0].value.startswith("1")
    if row is not None:
        assert "2 ✓" in row.options


@pytest.mark.parametrize(
    ("hide", "kept"),
    [("", (True, True, True, True)), ("code", (True, True, True, False)), ("questions", (True, True, False, True)),
     ("digit,model", (False, False, True, True)), ("sidebar", (False, True, True, True))],
)  # fmt: skip
def test_a_link_hides(hide: str, kept: tuple[bool, ...]) -> None:
    app = lesson("4", hide=hide)
    assert not app.exception
    found = (
        any(each.key == "model" for each in app.sidebar.selectbox),
        any(each.key == "lesson.row" for each in app.number_input),
        bool(app.radio), bool(app.code),
    )  # fmt: skip
    assert found == kept
    assert value(app, "hide") == (hide or None)


def test_hidden_questions_leave_their_answers() -> None:
    app = lesson("4", hide="questions")
    told = lesson("4", answers="4a")
    assert verdict(told).partition("** ")[2] in said(app)


def test_presenter_mode_enlarges_and_stays_in_the_link() -> None:
    app = lesson("4", present="1")
    assert app.sidebar.toggle(key="present").value
    assert value(app, "present") == "1"
    heights = [
        json.loads(lesson_.get("plotly_chart")[0].proto.spec)["layout"]["height"] for lesson_ in (app, lesson("4"))
    ]
    assert heights[0] > 1.3 * heights[1]
    app.sidebar.toggle(key="present").set_value(False).run()
    assert value(app, "present") is None


def test_a_model_whose_codes_say_nothing_is_not_asked_about() -> None:
    app = lesson("14", "mnist-beta-1000-2d")
    assert not app.exception
    assert not app.error
    assert "nearly the same distribution for every image" in said(app)
    assert "lesson.question14" not in [each.key for each in app.radio]
