"""Model files: whole in, whole out, and one clear sentence for everything else."""

import dataclasses
import errno
import json
import os
import stat
import struct
import threading
from pathlib import Path

import pytest
import safetensors
import torch
from safetensors.torch import save as to_bytes

from tests.toys import small_config, small_model
from vae import paths
from vae.data import folder
from vae.errors import CheckpointError
from vae.model.checkpoints import Record, catalogue, check_name, folders, load, locate, read_record, save
from vae.model.results import results
from vae.model.vae import VAE
from vae.paths import write_aside
from vae.settings.config import LIKELIHOODS, ModelConfig, TrainConfig


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The user's folder of models; those that ship are in a folder beside it."""
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "own"


def record_of(model: VAE, name: str = "a-model", **changes) -> Record:
    fields = {
        "training": TrainConfig(epochs=7, learning_rate=1e-3, seed=5),
        "data_checksum": "ab" * 32,
        "epochs_done": 6.5,
        "seconds": 12.25,
        "held_out": {"elbo": 972.5, "kl": 9.25, "images": 10_000.0},
    }
    return Record(name=name, model=model.config, **{**fields, **changes})


def saved(name: str = "a-model", **changes) -> Path:
    model = small_model(**changes)
    return save(model, record_of(model, name))


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def says(path: Path) -> dict:
    """The record in a file, as JSON."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["vae"])


def rewrite(path: Path, change=lambda record: None, tensors=lambda weights: None, text: str | None = None) -> None:
    """Makes a file again with another record or other tensors."""
    record, weights = says(path), dict(load(path).state_dict())
    change(record)
    tensors(weights)
    path.write_bytes(to_bytes(weights, {"vae": json.dumps(record) if text is None else text}))


def refused(path: Path | str, *words: str) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("layers", [(8, 5), ()])
@pytest.mark.parametrize("channels", [(), (3, 2)])
def test_weights_come_back_bit_for_bit(likelihood, layers, channels):
    model = small_model(likelihood=likelihood, encoder_layers=layers, decoder_layers=layers, channels=channels)
    path = save(model, record_of(model))
    for place in ("a-model", path, str(path), path.parent, str(path.parent)):
        again = load(place)
        assert again.config == model.config and again.state_dict().keys() == model.state_dict().keys()
        for key, weight in model.state_dict().items():
            assert torch.equal(again.state_dict()[key], weight) and again.state_dict()[key].dtype == torch.float32, key
    z = torch.randn(3, 2)
    with torch.no_grad():
        assert torch.equal(again.decoder(z).mean, model.decoder(z).mean)


def test_half_stores_rounded_weights_in_half_the_size():
    model = small_model(encoder_layers=(200,))
    whole, half = save(model, record_of(model, "whole")), save(model, record_of(model, "half"), half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    for key, weight in model.state_dict().items():
        again = load("half").state_dict()[key]
        assert again.dtype == torch.float32 and torch.equal(again, weight.half().float()), key
    assert not torch.equal(load("half").encoder.head.weight, model.encoder.head.weight)
    assert next(model.parameters()).dtype == torch.float32  # the model itself is left alone


def test_a_loaded_model_is_for_looking_at():
    saved()
    model = load("a-model")
    assert not model.training and not model.decoder.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_loading_leaves_the_global_generator_alone():
    saved()
    before = torch.get_rng_state()
    load("a-model")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("changes", [{}, {"channels": (3,)}, {"likelihood": "bernoulli"}, {"decoder_layers": ()}])
def test_a_model_of_images_in_colour_comes_back(changes):
    model = small_model(image_shape=(6, 5, 3), **changes)
    save(model, record_of(model))
    again = load("a-model")
    assert again.config == model.config and again.config.image_shape == (6, 5, 3)
    z = torch.randn(4, 2)
    assert torch.equal(again.decoder(z).mean, model.decoder(z).mean)


def test_bits_per_pixel_of_older_files_are_bits_per_dimension():
    path = saved()
    rewrite(path, lambda record: record.update(held_out={"elbo": 900.0, "bits_per_pixel": 6.25}))
    assert read_record(path).held_out == {"elbo": 900.0, "bits_per_dimension": 6.25}


@pytest.mark.parametrize("shape", [[8, 8, 4], [65, 8, 3], [8, 129], [8, 8, 3, 3]])
def test_a_file_of_images_that_are_too_large_or_of_other_channels_is_refused(shape):
    path = saved()
    rewrite(path, lambda record: record["model"].update(image_shape=shape))
    refused(path, "image_shape must be")


def test_the_record_comes_back():
    model = small_model(log_variance_floor=None, decoder_layers=())
    record = record_of(model)
    path = save(model, record)
    assert read_record("a-model") == read_record(path) == record


def test_the_models_own_config_is_what_is_written():
    model = small_model()
    save(model, record_of(small_model(latent=5)))
    assert read_record("a-model").model == model.config and load("a-model").config == model.config


def test_a_file_elsewhere_goes_by_its_stem(tmp_path, monkeypatch):
    other = tmp_path / "Some Download.safetensors"
    other.write_bytes(saved().read_bytes())
    assert read_record(other).name == "Some Download"
    monkeypatch.chdir(saved("b-model").parent)
    assert read_record("model.safetensors").name == "b-model"


@pytest.mark.parametrize("share", [0, 1e-9, 0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.99, 1 - 1e-9])
def test_a_truncated_file_is_refused(share):
    path = saved()
    content = path.read_bytes()
    path.write_bytes(content[: min(int(share * len(content)) + (share > 0), len(content) - 1)])
    refused(path, "not a complete safetensors file", str(path))
    with pytest.raises(CheckpointError):
        read_record(path)


@pytest.mark.parametrize("content", [
    b"hello, this is text\n" * 100, b"\0" * 1000, b"\xff" * 1000, b"PK\x03\x04" + b"\0" * 100,
    *(struct.pack("<Q", size) + text for size, text in [(2, b"{}"), (4, b"null"), (2**62, b"{}"), (8, b"\xff" * 8)]),
])  # fmt: skip
def test_a_foreign_file_is_refused(content):
    path = saved()
    path.write_bytes(content)
    refused(path, str(path))
    with pytest.raises(CheckpointError):
        read_record(path)


def test_tensors_without_a_record_are_refused():
    path = saved()
    weights = load(path).state_dict()
    path.write_bytes(to_bytes(weights))
    refused(path, "no record")
    path.write_bytes(to_bytes(weights, {"format": "pt"}))
    refused(path, "no record")


def test_another_format_is_refused_by_its_number():
    path = saved()
    rewrite(path, lambda record: record.update(format=3))
    refused(path, "format 3", "reads formats 1 and 2")


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "3", '"text"', "{}", "[" * 100_000, '{"format": 1}'])
def test_a_damaged_record_is_refused(text):
    path = saved()
    rewrite(path, text=text)
    refused(path, "damaged record", str(path))


@pytest.mark.parametrize("change", [
    lambda record: record.pop("model"),
    lambda record: record.pop("training"),
    lambda record: record.update(model=[]),
    lambda record: record["model"].update(latent=0),
    lambda record: record["model"].update(latent=10**400),
    lambda record: record["model"].update(log_variance_floor=10**400),
    lambda record: record["model"].update(beta=4),
    lambda record: record["model"].update(encoder_layers=[[8]]),
    lambda record: record["model"].update(encoder_layers=[1] * 10**6),
    lambda record: record["training"].update(epochs="many"),
    lambda record: record.update(held_out=[1]),
    lambda record: record.update(held_out={"elbo": "good"}),
    lambda record: record.update(seconds=10**400),
    lambda record: record.update(seconds=None),
])  # fmt: skip
def test_a_record_with_a_wrong_field_is_refused(change):
    path = saved()
    rewrite(path, change)
    refused(path, "damaged record")
    assert catalogue()[0] == [] and len(catalogue()[1]) == 1


@pytest.mark.parametrize("change", [
    {"latent": 3}, {"encoder_layers": [9]}, {"decoder_layers": []}, {"decoder_layers": [8, 8]}, {"image_shape": [5, 4]},
    {"likelihood": "gaussian-shared"}, {"likelihood": "bernoulli"},
])  # fmt: skip
def test_a_record_that_does_not_fit_the_tensors_is_refused(change):
    path = saved()
    rewrite(path, lambda record: record["model"].update(change))
    refused(path, "Weights must match the config")


def test_a_missing_or_extra_tensor_is_refused_by_name():
    path = saved()
    content = path.read_bytes()
    rewrite(path, tensors=lambda weights: weights.pop("encoder.head.bias"))
    refused(path, "encoder.head.bias")
    path.write_bytes(content)
    rewrite(path, tensors=lambda weights: weights.update(stowaway=torch.zeros(1)))
    refused(path, "stowaway")
    path.write_bytes(content)
    rewrite(path, tensors=lambda weights: weights.update({"decoder.location.bias": torch.zeros(1, 16)}))
    refused(path, "decoder.location.bias")


def test_an_absurd_config_is_refused_without_taking_memory():
    path = saved()
    layers = [16384] * 32
    rewrite(path, lambda record: record["model"].update(latent=1024, encoder_layers=layers, image_shape=[128, 128]))
    refused(path, "Weights must match the config")  # a model of that size would take terabytes


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value, own):
    path = saved()
    rewrite(path, tensors=lambda weights: weights["encoder.head.bias"].__setitem__(0, value))
    refused(path, "finite")
    model = small_model()
    with torch.no_grad():
        model.decoder.location.weight[3, 1] = value
    with pytest.raises(CheckpointError, match=r"finite.*decoder\.location\.weight"):
        save(model, record_of(model, "b-model"))
    assert not (own / "b-model").exists()


def test_weights_too_large_for_half_are_refused():
    model = small_model()
    with torch.no_grad():
        model.decoder.location.bias[0] = 1e5
    with pytest.raises(CheckpointError, match="half"):
        save(model, record_of(model), half=True)
    save(model, record_of(model))


@pytest.mark.parametrize("name", [
    "../x", "..", ".", "", "A B", "Upper", "/etc/x", "a/b", "a\\b", "-x", ".x", "x\n", "x\0", "é", "a" * 65,
])  # fmt: skip
def test_a_name_cannot_leave_its_folder(name, tmp_path):
    model = small_model()
    with pytest.raises(CheckpointError, match="1 to 64 lower-case letters"):
        save(model, record_of(model, name))
    with pytest.raises(CheckpointError):
        check_name(name)
    with pytest.raises(CheckpointError):
        load(name)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["a", "0", "mnist-2d", "a.b_c-d", "a" * 64])
def test_a_sound_name_is_taken(name):
    assert check_name(name) == name
    assert saved(name).parent.name == name and read_record(name).name == name


@pytest.mark.parametrize("place", ["nothing", "no/such/file", "a" * 5000, "/" + "b" * 300])
def test_a_model_that_is_not_there(place):
    saved("here")
    refused(place, "there is no model", "Names: here")


def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(own):
    path = saved()
    before = path.read_bytes()
    other = small_model(seed=1)
    with pytest.raises(
        CheckpointError, match=r"'a-model' is taken\. Choose another, or replace that model \(overwrite=True\)\."
    ):
        save(other, record_of(other))
    assert path.read_bytes() == before
    save(other, record_of(other), overwrite=True)
    assert torch.equal(load("a-model").decoder.location.weight, other.decoder.location.weight)
    assert files_in(own) == ["a-model/model.safetensors"]


@pytest.mark.parametrize("where", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.chmod"])
def test_a_disk_that_refuses_leaves_what_was_there(where, own, monkeypatch):
    path = saved()
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(where, full)
    other = small_model(seed=1)
    with pytest.raises(CheckpointError, match=r"No space left on device.*another location"):
        save(other, record_of(other), overwrite=True)
    assert path.read_bytes() == before and files_in(own) == ["a-model/model.safetensors"]
    with pytest.raises(CheckpointError, match="No space left"):
        save(other, record_of(other, "b-model"))
    assert files_in(own) == ["a-model/model.safetensors"]


def test_an_interrupt_leaves_nothing_half_written(own, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        saved()
    assert files_in(own) == []


def test_a_folder_that_is_a_file_is_refused(own):
    own.write_text("in the way")
    with pytest.raises(CheckpointError, match="could not be written"):
        saved()
    assert own.read_text() == "in the way" and catalogue() == ([], [])


def test_a_reader_never_sees_half_a_file(own, monkeypatch):
    path = saved()
    seen = []
    replace = Path.replace

    def watch(aside: Path, target: Path) -> Path:
        seen.append((aside.parent == target.parent, aside.stat().st_size, target.read_bytes() == before))
        return replace(aside, target)

    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", watch)
    write_aside(path, b"x" * 1000)
    assert seen == [(True, 1000, True)] and path.read_bytes() == b"x" * 1000
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("breaks", [False, True])
def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(monkeypatch, breaks):
    path = saved()
    other = small_model(seed=1)
    real = safetensors.safe_open
    opened = []

    def replaced(*arguments, **more):
        file = real(*arguments, **more)
        opened.append(file)
        if len(opened) == 1:
            save(other, record_of(other, epochs_done=1.5), overwrite=True)
            if breaks:
                raise RuntimeError("size <3520> is smaller than the required mapping size <3528>")
        return file

    monkeypatch.setattr(safetensors, "safe_open", replaced)
    assert read_record(path).epochs_done == 1.5 and len(opened) == 2
    opened.clear()
    save(small_model(), record_of(small_model()), overwrite=True)
    assert torch.equal(load(path).encoder.head.weight, other.encoder.head.weight)


def test_two_writers_of_one_name_leave_one_whole_file(own):
    models = [small_model(seed=seed, encoder_layers=(300,)) for seed in range(2)]
    failures = []

    def write(model: VAE) -> None:
        try:
            for _ in range(20):
                save(model, record_of(model), overwrite=True)
        except Exception as error:  # of a thread, which would be lost
            failures.append(error)

    threads = [threading.Thread(target=write, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if (own / "a-model" / "model.safetensors").exists():
            load("a-model")
    for thread in threads:
        thread.join()
    assert failures == [] and files_in(own) == ["a-model/model.safetensors"]
    weight = load("a-model").encoder.head.weight
    assert any(torch.equal(weight, model.encoder.head.weight) for model in models)


def test_the_users_folder_comes_before_the_one_that_ships(own, tmp_path, monkeypatch):
    monkeypatch.delenv("VAE_CHECKPOINTS")
    assert folders() == [tmp_path / "shipped" / "checkpoints"]
    saved("shipped-only", latent=3)
    saved("in-both", latent=3)
    monkeypatch.setenv("VAE_CHECKPOINTS", str(own))
    assert folders() == [own, tmp_path / "shipped" / "checkpoints"]
    assert saved("in-both", latent=4) == own / "in-both" / "model.safetensors"
    saved("a-new-one", latent=4)
    records, troubles = catalogue()
    sizes = {record.name: record.model.latent for record in records}
    assert list(sizes.items()) == [("a-new-one", 4), ("in-both", 4), ("shipped-only", 3)]
    assert troubles == [] and load("in-both").config.latent == 4 and load("shipped-only").config.latent == 3
    assert locate("shipped-only").parent.parent == tmp_path / "shipped" / "checkpoints"


def test_without_any_folder_the_list_is_empty():
    assert catalogue() == ([], [])


def test_a_damaged_file_is_a_trouble_among_the_others(own):
    for name in ("a-model", "b-model", "c-model"):
        saved(name)
    (own / "b-model" / "model.safetensors").write_bytes(b"damaged")
    (own / "no-model").mkdir()
    (own / "Not A Name").mkdir()
    (own / "Not A Name" / "model.safetensors").write_bytes((own / "a-model" / "model.safetensors").read_bytes())
    records, troubles = catalogue()
    assert [record.name for record in records] == ["a-model", "c-model"]
    assert len(troubles) == 2 and "'Not A Name'" in str(troubles[0]) and "b-model" in str(troubles[1])
    for record in records:  # all that is listed can be loaded
        load(record.name)


def test_every_field_of_the_record_is_in_the_file():
    record = says(saved())
    assert record.keys() - {"format"} == {field.name for field in dataclasses.fields(Record)} - {"name", "images"}
    assert ModelConfig.from_dict(record["model"]) == small_config()


@pytest.mark.parametrize("kind", ["folder", "dangling link", "link in a circle", "folder of a mailed name"])
def test_one_bad_entry_costs_one_line(kind):
    root = folders()[0]
    saved("good")
    place = root / "odd" / "model.safetensors"
    place.parent.mkdir()
    if kind == "folder":
        place.mkdir()
    elif kind == "dangling link":
        place.symlink_to(root / "nothing")
    elif kind == "link in a circle":
        place.symlink_to(place)
    else:
        (root / "odd.safetensors").mkdir()
    records, troubles = catalogue()
    assert [record.name for record in records] == ["good"] and len(troubles) == 1
    assert all(str(place.parent.name) in str(trouble) for trouble in troubles)
    with pytest.raises(CheckpointError, match="Names: good"):
        load("odd")
    assert load("good").config.latent == 2


def test_a_mailed_file_is_listed_by_its_name():
    root = folders()[0]
    saved("sent").rename(root / "bob.safetensors")
    records, troubles = catalogue()
    assert [record.name for record in records] == ["bob"] and not troubles
    assert load("bob").config == records[0].model and read_record("bob").name == "bob"
    assert results("bob", "x.npz") == [root / "bob" / "x.npz", paths.SHIPPED / "checkpoints" / "bob" / "x.npz"]
    assert results(root / "bob.safetensors", "x.npz") == [root / "bob" / "x.npz"]
    with pytest.raises(CheckpointError, match="'bob' is taken"):
        saved("bob")
    for name, said in (("Bob's model.safetensors", "lower-case letters"), ("model.safetensors", "Rename it")):
        next(root.glob("*.safetensors")).rename(root / name)
        records, (trouble,) = catalogue()
        assert not records and said in str(trouble) and name.removesuffix(".safetensors") in str(trouble)


def test_a_link_is_followed_and_a_device_is_opened(tmp_path):
    (tmp_path / "target").write_bytes(b"before")
    (tmp_path / "link").symlink_to("target")
    write_aside(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"after"
    (tmp_path / "new").symlink_to("yet-to-come")
    write_aside(tmp_path / "new", b"there")
    assert (tmp_path / "new").is_symlink() and (tmp_path / "yet-to-come").read_bytes() == b"there"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_aside(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through" and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    os.close(reader)
    write_aside(Path("/dev/null"), b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    source, target = os.pipe()
    write_aside(Path(f"/dev/fd/{target}"), b"a link to a pipe, as >(...) of a shell is")
    assert os.read(source, 100).startswith(b"a link to a pipe")
    (tmp_path / "target").chmod(0o600)
    write_aside(tmp_path / "link", b"secret")
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for place in (tmp_path, tmp_path / "circle"):
        with pytest.raises(CheckpointError, match="could not be written"):
            write_aside(place, b"")


def test_tilde_is_the_users_home_in_every_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAE_CHECKPOINTS", "~/models")
    monkeypatch.setenv("VAE_DATA", "~/images")
    assert folders()[0] == tmp_path / "models" and folder() == tmp_path / "images"
    saved("a-model")
    assert (tmp_path / "models" / "a-model" / "model.safetensors").exists()
    assert load("~/models/a-model").config.latent == 2
    monkeypatch.setenv("VAE_CHECKPOINTS", "~nobody-of-that-name/models")
    assert folders()[0] == Path("~nobody-of-that-name/models")  # as a shell leaves it
