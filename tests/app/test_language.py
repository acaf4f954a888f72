"""The app in each of its languages."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import language

ROOT = Path(__file__).parents[2]


def opened(locale: str = "en-GB", **link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages/ui/frame.py"), default_timeout=90)
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
    assert opened("zh-CN", lang="tlh").title[0].value == "隐空间地图"


def test_a_choice_stands_in_the_link_and_each_language_says_its_own_name() -> None:
    app = opened()
    choice = app.sidebar.selectbox(key="lang")
    assert choice.options == ["English", "简体中文"]
    choice.set_value("zh").run()
    assert app.title[0].value == "隐空间地图"
    assert app.query_params["lang"] == "zh"
