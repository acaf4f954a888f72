"""Who is shown around: whoever comes with a bare address, while no lecturer leads."""

import json
from pathlib import Path

import pytest

from pages.classroom import lead, roles
from tests.app.test_labels import texts
from tests.app.test_pages import opened

pytestmark = pytest.mark.slow


def shown(**link: str) -> tuple[bool, bool]:
    """Whether there is a tour, and a pointer that moves by itself."""
    app = opened()
    app.query_params.update(link)
    app.run()
    assert not app.exception and not app.error
    sent = texts(app).replace(" ", "")
    return "Skipthetour" in sent or "跳过导览" in sent, '"welcome":true' in sent


@pytest.mark.parametrize("link", [{}, {"lang": "en"}])
def test_a_bare_address_is_that_of_a_newcomer(link: dict[str, str]) -> None:
    assert shown(**link) == (True, True)


@pytest.mark.parametrize("link", [{"image": "3"}, {"z": "0.5,1"}, {"model": "mnist-5d"}, {"present": "1"}])
def test_a_link_with_something_in_use_is_no_newcomers(link: dict[str, str]) -> None:
    assert shown(**link) == (False, False)


def test_nobody_is_shown_around_while_a_lecturer_leads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAE_CLASSROOM", str(tmp_path))
    (tmp_path / roles.REGISTER).write_text(json.dumps({"lecturer": 64 * "0"}))
    assert shown() == (True, True)
    (tmp_path / lead.FILE).write_text(json.dumps({"began": "just now"}))
    assert shown()[0] is False
