"""The lecturer leads: students' screens follow until they let go, and the poll counts answers without names."""

import asyncio
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from pages.classroom import lead, poll, roles
from tests.app.test_pages import ROOT, opened

pytestmark = pytest.mark.slow

LECTURER, ANNA, BEN = "lecturer-lecturer", "anna-anna-anna-anna", "ben-ben-ben-ben-ben"
LESSON, SAMPLES, CLASS = "pages/learn/lesson.py", "pages/explore/samples.py", "pages/classroom/classroom.py"


@pytest.fixture(autouse=True)
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a class."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_CLASSROOM", str(tmp_path / "class"))
    (tmp_path / "class").mkdir()
    content = {"lecturer": hashlib.sha256(LECTURER.encode()).hexdigest(), "address": "http://192.0.2.7:8501"}
    (tmp_path / "class" / "class.json").write_text(json.dumps(content))
    return tmp_path / "class"


def visit(key: str, page: str = SAMPLES, **link: str) -> AppTest:
    app = opened()
    app.query_params.update({"key": key, **link})
    return go(app.run(), page)


def go(app: AppTest, page: str) -> AppTest:
    return app.switch_page(str(ROOT / page)).run()


def leading(**link: str) -> AppTest:
    return visit(LECTURER, **link).sidebar.toggle(key="lead.on").set_value(True).run()


def shown(app: AppTest) -> tuple[str, str, dict[str, str]]:
    """The title, the model, and the link but for what is personal."""
    assert not app.exception and not app.error
    link = {name: texts[0] if isinstance(texts, list) else texts for name, texts in app.query_params.items()}
    own = {name: text for name, text in link.items() if name not in ("key", "answers", "lang", "present", "hide")}
    return app.title[0].value, app.sidebar.selectbox(key="model").value, own


@pytest.mark.slow
def test_a_screen_follows_across_pages_chapters_models_images_and_z() -> None:
    anna, lecturer = visit(ANNA, LESSON, chapter="4", seed="7"), leading(model="mnist-5d", image="4")
    assert shown(anna.run()) == shown(lecturer)
    assert shown(anna)[:2] == ("Samples", "mnist-5d") and shown(anna)[2]["image"] == "4"
    assert "seed" not in shown(anna)[2]
    lecturer.sidebar.selectbox(key="model").set_value("mnist-2d").run()
    go(lecturer, LESSON).segmented_control(key="lesson.chapter").set_value("3").run()
    assert shown(anna.run()) == shown(lecturer)
    assert shown(anna)[0] == "Lesson" and shown(anna)[2]["chapter"] == "3"
    lecturer.segmented_control(key="lesson.chapter").set_value("1").run()
    assert shown(anna.run()) == shown(lecturer)
    assert "chapter" not in shown(anna)[2]
    visit(LECTURER, model="mnist-2d", z="0.5,-1")  # another window of the lecturer
    assert shown(anna.run())[0] == "Samples" and shown(anna)[2]["z"] == "0.5,-1"


def test_what_is_personal_stays() -> None:
    anna = visit(ANNA, LESSON, chapter="2", answers="2b", lang="en")
    leading(present="1", lang="zh-CN", hide="code", answers="2a")
    assert anna.run().title[0].value == "Samples"
    assert anna.session_state["answers"] == {"2": "b"}
    assert not anna.session_state["present"] and anna.session_state["lang"] == "en"
    kept = (roles.folder() / lead.FILE).read_text()
    assert LECTURER not in kept and not {"key", "present", "lang", "hide", "answers"} & json.loads(kept)["link"].keys()


def test_who_let_go_stays_until_they_follow_again_or_leading_begins_anew() -> None:
    lecturer, anna = leading(model="mnist-5d"), visit(ANNA)
    assert shown(anna) == shown(lecturer)
    anna.button(key="lead.let_go").click().run()
    lecturer.sidebar.selectbox(key="model").set_value("mnist-10d").run()
    assert shown(anna.run())[1] == "mnist-5d"
    anna.button(key="lead.go_on").click().run()
    assert shown(anna)[1] == "mnist-10d"
    anna.button(key="lead.let_go").click().run()
    lecturer.sidebar.toggle(key="lead.on").set_value(False).run()
    assert not [each for each in anna.run().button if str(each.key).startswith("lead.")]
    lecturer.sidebar.selectbox(key="model").set_value("mnist-2d").run()
    assert shown(anna.run())[1] == "mnist-10d"
    lecturer.sidebar.toggle(key="lead.on").set_value(True).run()
    assert shown(anna.run())[1] == "mnist-2d"


def test_a_follower_may_look_elsewhere_until_the_lecturer_moves_on() -> None:
    lecturer, anna = leading(), visit(ANNA)
    assert shown(go(anna, LESSON))[0] == "Lesson"
    assert shown(anna.run())[0] == "Lesson"
    lecturer.sidebar.selectbox(key="model").set_value("mnist-5d").run()
    assert shown(anna.run()) == shown(lecturer)


def test_the_page_class_and_pages_that_a_link_hides_are_not_gone_to() -> None:
    anna, ben = visit(ANNA), visit(BEN, LESSON, hide="samples")
    lecturer = leading()
    assert shown(ben.run())[0] == "Lesson"
    go(lecturer, CLASS)
    assert shown(anna.run())[0] == "Samples"


def test_students_do_not_lead_and_nobody_does_without_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = visit(ANNA)
    assert not [each for each in anna.sidebar.toggle if each.key == "lead.on"]
    lead.start()
    go(anna, LESSON)
    found = lead.now()
    assert found is not None and found.page is None
    monkeypatch.delenv("VAE_CLASSROOM")
    alone = visit(LECTURER)
    assert not [each for each in alone.sidebar.toggle if each.key == "lead.on"]
    assert not lead.served()


def test_a_damaged_file_is_as_none() -> None:
    for content in (b"", b"[]", b"{}", b'{"began": "a", "link": 3}', b"\xff"):
        (roles.folder() / lead.FILE).write_bytes(content)
        assert lead.now() is None
        assert not visit(ANNA).exception


def test_the_address_tells_each_change_and_nothing_else() -> None:
    def asked() -> str:
        with ThreadPoolExecutor(1) as apart:  # where no loop runs, as tests of the browser leave one
            return apart.submit(asyncio.run, lead.answer(Request({"type": "http"}))).result().body.decode()

    assert asked() == ""
    lecturer = leading()
    first = asked()
    assert asked() == first and first
    lecturer.run()
    assert asked() == first
    go(lecturer, LESSON)
    second = asked()
    assert second != first and second.split()[0] == first.split()[0]
    lecturer.sidebar.toggle(key="lead.on").set_value(False).run()
    assert asked() == ""


def answered(key: str, letter: str) -> AppTest:
    app = visit(key, LESSON, chapter="2")
    app.radio(key="lesson.question2").set_value(letter).run()
    return app.button(key="lesson.commit2").click().run()


@pytest.mark.slow
def test_the_lecturer_sees_how_many_answered_what_and_students_do_not() -> None:
    for key, letter in ((ANNA, "a"), (BEN, "b"), ("carl-carl-carl-carl", "b"), (LECTURER, "c")):
        answered(key, letter)
    anna = answered(ANNA, "b")  # in another window, where she is asked anew
    lecturer = visit(LECTURER, LESSON, chapter="2")
    assert poll.answers("2") == {"a": 1, "b": 2}
    assert "Student answers: 3" in [each.value for each in lecturer.caption]
    lecturer.toggle(key="poll.show2").set_value(True).run()
    chart = bars(lecturer)
    assert chart["text"] == ["1", "2", "0"]
    assert chart["y"][0].startswith("From the prior p(z)")
    assert not [each for each in anna.toggle if str(each.key).startswith("poll.")]
    assert not [each for each in anna.caption if "Student answers" in each.value]
    names = [path.name for path in (roles.folder() / "poll").rglob("*") if path.is_file()]
    marks = [hashlib.sha256(key.encode()).hexdigest() for key in (ANNA, BEN)]
    assert len(names) == 3 and not [name for name in names if any(mark.startswith(name) for mark in marks)]
    lecturer.button(key="poll.clear2").click().run()
    assert not poll.answers("2") and bars(lecturer)["text"] == ["0", "0", "0"]


def bars(app: AppTest) -> dict:
    """The bars of the poll."""
    specs = [json.loads(each.proto.spec) for each in app.get("plotly_chart") if "poll.chart" in each.proto.id]
    assert len(specs) == 1
    return specs[0]["data"][0]


def test_forty_answers_at_once_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = threading.local()
    monkeypatch.setattr(roles, "owner", lambda: mine.owner)

    def give(i: int) -> None:
        mine.owner = f"{i % 40:032x}"
        poll.count("3", "ab"[i % 2])

    threads = [threading.Thread(target=give, args=(i,)) for i in range(80)]  # each student in two windows
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert poll.answers("3") == {"a": 20, "b": 20}


def test_an_answer_that_cannot_be_kept_is_still_the_students(classroom: Path) -> None:
    (classroom / "poll").write_text("in the way")
    app = answered(ANNA, "a")
    assert not app.exception and app.session_state["answers"] == {"2": "a"}
    assert "could not be written" in app.toast[0].value
    assert not poll.answers("2")
