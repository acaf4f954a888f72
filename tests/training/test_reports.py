"""Reports on disk: whole lines in, whole lines out."""

import numpy as np

from vae.training.reports import Report, kl_at, line, read


def one(**changes) -> Report:
    return Report(1, 9, 0.5, 2.0, 1.0, None, None, 0.1, 1000.0)._replace(**changes)


def test_a_report_comes_back(tmp_path):
    reports = [one(), one(step=2, held_out_kl=1.5, kl_by_dimension=(0.25, 0.5), seconds_left=3.0, beta=0.5)]
    (tmp_path / "history").write_bytes(b"".join(map(line, reports)))
    assert read(tmp_path / "history") == reports
    assert read(tmp_path / "none") == []


def test_a_kl_is_kept_to_four_places(tmp_path):
    (tmp_path / "history").write_bytes(line(one(kl_by_dimension=(1 / 3, 1e-9))))
    assert read(tmp_path / "history")[0].kl_by_dimension == (0.3333, 0.0)


def test_a_damaged_file_gives_its_whole_lines(tmp_path):
    whole = line(one())
    lines = [whole, b"{\n", b"[1]\n", b'{"step": 1}\n', b"\xff\n", b"null\n", whole, whole[:20]]
    (tmp_path / "history").write_bytes(b"".join(lines))
    assert read(tmp_path / "history") == [one()] * 2


def test_a_report_from_before_a_field_came_is_read(tmp_path):
    old = (
        b'{"step": 100, "steps": 200, "epoch": 0.5, "reconstruction": -3.5, "kl": 9.5, "held_out_reconstruction": null'
    )
    (tmp_path / "history").write_bytes(old + b', "held_out_kl": null, "seconds": 7.5, "images_per_second": 1600.0}\n')
    (report,) = read(tmp_path / "history")
    assert report.step == 100 and report.kl_by_dimension == () and report.beta is None


def test_the_kl_at_a_step_is_that_of_the_report_whose_mean_holds_the_step():
    reports = [one(step=50, kl_by_dimension=(1.0, 2.0)), one(step=100), one(step=120, kl_by_dimension=(3.0, 4.0))]
    found = kl_at(reports, np.array([0, 1, 50, 51, 100, 120, 150]))
    assert found[:, 0].tolist() == [1, 1, 1, 3, 3, 3, 3] and found[:, 1].tolist() == [2, 2, 2, 4, 4, 4, 4]
    assert kl_at([one()], np.array([0, 50])).shape == (2, 0)
    assert kl_at([], np.array([], int)).shape == (0, 0)
