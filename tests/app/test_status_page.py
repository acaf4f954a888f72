"""The page Status: what it shows, and to whom."""

from pathlib import Path

import pytest

from pages.cache import disk
from pages.classroom import roles
from pages.operating import standing
from tests.app.test_pages import ROOT, opened, own_folder
from vae import jobs

PAGE = str(ROOT / "pages/operating/status.py")
__all__ = ["own_folder"]


def table(app) -> dict[str, str]:
    first = app.table[0].value
    return dict(zip(first.iloc[:, 0], first.iloc[:, 1], strict=True))


def test_it_is_for_whoever_is_alone() -> None:
    app = opened().run().switch_page(PAGE).run()
    assert not app.exception and not app.error and app.title[0].value == "Status"
    assert table(app)["New models can be saved"] == "yes"
    assert table(app)["Memory used by the server"].endswith(" MB")
    assert any("No training is running" in caption.value for caption in app.caption)


def test_trainings_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [jobs.Job("one", "running"), jobs.Job("two", "queued", ahead=1)]
    monkeypatch.setattr(jobs, "queue", lambda: waiting)
    app = opened().run().switch_page(PAGE).run()
    assert app.table[1].value.values.tolist() == [["one", "running", 0], ["two", "waiting", 1]]


def test_no_student_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "role", lambda: roles.Role.STUDENT)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        opened().run().switch_page(PAGE)
    alone = opened(PAGE).run()
    assert not alone.table and "lecturer" in alone.error[0].value


def test_what_is_kept_on_disk_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CACHE", str(tmp_path))
    before = standing.now()
    (disk.folder() / "one.npz").write_bytes(bytes(1000))
    after = standing.now()
    assert (before.cache_files, after.cache_files) == (0, 1)
    assert after.cache_bytes == 1000 and after.disk_bytes > 0 and after.server_bytes > 0
