"""What a process that was killed leaves half-written: it is not listed, and a server clears it away after a day."""

import os
import time
from pathlib import Path

from tests.toys import small_config
from vae import Record, TrainConfig, build, catalogue, paths, save
from vae.jobs import shelf


def test_a_copy_that_was_cut_short_is_not_listed(own_folders: Path) -> None:
    config = small_config()
    made = save(build(config), Record(name="mine", model=config, training=TrainConfig(data="mnist-sample")))
    made.parent.rename(own_folders / ".abc.part")  # as `shelf.copy` has it before it is whole
    records, troubles = catalogue()
    assert "mine" not in {record.name for record in records} and troubles == []


def test_a_deletion_that_was_cut_short_cannot_be_undone(own_folders: Path) -> None:
    (own_folders / shelf.DISCARDED / "1-mine").mkdir(parents=True)
    assert shelf.discarded() == []


def test_what_is_a_day_old_is_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    old, new = time.time() - 2 * 24 * 3600, time.time()
    left = {".a.part": old, ".b.part": new, "c.part": old, ".d": old, "model/.e.part": old, "model/f": old}
    for name, when in left.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (when, when))
    for name, when in ((".old.part", old), (".new.part", new)):  # a set whose images are still written
        (tmp_path / name).mkdir()
        (tmp_path / name / "images").write_bytes(b"")
        for path in (tmp_path / name / "images", tmp_path / name):
            os.utime(path, (when if path.is_file() else old, when if path.is_file() else old))
    paths.sweep(tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert there == {".b.part", "c.part", ".d", "model", "model/f", ".new.part", ".new.part/images"}
    paths.sweep(tmp_path / "none")
