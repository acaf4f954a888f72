"""Locks that die with their holder, lines that are appended whole or not at all."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vae.errors import JobError
from vae.jobs.files import Lock, append, held


def test_one_holds_a_lock_at_a_time(tmp_path):
    first, second = Lock(tmp_path / "new" / "lock"), Lock(tmp_path / "new" / "lock")
    assert first.acquire() and not second.acquire() and first.intact and not second.intact
    first.release()
    assert second.acquire() and not first.acquire(wait=0.05)


def test_a_lock_is_waited_for(tmp_path):
    with (
        held(tmp_path / "lock"),
        pytest.raises(JobError, match=r"free within 0.05 s"),
        held(tmp_path / "lock", wait=0.05),
    ):
        pass
    with held(tmp_path / "lock", wait=0):
        pass


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_disk_that_knows_no_locks_is_said_at_once(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(JobError, match=f"a disk that supports locks.*{os.strerror(code)}.*local disk"):
        Lock(tmp_path / "lock").acquire(wait=3600)  # the test would hang if it were waited for


@pytest.mark.parametrize("code", [errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES])
def test_only_what_says_held_is_held(tmp_path, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    assert not Lock(tmp_path / "lock").acquire()


@pytest.mark.slow
def test_a_lock_dies_with_its_holder(tmp_path):
    code = "import sys, time; from pathlib import Path; from vae.jobs.files import Lock; lock = Lock(Path(sys.argv[1]))"
    code += "; lock.acquire(); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE)
    try:
        assert process.stdout and process.stdout.readline()
        assert not Lock(tmp_path / "lock").acquire()
        process.send_signal(signal.SIGKILL)
        assert Lock(tmp_path / "lock").acquire(wait=10)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_lock_knows_when_its_folder_has_gone(tmp_path, how):
    folder = tmp_path / "folder"
    lock = Lock(folder / "lock")
    assert lock.acquire() and lock.intact
    if how == "deleted":
        shutil.rmtree(folder)
    else:
        folder.rename(tmp_path / "elsewhere")
    if how == "replaced":
        folder.mkdir()
        (folder / "lock").touch()
    assert not lock.intact


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="could not be written"):
        Lock(tmp_path / "file" / "lock").acquire()


def test_lines_are_appended(tmp_path):
    for line in (b"one\n", b"two\n"):
        append(tmp_path / "lines", line)
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"


def test_a_full_disk_leaves_the_lines_before_whole(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    append(path, b"one\n")

    class Full:
        """A file on a disk that has room for three bytes more."""

        def __init__(self, file):
            self.file, self.room = file, 3

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, content):
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written, self.room = self.file.write(content[: self.room]), 0
            return written

    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *how, **more: Full(opened(self, *how, **more)))
    with pytest.raises(JobError, match=r"No space left on device.*resume"):
        append(path, b"a longer line\n")
    monkeypatch.undo()
    assert path.read_bytes() == b"one\n"
    append(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device /dev/full")
def test_the_device_that_is_always_full_is_said_to_be():
    with pytest.raises(JobError, match="No space left"):
        append(Path("/dev/full"), b"line\n")


def test_a_folder_that_has_gone_is_not_made_again(tmp_path):
    with pytest.raises(JobError, match="No such file"):
        append(tmp_path / "gone" / "lines", b"line\n")
    assert not (tmp_path / "gone").exists()
