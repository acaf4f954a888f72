"""The menu "Download": on every page, and how its files are handed out."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import Request
from starlette.responses import Response
from streamlit.testing.v1 import AppTest

from pages.takeaway import delivery
from pages.takeaway.offers import Offer
from pages.ui import language
from tests.app.test_pages import QUICKLY, opened, own_folder, through_frame
from tests.waiting import HANG

__all__ = ["own_folder"]


def menus(app: AppTest) -> list[dict]:
    """What the components of menus were sent."""
    sent = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    return [data for data in sent if "offers" in data]


@pytest.mark.parametrize("path", QUICKLY)
@pytest.mark.slow
def test_every_page_has_the_menu(path: str) -> None:
    app = through_frame(path, "mnist-5d")
    assert not app.exception
    (menu,) = menus(app)
    assert menu["model"] == "mnist-5d"
    assert f"/{menu['page']}.py" in path


def test_the_link_hides_it() -> None:
    app = opened()
    app.query_params["hide"] = "menu"
    app.run()
    assert not app.exception and app.title[0].value == "Latent map"
    assert menus(app) == []


def offering() -> None:
    """A page that offers three files."""
    import streamlit as st

    from pages.takeaway import delivery
    from pages.takeaway.offers import Offer
    from pages.ui import state
    from pages.ui.language import _
    from vae.errors import ConfigError

    def refused() -> bytes:
        raise ConfigError("A batch has at least 1 image, not 0.")

    def broken() -> bytes:
        raise ZeroDivisionError

    def found() -> list[Offer]:
        row = state.image()
        return [
            Offer("Page", "page.txt", "text/plain", ":material/draft:", lambda: f"{row} {_('Lesson')}".encode()),
            Offer("Refused", "refused.zip", "application/zip", ":material/draft:", refused),
            Offer("Broken", "broken.zip", "application/zip", ":material/draft:", broken),
        ][: 3 - len(st.query_params)]

    st.session_state["at"] = {offer.file: at for offer, at in delivery.give(found)}
    state.use_image(7)
    delivery.renew()


def one_part_runs() -> None:
    """A page that offers the number of the image in use, of which a part chooses another one when it runs again."""
    import streamlit as st

    from pages.takeaway import delivery
    from pages.takeaway.offers import Offer
    from pages.ui import state
    from pages.ui.fragment import fragment

    def found() -> list[Offer]:
        row = state.image()
        return [Offer("Row", "row.txt", "text/plain", ":material/draft:", lambda: str(row).encode())]

    @fragment()
    def part() -> None:
        if st.button("Next"):
            state.use_image(state.image() + 1)

    st.session_state["at"] = {offer.file: at for offer, at in delivery.give(found)}
    part()


def test_files_follow_what_is_chosen_in_a_part_of_the_page() -> None:
    app = AppTest.from_function(one_part_runs).run()
    before = asked(app.session_state["at"]["row.txt"]).body
    app.button[0].click().run()
    assert not app.exception
    assert [before, asked(app.session_state["at"]["row.txt"]).body] == [b"0", b"1"]


def asked(address: str, method: str = "GET") -> Response:
    """What the server answers."""
    _takeaway, token, file = address.split("/")
    return delivery.answer(Request({"type": "http", "method": method, "path_params": {"token": token, "file": file}}))


def test_a_file_is_made_of_what_is_in_use_in_the_visitors_language() -> None:
    app = AppTest.from_function(offering)
    app.session_state["lang"] = "zh"
    app.run()
    answer = asked(app.session_state["at"]["page.txt"])
    assert (answer.status_code, answer.body.decode()) == (200, "7 课程")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"] == "attachment"  # a browser saves it, and opens it nowhere
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert language.current() == "en"  # for whoever comes next on this thread


def test_nothing_is_made_for_anything_but_get() -> None:
    app = AppTest.from_function(offering).run()
    answer = asked(app.session_state["at"]["broken.zip"], "HEAD")  # it would raise if it was made
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_one_file_at_a_time_is_made_for_a_session_and_two_for_all() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow() -> bytes:
        begun.release()
        assert go_on.wait(HANG)
        return b"made"

    shelves = [delivery._Shelf() for _ in range(3)]
    for shelf in shelves:
        shelf.found = lambda: [Offer("Slow", "slow.txt", "text/plain", ":material/draft:", slow)]
        shelf.renew()
        delivery._SHELVES[shelf.token] = shelf
    first, second, third = (f"takeaway/{shelf.token}/slow.txt" for shelf in shelves)
    with ThreadPoolExecutor(2) as pool:
        try:
            answers = [pool.submit(asked, address) for address in (first, second)]
            assert all(begun.acquire(timeout=HANG) for _ in answers)
            for address, sentence in ((first, "Another file is being prepared for you."), (third, "for other users.")):
                answer = asked(address)
                assert answer.status_code == 429 and sentence in answer.body.decode()
        finally:
            go_on.set()
        assert [each.result(HANG).body for each in answers] == [b"made", b"made"]
    assert [asked(address).status_code for address in (first, third)] == [200, 200]


def test_an_error_is_a_sentence_and_a_fault_is_not_hidden() -> None:
    app = AppTest.from_function(offering).run()
    answer = asked(app.session_state["at"]["refused.zip"])
    assert (answer.status_code, answer.body.decode()) == (422, "A batch has at least 1 image, not 0.")
    for _ in range(3):  # after a fault others are made as before
        with pytest.raises(ZeroDivisionError):
            asked(app.session_state["at"]["broken.zip"])


def test_only_what_a_session_offers_now_is_handed_out() -> None:
    app, other = (AppTest.from_function(offering).run() for _ in range(2))
    before, others = app.session_state["at"], other.session_state["at"]
    assert not set(before.values()) & set(others.values())
    app.query_params["fewer"] = "1"
    app.run()
    assert app.session_state["at"]["page.txt"] == before["page.txt"]  # so that no run changes what the browser has
    assert [asked(address).status_code for address in before.values()][:2] == [200, 422]
    assert asked(before["broken.zip"]).status_code == 404
    assert asked("takeaway/nobody/page.txt").status_code == 404


@pytest.mark.parametrize(("base", "paths"), [("", 1), ("/course/vae/", 2)])
def test_the_files_lie_below_the_path_of_the_app(monkeypatch: pytest.MonkeyPatch, base: str, paths: int) -> None:
    monkeypatch.setattr("streamlit.get_option", lambda name: base)
    assert [route.path for route in delivery.served()].count("/takeaway/{token}/{file}") == 1
    assert {route.path.removesuffix("/takeaway/{token}/{file}") for route in delivery.served()} == {
        "", base.rstrip("/")
    }  # fmt: skip
    assert len(delivery.served()) == paths
