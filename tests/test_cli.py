"""The command line: what it prints, what it writes, and one line for each mistake."""

import json
import math
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vae
from tests.toys import small_model, toy_dataset
from vae import checkpoints, cli, evidence, jobs
from vae.checkpoints import Record, load, read_record, save
from vae.config import ModelConfig, TrainConfig
from vae.distributions import generator
from vae.latent import decode

LOAD_DATASET = cli.data.load_dataset
TOY = toy_dataset()
TRAIN = ["--image-shape=4,4", "--encoder-layers=8", "--decoder-layers=8", "--data=mnist-sample", "--batch-size=100"]


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(checkpoints, "_SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(jobs, "load_dataset", lambda name: TOY)
    monkeypatch.setattr(cli.data, "load_dataset", lambda name, fetch=True: TOY)
    monkeypatch.setattr(cli.data, "available", lambda name: True)  # so that no test goes to the network
    monkeypatch.chdir(tmp_path)
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # train sets its own; should it not, the tests live on
    yield tmp_path / "own"
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def model(own):
    model = small_model()
    training, held_out = TrainConfig(data="mnist-sample"), {"elbo": 5.0, "kl": 1.0}
    save(model, Record(name="a-model", model=model.config, training=training, held_out=held_out))
    return model


def run(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    try:
        code = cli.main(list(words))
    except SystemExit as end:  # argparse's own way out
        code = end.code if isinstance(end.code, int) else 1
    said = capsys.readouterr()
    return code, said.out, said.err


def refused(capsys, *words: str) -> str:
    """The one line on standard error with which a command ends."""
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "") and err.count("\n") == 1 and err.endswith("\n"), err
    return err


def test_train_makes_a_model_that_the_other_commands_know(capsys, own):
    words = ("--epochs=2", "--seed=3", "--latent-dim=3", "--learning-rate=0.01")
    code, out, err = run(capsys, "train", "a-model", *TRAIN, *words)
    assert code == 0 and err == ""
    lines = out.splitlines()
    assert len(lines) == 3 and "\r" not in out  # plain lines where no one watches: two epochs and the figures
    assert all("reconstruction" in line and "kl" in line and "held out" in line for line in lines[:2])
    record = read_record("a-model")
    assert json.loads(lines[2]) == record.held_out
    assert (record.model.latent, record.model.image_shape, record.model.decoder_layers) == (3, (4, 4), (8,))
    assert (record.training.epochs, record.training.seed, record.training.learning_rate) == (2, 3, 0.01)
    assert run(capsys, "models")[1].startswith("a-model ") and run(capsys, "sample", "a-model")[0] == 0


def test_the_flags_of_train_are_the_fields_of_the_configs():
    chosen = cli._parser().parse_args(["train", "a-model"])
    assert cli._config(ModelConfig, chosen) == ModelConfig() and cli._config(TrainConfig, chosen) == TrainConfig()
    words = ["--dataset", "fashion-mnist", "--latent-dim", "5", "--likelihood", "bernoulli", "--epochs=3", "--seed=9"]
    chosen = cli._parser().parse_args(["train", "a-model", *words, "--log-variance-floor", "none", "--decoder-layers="])
    assert cli._config(TrainConfig, chosen) == TrainConfig(data="fashion-mnist", epochs=3, seed=9)
    expected = ModelConfig(latent=5, likelihood="bernoulli", log_variance_floor=None, decoder_layers=())
    assert cli._config(ModelConfig, chosen) == expected


def test_train_replaces_a_model_only_when_told(capsys, model):
    assert "'a-model' is taken" in refused(capsys, "train", "a-model", *TRAIN)
    assert run(capsys, "train", "a-model", *TRAIN, "--epochs=1", "--overwrite", "--half")[0] == 0
    weights = load("a-model").parameters()
    assert all(torch.equal(weight, weight.half().float()) for weight in weights)


def test_an_interrupted_training_keeps_its_model(capsys, monkeypatch):
    fit = jobs.fit

    def interrupted(*arguments):
        reports = fit(*arguments)
        yield next(reports)
        signal.raise_signal(signal.SIGTERM)
        yield from reports

    monkeypatch.setattr(jobs, "fit", interrupted)
    code, _, err = run(capsys, "train", "a-model", *TRAIN)
    assert code == 130 and err == "stopped\n"
    assert read_record("a-model").epochs_done == 1 and jobs.status("a-model") == jobs.Job("a-model", "stopped")


@pytest.mark.parametrize("method", ["elbo", "naive"])
def test_evaluate_says_what_the_library_says(capsys, model, method):
    words = ("evaluate", "a-model", "--method", method, "--samples", "40", "--images", "10", "--seed", "6")
    code, out, err = run(capsys, *words, "--json")
    assert code == 0 and err == ""
    says = json.loads(out)
    noise = generator(6)
    estimator = {"elbo": evidence.elbo, "naive": evidence.naive_monte_carlo}[method]
    estimate = estimator(model, model.pixels(TOY.test.images[:10], noise), 40, noise)
    values, errors = estimate.value.numpy(), estimate.standard_error.numpy()
    assert says.pop("seconds") >= 0
    assert says == {
        "model": "a-model",
        "dataset": "mnist-sample",
        "split": "test",
        "images": 10,
        "method": method,
        "samples": 40,
        "mean_nats": pytest.approx(values.mean()),
        "standard_error_nats": pytest.approx(values.std(ddof=1) / math.sqrt(10)),
        "monte_carlo_error_nats": pytest.approx(math.sqrt((errors**2).sum()) / 10),
        "log_variance_floor": -6.0,
    }
    plain = run(capsys, *words)[1]
    figures = f"{values.mean():.3f} ± {values.std(ddof=1) / math.sqrt(10):.3f} nats an image"
    assert plain == f"{figures}, {method}, 10 images, gaussian, floor -6\n"


def test_evaluate_stays_json_where_there_is_no_error_to_tell(capsys, model):
    def no_constant(name):
        raise ValueError(name)  # Infinity and NaN are not JSON

    out = run(capsys, "evaluate", "a-model", "--samples=1", "--images=1", "--json")[1]
    assert json.loads(out, parse_constant=no_constant)["monte_carlo_error_nats"] is None


@pytest.mark.parametrize(("count", "size"), [(1, (4, 4)), (4, (8, 8)), (5, (12, 8)), (9, (12, 12)), (10, (16, 12))])
def test_sample_writes_a_picture_of_all_draws(capsys, model, count, size):
    out = "deep/down/draws.png"
    assert run(capsys, "sample", "a-model", "--count", str(count), "--output", out) == (0, f"{out}\n", "")
    with Image.open(out) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", size)
        picture.load()  # all of it
    assert [path.name for path in Path("deep/down").iterdir()] == ["draws.png"]


@pytest.mark.parametrize("draws", [False, True])
def test_a_sample_is_decoded_from_the_prior_image_by_image(capsys, model, draws):
    run(capsys, "sample", "a-model", "--count=5", "--seed=4", *["--draws"] * draws)
    z = torch.randn(5, 2, generator=generator(4)).numpy()
    decoded = decode(model, z, seed=4)
    expected = (decoded.sample if draws else decoded.mean).clip(0, 1) * 255
    with Image.open("samples.png") as picture:
        sheet = np.asarray(picture).astype(float)
    for i in range(6):
        row, column = divmod(i, 3)
        place = sheet[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert np.abs(place - expected[i]).max() <= 0.5001 if i < 5 else not place.any()


def test_models_are_listed_and_damaged_files_are_said(capsys, own, model):
    code, out, err = run(capsys, "models")
    assert code == 0 and err == "" and " ".join(out.split()) == "a-model J = 2 gaussian, floor -6 5.00 nats KL 1.00"
    (own / "b-model").mkdir()
    (own / "b-model" / "model.safetensors").write_bytes(b"damaged")
    code, out, err = run(capsys, "models", "--json")
    assert code == 0 and err.count("\n") == 1 and "b-model" in err
    (says,) = json.loads(out)
    assert says["name"] == "a-model" and ModelConfig.from_dict(says["model"]) == model.config
    assert TrainConfig.from_dict(says["training"]) == TrainConfig(data="mnist-sample")


@pytest.mark.parametrize("held_out", [{}, {"elbo": 5.0}, {"reconstruction": 5.0}])
def test_models_without_all_figures_are_listed(capsys, held_out):
    model = small_model()
    save(model, Record(name="a-model", model=model.config, training=TrainConfig(), held_out=held_out))
    assert run(capsys, "models")[1].startswith("a-model ")


def test_data_is_fetched_with_a_word_in_the_end(capsys, monkeypatch):
    fetched = []

    def fetch(name, progress):
        progress("train-images", 5, 10)
        fetched.append(name)

    monkeypatch.setattr(cli.data, "fetch", fetch)
    assert run(capsys, "data", "mnist-sample") == (0, TOY.describe() + "\n", "")
    assert fetched == ["mnist-sample"]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert "[##########          ] train-images" in run(capsys, "data", "mnist-sample")[2]


@pytest.mark.parametrize("words", [
    "", "nothing", "data", "data cifar", "models --all",
    "train", "train A_Name", "train ../x", "train x --unknown=1", "train x --epochs=0", "train x --epochs=many",
    "train x --likelihood=laplace", "train x --encoder-layers=8,x", "train x --decoder-layers=0", "train x --seed=-1",
    "train x --log-variance-floor=low", "train x --learning-rate=nan", "train x --image-shape=28",
    "train x --encoder-layers=16384,16384", "train x --epochs=1",  # of 28 x 28 pixels, and the toys are not
    "evaluate", "evaluate nothing", "evaluate a-model --samples=0", "evaluate a-model --samples=2.5",
    "evaluate a-model --images=0", "evaluate a-model --images=-5", "evaluate a-model --method=iwae",
    "evaluate a-model --samples=1000000001", "evaluate a-model --seed=-1",
    "evaluate a-model --seed=99999999999999999999",
    "sample", "sample nothing", "sample a-model --count=0", "sample a-model --count=-4", "sample a-model --count=99999",
    "sample a-model --seed=-1", "sample a-model --out=own", "sample a-model --out=own/a-model/model.safetensors/x.png",
])  # fmt: skip
def test_a_mistake_is_one_line_and_code_2(capsys, own, model, words):
    before = (own / "a-model" / "model.safetensors").read_bytes()
    refused(capsys, *words.split())
    assert (own / "a-model" / "model.safetensors").read_bytes() == before
    assert not any(path.suffix == ".part" for path in Path().rglob("*"))


def test_images_of_another_size_are_a_mistake(capsys):
    model = small_model(image_shape=(5, 5))
    save(model, Record(name="a-model", model=model.config, training=TrainConfig()))
    assert "5 x 5" in refused(capsys, "evaluate", "a-model")


def test_an_unknown_data_set_is_a_mistake(capsys, model, monkeypatch):
    monkeypatch.setattr(cli.data, "load_dataset", LOAD_DATASET)
    assert "cifar" in refused(capsys, "evaluate", "a-model", "--data=cifar")


@pytest.mark.parametrize("command", ["", "data", "train", "evaluate", "sample", "models"])
def test_help_is_there(capsys, command):
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0 and out.startswith(f"usage: python -m vae {command}".rstrip()) and "%" not in out
    if command == "train":
        assert all(flag in out for flag in ("--latent-dim", "--dataset", "--log-variance-floor", "(512,256)", "(-6.0)"))


def test_the_errors_of_the_library_are_one_family():
    errors = [getattr(vae, name) for name in vae.__all__ if name.endswith("Error")]
    assert len(errors) == 6 and all(issubclass(error, vae.VAEError) for error in errors)
