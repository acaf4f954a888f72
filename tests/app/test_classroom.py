"""A class: who is who, what is theirs, and that no right depends on a button that is not drawn."""

import hashlib
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.testing.v1 import AppTest

import vae
from pages.classroom import acts, door, limits, marks, uploads
from tests.app.test_pages import ROOT, opened
from tests.asgi import answered, sent
from vae import jobs
from vae.jobs import job, processes

pytestmark = pytest.mark.slow

LECTURER, ANNA, BEN = "lecturer-lecturer", "anna-anna-anna-anna", "ben-ben-ben-ben-ben"
MODELS, DATA, TRAIN, CLASS = (
    "pages/train/models.py", "pages/train/data.py", "pages/train/train.py", "pages/classroom/classroom.py",
)  # fmt: skip
CONFIG = vae.ModelConfig(encoder_layers=(4,), decoder_layers=(4,))


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def mark(key: str) -> str:
    return hashed(key)[:32]


@pytest.fixture(autouse=True)
def classroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a class whose lecturer has a model, `prepared`."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VAE_CLASSROOM", str(tmp_path / "class"))
    (tmp_path / "class").mkdir()
    content = {"lecturer": hashed(LECTURER), "address": "http://192.0.2.7:8501"}
    (tmp_path / "class" / "class.json").write_text(json.dumps(content))
    st.cache_resource.clear()
    save("prepared")
    return tmp_path / "class"


def save(name: str, owner: str | None = None) -> None:
    vae.save(vae.build(CONFIG), vae.Record(name=name, model=CONFIG, training=vae.TrainConfig(data="mnist-sample")))
    if owner:
        marks.put_on(vae.model.folders()[0] / name, mark(owner))


def allow(classroom: Path, **bounds: int) -> None:
    path = classroom / "class.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"limits": bounds}))


def visit(key: str | None, page: str, model: str = "mnist-2d") -> AppTest:
    app = opened()
    app.query_params["model"] = model
    if key:
        app.query_params["key"] = key
    app.run()
    return app.switch_page(str(ROOT / page)).run()


def names() -> list[str]:
    return [record.name for record in vae.catalogue()[0]]


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def error(app: AppTest) -> str:
    assert not app.exception
    return " ".join(each.value for each in app.error)


# keys and the door


def test_without_a_class_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAE_CLASSROOM")
    app = visit(LECTURER, MODELS)
    assert not error(app) and "key" not in app.query_params and "Owner" not in app.table[0].value


def test_a_student_gets_a_key_that_stays_in_the_link() -> None:
    app = visit(None, MODELS)
    key = app.query_params["key"]
    assert len(key) > 20 and visit(None, MODELS).query_params["key"] != key
    app.switch_page(str(ROOT / DATA)).run()
    assert app.query_params["key"] == key and not error(app)
    assert len(visit("short", MODELS).query_params["key"]) > 20


def test_a_student_gives_the_password_and_the_lecturer_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_PAUSE", 0.0)
    monkeypatch.setattr(door, "_GIVEN", set())

    def come(key: str) -> AppTest:
        app = opened()
        app.secrets["class"] = {"password": "z ~ N(0, 1)"}
        app.query_params["key"] = key
        return app.run()

    app = come(ANNA)
    assert not app.sidebar.selectbox and not app.markdown
    app.text_input(key="class.password").set_value("z ~ N(0, 2)")
    app.button[0].click().run()
    assert "password is wrong" in error(app) and not app.sidebar.selectbox
    app.text_input(key="class.password").set_value("z ~ N(0, 1)")
    app.button[0].click().run()
    assert not error(app) and app.sidebar.selectbox
    assert come(ANNA).sidebar.selectbox  # who reloads the page has given it
    assert not come(BEN).sidebar.selectbox and come(LECTURER).sidebar.selectbox


@pytest.mark.parametrize("content", ["", "{}", '{"lecturer": 1}', '{"lecturer": "x"}'])
def test_a_damaged_class_lets_nobody_in(classroom: Path, content: str) -> None:
    (classroom / "class.json").write_text(content)
    app = opened()
    app.query_params["key"] = LECTURER
    app.run()
    assert "class.json could not be read" in error(app) and not app.sidebar.selectbox


# models


def test_a_student_has_copies_of_their_own_that_others_cannot_change() -> None:
    app = visit(ANNA, MODELS, "prepared")
    app.text_input(key="models.new").set_value("annas").run()
    press(app, "models.copy")
    assert not error(app) and marks.of_model("annas") == mark(ANNA) and marks.of_model("prepared") is None
    assert app.button(key="models.rename").disabled and app.button(key="models.delete").disabled
    app = visit(ANNA, MODELS, "annas")
    app.text_input(key="models.new").set_value("renamed").run()
    press(app, "models.rename")
    assert not error(app) and marks.of_model("renamed") == mark(ANNA)

    app = visit(BEN, MODELS, "renamed")
    assert app.button(key="models.delete").disabled
    whose = dict(zip(app.table[0].value["Model"], app.table[0].value["Owner"], strict=True))
    assert whose["renamed"] == f"student {mark(ANNA)[:6]}" and whose["prepared"] == "lecturer"
    app.text_input(key="models.new").set_value("bens").run()
    press(app, "models.copy")
    assert not error(app) and marks.of_model("bens") == mark(BEN) and marks.of_model("renamed") == mark(ANNA)


@pytest.mark.parametrize("key", ["models.rename", "models.delete"])
def test_a_page_that_was_drawn_for_the_owner_gives_others_no_right(key: str) -> None:
    save("annas", ANNA)
    app = visit(ANNA, MODELS, "annas")
    app.text_input(key="models.new").set_value("mine").run()
    marks.put_on(vae.model.folders()[0] / "annas", mark(BEN))
    assert "annas is not yours" in error(press(app, key)) and "annas" in names()


@pytest.mark.parametrize("name", ["mnist-2d", "prepared"])
def test_what_ships_and_what_the_lecturer_has_no_student_changes(name: str) -> None:
    def act(name: str) -> None:
        import streamlit as st

        from pages.classroom import acts, roles

        roles.enter()
        for change in (acts.discard, lambda name: acts.rename(name, "mine")):
            try:
                change(name)
            except acts.NotAllowed as refused:
                st.error(str(refused))

    app = AppTest.from_function(act, kwargs={"name": name})
    app.query_params["key"] = ANNA
    app.run()
    assert error(app).count(f"{name} is not yours") == 2 and name in names() and "mine" not in names()


def test_the_lecturer_deletes_what_a_student_has_and_only_they_bring_it_back() -> None:
    save("annas", ANNA)
    app = press(visit(LECTURER, MODELS, "annas"), "models.delete")
    assert not error(app) and "annas" not in names()
    other = visit(BEN, MODELS)
    other.session_state["models.undo"] = app.session_state["models.undo"]
    assert "annas is not yours" in error(press(other.run(), "models.back")) and "annas" not in names()
    press(app, "models.back")
    assert not error(app) and marks.of_model("annas") == mark(ANNA)


def test_a_student_has_so_many_models_at_most(classroom: Path) -> None:
    allow(classroom, models=1)
    app = visit(ANNA, MODELS)
    for new, says in (("first", ""), ("second", "at most 1 models")):
        app.text_input(key="models.new").set_value(new).run()
        assert says in error(press(app, "models.copy"))
    assert "first" in names() and "second" not in names()
    assert not error(press(visit(BEN, MODELS, "first"), "models.use"))


@pytest.mark.parametrize("key", [ANNA, LECTURER])
def test_a_model_of_ones_own_is_uploaded(key: str, classroom: Path, tmp_path: Path) -> None:
    app = visit(key, MODELS)
    content = (tmp_path / "models" / "prepared" / "model.safetensors").read_bytes()
    for name, says in (("prepared", "belongs to someone else" if key == ANNA else "is taken"), ("brought", "")):
        app.file_uploader(key="models.files0").set_value([("m.safetensors", content, "application/octet-stream")]).run()
        app.text_input(key="models.name").set_value(name).run()
        press(app, "models.keep")
        assert says in error(app) and bool(says) == bool(error(app))
    assert marks.of_model("brought") == (mark(ANNA) if key == ANNA else None)


def test_an_upload_has_so_many_megabytes_at_most(classroom: Path) -> None:
    allow(classroom, megabytes=1)
    app = visit(ANNA, MODELS)
    app.file_uploader(key="models.files0").set_value([("m.safetensors", bytes(2**20 + 1), "")]).run()
    assert "limited to 1 MB" in error(app) and not [each for each in app.button if each.key == "models.keep"]
    assert st.get_option("server.maxUploadSize") == 1  # for the server, which then takes no more of anyone


# trainings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What was started, in place of starting it."""
    found: list[tuple] = []
    for place in (jobs, processes):
        monkeypatch.setattr(place, "start", lambda *given, **more: found.append((*given, more)))
    return found


def begin(key: str, name: str, epochs: int = 2, seeds: int = 1) -> AppTest:
    app = visit(key, TRAIN)
    app.text_input(key="train.name").set_value(name)
    app.number_input(key="train.epochs").set_value(epochs)
    app.button_group(key="train.seeds").set_value(seeds)
    app.run()
    return app if app.error else press(app, "train.start")


def training(name: str, owner: str | None) -> Path:
    """The folder of a training that goes on, as far as anyone can tell: its process is this one."""
    folder = vae.model.folders()[0] / name
    folder.mkdir(parents=True)
    if owner:
        marks.put_on(folder, mark(owner))
    job.tell(folder, "running", pid=os.getpid(), ticket=job.next_ticket(folder.parent))
    return folder


def test_a_student_trains_within_the_limits_and_the_model_is_theirs(started: list, classroom: Path) -> None:
    allow(classroom, epochs=3, minutes=7)
    app = begin(ANNA, "too-long", epochs=4)
    assert "at most 3 epochs; this one has 4" in error(app) and not started
    app = begin(ANNA, "annas", epochs=3, seeds=2)
    assert not error(app) and [name for name, *_ in started] == ["annas-s0", "annas-s1"]
    assert all(more == {"seconds": 420.0} for *_, more in started)


def test_the_lecturer_trains_without_limits(started: list, classroom: Path) -> None:
    allow(classroom, epochs=3, trainings=1)
    app = begin(LECTURER, "long", epochs=400, seeds=3)
    assert not error(app) and [more for *_, more in started] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("bounds", "says"), [({"weights": 1000}, "1,000 weights"), ({"trainings": 1}, "at most 1 models")]
)
def test_a_student_is_told_what_is_too_much(bounds: dict, says: str, started: list, classroom: Path) -> None:
    allow(classroom, **bounds)
    training("running", ANNA)
    assert says in error(begin(ANNA, "more")) and not started
    assert not (vae.model.folders()[0] / "more").exists()


def test_what_another_left_of_a_training_is_not_taken_over(started: list) -> None:
    folder = vae.model.folders()[0] / "left"
    marks.put_on(folder, mark(BEN))
    assert "left belongs to someone else" in error(begin(ANNA, "left")) and not started
    assert not error(begin(BEN, "left")) and len(started) == 1


def test_a_training_is_stopped_by_its_student_and_the_lecturer_alone() -> None:
    folder = training("annas", ANNA)

    def act() -> None:
        import streamlit as st

        from pages.classroom import acts, roles

        roles.enter()
        for name in ("stop", "pause", "step", "resume", "change"):
            try:
                getattr(acts, name)("annas")
            except acts.NotAllowed as refused:
                st.error(str(refused))

    def asked() -> int:
        return len(list((folder / "control").glob("*.json")))

    for key, refused, requests in ((BEN, 5, 0), (ANNA, 0, 4), (LECTURER, 0, 8)):
        app = AppTest.from_function(act)
        app.query_params["key"] = key
        app.run()
        assert not app.exception and (len(app.error), asked()) == (refused, requests)


def test_the_page_offers_what_may_be_done() -> None:
    folder = training("annas", ANNA)
    offered = [{each.key for each in visit(key, TRAIN).button} for key in (ANNA, BEN, LECTURER)]
    assert ["train.stop" in keys for keys in offered] == [True, False, True]
    press(visit(LECTURER, TRAIN), "train.stop")
    assert [path.read_text() for path in (folder / "control").glob("*.json")] == ['["stop", {}]']


# data sets


def uploaded(key: str, name: str, side: int = 8) -> AppTest:
    app = visit(key, DATA)
    content = io.BytesIO()
    np.save(content, np.random.default_rng(0).integers(0, 255, (40, side, side), np.uint8))
    app.file_uploader(key="data.files0").set_value([("images.npy", content.getvalue(), "")]).run()
    app.text_input(key="data.name").set_value(name).run()
    (button,) = (each for each in app.main.button if each.label == "Save as data set")
    return button.click().run()


def test_a_data_set_is_removed_by_its_student_and_the_lecturer_alone(classroom: Path) -> None:
    allow(classroom, sets=2)
    for name in ("one", "two"):
        assert not error(uploaded(ANNA, name)) and marks.of_set(name) == mark(ANNA)
    assert "at most 2 data sets" in error(uploaded(ANNA, "three")) and not (marks.set_folder("three")).exists()
    assert not error(uploaded(LECTURER, "lectured")) and marks.of_set("lectured") is None
    assert not [each for each in visit(BEN, DATA).button if (each.key or "").startswith("data.remove")]
    mine = {each.key for each in visit(ANNA, DATA).button if (each.key or "").startswith("data.remove")}
    assert mine == {"data.remove.one", "data.remove.two"}

    app = visit(ANNA, DATA)
    marks.put_on(marks.set_folder("one"), mark(BEN))  # as if the page had been drawn for another
    assert "one is not yours" in error(press(app, "data.remove.one")) and marks.set_folder("one").exists()
    assert not error(press(visit(LECTURER, DATA), "data.remove.one")) and not marks.set_folder("one").exists()


def test_two_tabs_of_a_student_count_one_after_the_other(classroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one tab counts and adds, the other waits; here until its patience ends."""
    monkeypatch.setattr(acts, "_PATIENCE", 0.0)
    monkeypatch.setattr(jobs, "status", lambda name: None)
    monkeypatch.setattr(acts.shelf, "discarded", lambda: ["1-annas"])
    save("annas", ANNA)
    marks.put_on(vae.model.folders()[0] / ".discarded" / "1-annas" / "annas", mark(ANNA))

    def act() -> None:
        import streamlit as st

        from pages.classroom import acts, roles

        roles.enter()

        def train() -> None:
            with acts.new_models(["new"]):
                raise AssertionError

        for each in (
            train, lambda: acts.copy("mnist-2d", "new"), lambda: acts.bring_back("1-annas"),
            lambda: acts.resume("annas"), lambda: acts.keep_set(None, "new", "New", print),
        ):  # fmt: skip
            try:
                each()
            except acts.NotAllowed as refused:
                st.error(str(refused))

    app = AppTest.from_function(act)
    app.query_params["key"] = ANNA
    other = jobs.Lock(classroom / "busy" / mark(ANNA))
    assert other.acquire()
    app.run()
    other.release()
    assert not app.exception and error(app).count("still being saved") == 5 and "new" not in names()
    other = jobs.Lock(classroom / "busy" / mark(BEN))  # whom nobody has to wait for
    assert other.acquire()
    assert not error(uploaded(ANNA, "mine"))


# uploads


class Held:
    """What a server of Streamlit holds of uploads."""

    def __init__(self, **bytes_of: int) -> None:
        self.uploaded_file_mgr = self
        self.file_storage = {name: {"id": SimpleNamespace(data=bytes(size))} for name, size in bytes_of.items()}


def status(app: ASGIApp, method: str, path: str, size: int = 0) -> int:
    """Sends the head of a request, and returns the status of the answer."""
    return answered(app, method, path, content_length=str(size))[0]["status"]


UPLOAD = "PUT", "/_stcore/upload_file/anna/file"


@pytest.mark.parametrize(
    ("held", "size", "answer"),
    [
        ({}, 2**20 + 400, 204),  # a file of the limit, and its frame
        ({}, 2**20 + 5000, 413),
        ({"anna": 2**19}, 2**19, 204),
        ({"anna": 2**20}, 4096, 204),
        ({"anna": 2**20, "ben": 2**20}, 8192, 413),
        ({f"s{number}": 2**20 for number in range(uploads.SESSIONS)}, 1, 413),
    ],
)
def test_so_much_is_uploaded_at_once(
    classroom: Path, held: dict, size: int, answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(classroom, megabytes=1)
    monkeypatch.setattr(uploads.runtime, "get_instance", lambda: Held(**held))
    app = uploads.Uploads(PlainTextResponse(status_code=204))
    assert status(app, *UPLOAD, size) == answer
    assert status(app, "DELETE", UPLOAD[1]) == 204
    monkeypatch.delenv("VAE_CLASSROOM")  # one person may fill their own memory
    assert status(app, *UPLOAD, size) == 204


def test_uploads_on_their_way_count(classroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(classroom, megabytes=1)
    monkeypatch.setattr(uploads.runtime, "get_instance", Held)
    found: list[int] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if not found:  # a second one comes while the first is on its way
            found.append(0)
            found[0] = (await sent(app, *UPLOAD, content_length=str(2**20)))[0]["status"]
        await PlainTextResponse(status_code=204)(scope, receive, send)

    app = uploads.Uploads(slow)
    assert status(app, *UPLOAD, 2**20) == 204 and found == [413]
    assert status(app, *UPLOAD, 2**20) == 204


# the page Class


def test_the_lecturer_sees_the_class_and_sets_its_limits() -> None:
    save("annas", ANNA)
    training("bens", BEN)
    app = visit(LECTURER, CLASS)
    assert not error(app) and app.title[0].value == "Class"
    assert any("192.0.2.7" in each.value for each in app.markdown)
    assert dict(zip(app.table[0].value["Student"], app.table[0].value["Training runs"], strict=True)) == {
        mark(ANNA)[:6]: "", mark(BEN)[:6]: "bens",
    }  # fmt: skip
    app.number_input(key="class.epochs").set_value(4)
    next(each for each in app.button if each.label == "Save").click().run()
    assert not error(app) and limits.get() == limits.Limits(epochs=4)
    press(app, "class.stop")
    assert len(list((vae.model.folders()[0] / "bens" / "control").glob("*.json"))) == 1


def test_no_student_sees_the_page_class_or_sets_limits(classroom: Path) -> None:
    before = (classroom / "class.json").read_bytes()
    app = opened(CLASS)
    app.query_params["key"] = ANNA
    assert "for the lecturer" in error(app.run()) and not app.number_input

    def act() -> None:
        from pages.classroom import limits, roles

        roles.enter()
        limits.put(limits.Limits(epochs=1000))

    app = AppTest.from_function(act)
    app.query_params["key"] = ANNA
    app.run()
    assert "Only the lecturer" in app.exception[0].message and (classroom / "class.json").read_bytes() == before


@pytest.mark.parametrize("bounds", [{"epochs": 0}, {"epochs": True}, {"minutes": 1e9}, {"sets": "many"}])
def test_limits_are_whole_numbers_in_their_range(bounds: dict, classroom: Path) -> None:
    allow(classroom, **bounds)
    with pytest.raises(vae.ConfigError, match="whole number from 1 to"):
        limits.get()
