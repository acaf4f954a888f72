"""The app in each of its languages."""

import ast
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import text_format
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Node

import vae
from pages.ui import language
from tests.waiting import HANG
from vae import jobs
from vae.data import handwriting
from vae.errors import DataError, VAEError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[一-鿿]")
ENGLISH = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")  # three words of a sentence


def opened(locale: str = "en-GB", **link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=HANG)
    app.context["locale"] = locale
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def test_outside_of_a_session_all_is_english() -> None:
    assert language.current() == "en"
    assert language._("Latent map") == "Latent map"


@pytest.mark.parametrize(
    ("locale", "code"),
    [("zh-CN", "zh"), ("zh", "zh"), ("zh-Hans-SG", "zh"), ("de-DE", "en"), ("en-US", "en"), ("zha", "en")],
)
def test_the_browser_chooses_first(locale: str, code: str) -> None:
    app = opened(locale)
    assert not app.exception
    assert app.session_state["lang"] == code
    assert app.title[0].value == {"en": "Latent map", "zh": "隐空间地图"}[code]
    assert "lang" not in app.query_params


def test_the_link_overrules_the_browser_unless_it_makes_no_sense() -> None:
    assert opened("de-DE", lang="zh").title[0].value == "隐空间地图"
    app = opened("zh-CN", lang="en")
    assert app.title[0].value == "Latent map"
    assert app.query_params["lang"] == "en"
    assert opened("zh-CN", lang="zh").query_params["lang"] == "zh"  # for others, whose browsers ask for another
    assert opened("zh-CN", lang="tlh").title[0].value == "隐空间地图"


def test_a_choice_stands_in_the_link_and_each_language_says_its_own_name() -> None:
    app = opened()
    choice = app.sidebar.selectbox(key="lang")
    assert choice.options == ["English", "简体中文"]
    choice.set_value("zh").run()
    assert app.title[0].value == "隐空间地图"
    assert app.query_params["lang"] == "zh"
    app.sidebar.selectbox(key="lang").set_value("en").run()
    assert app.query_params["lang"] == "en"  # what the browser asks for, but chosen


@pytest.mark.parametrize(
    "error",
    [
        lambda: vae.ModelConfig(latent=0),
        lambda: vae.ModelConfig(encoder_layers=(0,)),
        lambda: vae.TrainConfig(learning_rate=7),
        lambda: vae.load("nobody"),
        lambda: handwriting.prepare(b"nothing", 28),
        lambda: jobs.start("../evil", vae.ModelConfig(), vae.TrainConfig()),
    ],
)
def test_errors_of_the_library_are_said_in_chinese_with_what_came(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], object]
) -> None:
    with pytest.raises(VAEError) as found:
        error()
    english = str(found.value)
    assert language.said(found.value) == english
    monkeypatch.setattr(language, "current", lambda: "zh")
    said = language.said(found.value)
    assert CHINESE.search(said), said
    assert re.findall(r"\d+|/[\w./-]+", said) == re.findall(r"\d+|/[\w./-]+", english)


def test_an_error_that_nobody_translated_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "current", lambda: "zh")
    assert language.said("No such sentence: 7.") == "No such sentence: 7."
    assert language.said("") == ""


@pytest.mark.parametrize("code", ["en", "zh"])
def test_a_page_names_no_flag_of_the_command_line(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(language, "current", lambda: code)
    error = DataError("Labels of held-out images need held-out images; supply them too (--test).")
    said = language.said(error)
    assert "--" not in said and said[-1] in ".。" and (code == "zh") == bool(CHINESE.search(said))


def test_a_page_says_errors_in_its_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "current", lambda: "zh")  # also where AppTest asks for labels, outside of the session
    app = opened("zh-CN")
    app.switch_page(str(ROOT / "pages/train/train.py")).run()
    app.text_input(key="train.name").set_value("../evil")
    app.main.button[0].click().run()
    assert "小写字母" in app.error[0].value
    assert "'../evil'" in app.error[0].value


def pages() -> list[str]:
    """The pages that the frame names, as "section/page"."""
    frame = ast.parse((ROOT / "pages/ui/frame.py").read_text(encoding="utf-8"))
    names = [node.value for node in ast.walk(frame) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [name for name in names if (ROOT / f"pages/{name}.py").is_file()]


def shown(app: AppTest, path: str) -> list[str]:
    """All texts that a page sends to the browser, code left out."""
    app.switch_page(str(ROOT / f"pages/{path}.py")).run()
    assert not app.exception
    assert not app.error
    return [text for root in (app.main, app.sidebar) for node in root for text in texts(node)]


def texts(node: Node) -> list[str]:
    """The strings in what is sent of an element: labels, captions, alternative texts, figures, words of components."""
    if node.type == "code" or not isinstance(getattr(node, "proto", None), Message):
        return []
    proto = type(node.proto).FromString(node.proto.SerializeToString())
    for field in ("js_content", "css_content"):
        if hasattr(proto, field):
            proto.ClearField(field)
    said = text_format.MessageToString(proto, as_utf8=True)
    return [re.sub(r"`[^`]*`", "", text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', said)]


@pytest.mark.parametrize("path", pages())
def test_no_page_mixes_languages(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = {}
    if path.startswith("classroom/"):  # which the lecturer of a class sees
        link["key"] = "the-key-of-the-lecturer"
        says = {"lecturer": hashlib.sha256(link["key"].encode()).hexdigest(), "address": "http://192.0.2.7"}
        (tmp_path / "class.json").write_text(json.dumps(says))
        monkeypatch.setenv("VAE_CLASSROOM", str(tmp_path))
    english = shown(opened("en-GB", **link), path)
    assert not [text for text in english if CHINESE.search(text) and "简体中文" not in text]
    chinese = shown(opened("zh-CN", **link), path)
    assert not [text for text in chinese if ENGLISH.search(text)]
    assert sum(bool(CHINESE.search(text)) for text in chinese) > 8
