"""The command line: what it prints, what it writes, and one line for each mistake."""

import dataclasses
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
from vae import data, paths
from vae.cli import commands as cli
from vae.cli.flags import config_of
from vae.errors import ConfigError
from vae.evidence import annealing, evaluation, exact, importance
from vae.evidence import estimates as evidence
from vae.evidence.comparison import Budget, load_comparison, save_comparison
from vae.jobs import keeper
from vae.jobs import processes as jobs
from vae.jobs.keeper import Keeper
from vae.latent.codes import decode, encode
from vae.latent.tables import codes_csv
from vae.model.checkpoints import Record, load, read_record, save
from vae.model.distributions import generator
from vae.settings.config import ModelConfig, TrainConfig
from vae.training.trainer import Trainer

LOAD_DATASET = cli.data.load_dataset
TOY = toy_dataset()
TRAIN = ["--image-shape=4,4", "--encoder-layers=8", "--decoder-layers=8", "--data=mnist-sample", "--batch-size=100"]


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(keeper, "load_dataset", lambda name: TOY)
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


@pytest.mark.slow
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
    assert isinstance(json.loads(lines[2])["images"], int)
    assert "\na-model " in run(capsys, "models")[1] and run(capsys, "sample", "a-model")[0] == 0


@pytest.mark.parametrize("shape", [(4, 3), (5, 4, 3)])
def test_a_model_has_the_size_of_its_images(capsys, own, monkeypatch, shape):
    mine = toy_dataset(40, 20, shape)
    monkeypatch.setattr(keeper, "load_dataset", lambda name: mine)
    monkeypatch.setattr(cli.data, "load_dataset", lambda name, fetch=True: mine)
    facts = data.Facts("Mine", 40, 20, ("image",), shape)
    monkeypatch.setattr(cli.data, "facts", lambda name: facts)
    words = ["--encoder-layers=8", "--decoder-layers=8", "--data=mnist-sample", "--epochs=1"]
    code, out, err = run(capsys, "train", "sized", *words)
    assert code == 0, err
    assert read_record("sized").model.image_shape == shape
    assert json.loads(out.splitlines()[-1]).keys() >= {"elbo", "bits_per_dimension"}
    size = "4 x 3 pixels" if len(shape) == 2 else "5 x 4 pixels in colour"
    assert f" {size}  " in run(capsys, "models")[1] and f"images of {size}, one class" in run(capsys, "data")[1]
    assert run(capsys, "sample", "sized", "--count=6", "--out=s.png")[0] == 0
    with Image.open("s.png") as picture:
        assert picture.size == (3 * shape[1], 2 * shape[0]) and picture.mode == ("L" if len(shape) == 2 else "RGB")


def test_the_flags_of_train_are_the_fields_of_the_configs():
    chosen = cli._parser().parse_args(["train", "a-model"])
    assert config_of(ModelConfig, chosen) == ModelConfig() and config_of(TrainConfig, chosen) == TrainConfig()
    words = ["--dataset", "fashion-mnist", "--latent-dim", "5", "--likelihood", "bernoulli", "--epochs=3", "--seed=9"]
    chosen = cli._parser().parse_args(["train", "a-model", *words, "--log-variance-floor", "none", "--decoder-layers="])
    assert config_of(TrainConfig, chosen) == TrainConfig(data="fashion-mnist", epochs=3, seed=9)
    expected = ModelConfig(latent=5, likelihood="bernoulli", log_variance_floor=None, decoder_layers=())
    assert config_of(ModelConfig, chosen) == expected


def test_a_preset_is_changed_by_what_is_given(capsys, own):
    small = ["--preset=beta-10d", *TRAIN[:3], "--data=mnist-sample", "--epochs=1", "--beta=1"]
    assert run(capsys, "train", "a-model", *small)[0] == 0
    record = read_record("a-model")
    assert (record.model.latent, record.model.encoder_layers) == (10, (8,))
    assert (record.training.beta, record.training.beta_warmup, record.training.epochs) == (1, 2, 1)


def test_an_estimate_trains_nothing(capsys, own):
    code, out, _ = run(capsys, "train", "a-model", *TRAIN, "--estimate")
    assert code == 0 and list(json.loads(out)) == ["estimated_seconds"] and json.loads(out)["estimated_seconds"] > 0
    assert not own.exists()
    code, _, err = run(capsys, "train", "a-model", "--resume", "--estimate")
    assert code == 2 and "--resume without other settings" in err


def test_train_resumes_what_was_interrupted(capsys, monkeypatch):
    heed = Keeper._heed

    def interrupted(self):  # between two steps; what comes in the middle of one takes it again from the last state
        if self.trainer.step == 7:
            signal.raise_signal(signal.SIGTERM)
        return heed(self)

    monkeypatch.setattr(Keeper, "_heed", interrupted)
    assert run(capsys, "train", "a-model", *TRAIN, "--epochs=4")[0] == 130
    assert "without other settings" in refused(capsys, "train", "a-model", "--resume", "--epochs=5")
    monkeypatch.setattr(Keeper, "_heed", heed)
    code, out, err = run(capsys, "train", "a-model", "--resume")
    assert (
        code == 0 and err == "" and [line[:13] for line in out.splitlines()[:2]] == ["epoch   3.00/", "epoch   4.00/"]
    )
    assert run(capsys, "train", "b-model", *TRAIN, "--epochs=4")[0] == 0
    for key, weight in load("a-model").state_dict().items():
        assert torch.equal(weight, load("b-model").state_dict()[key])


def test_train_replaces_a_model_only_when_told(capsys, model):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.data, "load_dataset", lambda name: pytest.fail("it is refused before anything is loaded"))
        said = refused(capsys, "train", "a-model", *TRAIN)
    assert "'a-model' is taken. Choose another, or replace that model (--overwrite)." in said
    assert run(capsys, "train", "a-model", *TRAIN, "--epochs=1", "--overwrite", "--half")[0] == 0
    weights = load("a-model").parameters()
    assert all(torch.equal(weight, weight.half().float()) for weight in weights)


def test_an_interrupted_training_keeps_its_model(capsys, monkeypatch):
    advance = Trainer.advance

    def interrupted(self):
        if self.step == 3:
            signal.raise_signal(signal.SIGTERM)
        return advance(self)

    monkeypatch.setattr(Trainer, "advance", interrupted)
    code, _, err = run(capsys, "train", "a-model", *TRAIN)
    assert code == 130 and err == "stopped\n"
    assert read_record("a-model").epochs_done == 1 and jobs.status("a-model") == jobs.Job("a-model", "stopped")


ESTIMATORS = {
    "elbo": lambda model, x, noise: evidence.elbo(model, x, 40, noise),
    "naive": lambda model, x, noise: evidence.naive_monte_carlo(model, x, 40, noise),
    "importance": lambda model, x, noise: importance.importance_sampling(model, x, 40, noise),
    "ais": lambda model, x, noise: annealing.annealed_importance_sampling(
        model, x, chains=40, steps=7, start="encoder", generator=noise
    ),
    "exact": lambda model, x, noise: exact.exact(model, x),
}


def estimate(model, method, seed=6, images=10):
    noise = generator(seed)
    return ESTIMATORS[method](model, model.pixels(TOY.test.images[:images], noise), noise)


def asked(method, *more, images=10):
    options = [] if method == "exact" else ["--samples=40"]
    options += ["--steps=7"] if method == "ais" else []
    return ("evaluate", "a-model", "--method", method, *options, f"--images={images}", "--seed=6", *more)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_evaluate_says_what_the_library_says(capsys, model, method):
    code, out, err = run(capsys, *asked(method, "--json"))
    assert code == 0 and err == ""
    says = json.loads(out)
    expected = estimate(model, method)
    values, errors = expected.value.numpy(), expected.standard_error.numpy()
    assert says.pop("seconds") >= 0
    also = {"steps": 7} if method == "ais" else {}
    if expected.ess is not None:
        # of an even number of images torch takes the lower of the two in the middle
        also["ess"] = pytest.approx(np.sort(expected.ess)[4])
    if expected.k_hat is not None:
        also |= {
            "k_hat": pytest.approx(expected.k_hat.max().item()),
            "k_hat_above_0.7": pytest.approx((expected.k_hat > 0.7).double().mean().item()),
            "k_hat_unknown": 0,
        }
    if expected.error_bound is not None:
        also |= {"error_bound_nats": pytest.approx(expected.error_bound.max().item()), "not_converged": 0}
        also["edge_mass"] = pytest.approx(expected.edge.max().item())
    assert says == {
        "model": "a-model",
        "dataset": "mnist-sample",
        "split": "test",
        "images": 10,
        "method": method,
        "samples": None if method == "exact" else 40,
        "replicates": 1,
        "mean_nats": pytest.approx(values.mean()),
        "standard_error_nats": pytest.approx(values.std(ddof=1) / math.sqrt(10)),
        "monte_carlo_error_nats": pytest.approx(
            errors.mean() if method == "naive" else math.sqrt((errors**2).sum()) / 10  # all images share naive's draws
        ),
        "log_variance_floor": -6.0,
        **also,
    }
    plain = run(capsys, *asked(method))[1]
    figures = f"{values.mean():.3f} ± {values.std(ddof=1) / math.sqrt(10):.3f} nats per image"
    assert plain.startswith(f"{figures}, {method}, 10 images, gaussian, floor -6") and plain.count("\n") == 1
    assert ("unreliable" in plain) == bool(also.get("k_hat_above_0.7", 0) != 0)


@pytest.mark.parametrize("method", ["elbo", "naive", "importance", "ais"])
def test_replicates_are_other_draws_and_their_mean_is_said(capsys, model, method):
    says = json.loads(run(capsys, *asked(method, "--json", "--replicates=3"))[1])
    noise = generator(6)
    x = model.pixels(TOY.test.images[:10], noise)
    runs = [ESTIMATORS[method](model, x, noise) for _ in range(3)]
    values = np.stack([r.value for r in runs])
    assert len(set(values[:, 0])) == 3 and says["replicates"] == 3
    assert says["mean_nats"] == pytest.approx(values.mean())
    assert says["standard_error_nats"] == pytest.approx(values.mean(0).std(ddof=1) / math.sqrt(10))
    assert says["monte_carlo_error_nats"] == pytest.approx(values.mean(1).std(ddof=1) / math.sqrt(3))
    if runs[0].ess is not None:
        assert says["ess"] == pytest.approx(np.sort(np.mean([r.ess for r in runs], 0))[4])


def test_images_that_did_not_converge_are_counted_and_left_out(capsys, model, monkeypatch):
    found = estimate(model, "exact")
    found.value[2:4], found.error_bound[2:4] = math.nan, math.inf
    monkeypatch.setattr("vae.evidence.evaluation.exact", lambda model, x, progress: found)
    says = json.loads(run(capsys, *asked("exact", "--json"))[1])
    good = found.value[found.value.isfinite()].numpy()
    assert (says["images"], says["not_converged"]) == (10, 2) and says["error_bound_nats"] < 0.01
    assert says["mean_nats"] == pytest.approx(good.mean())
    assert says["standard_error_nats"] == pytest.approx(good.std(ddof=1) / math.sqrt(8))
    assert run(capsys, *asked("exact"))[1].endswith(", 2 not converged and left out\n")
    found.value[:] = math.nan
    says = json.loads(run(capsys, *asked("exact", "--json"))[1])
    assert says["not_converged"] == 10
    assert all(says[key] is None for key in ("mean_nats", "standard_error_nats", "error_bound_nats"))
    assert run(capsys, *asked("exact"))[1].startswith("no finite value, exact, 10 images")


@pytest.mark.parametrize("method", ESTIMATORS)
def test_evaluate_shows_its_progress_on_a_terminal_only(capsys, model, monkeypatch, method):
    assert run(capsys, *asked(method))[2] == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    err = run(capsys, *asked(method))[2]
    assert f"[####################] 100% {method}, 10 images" in err and err.endswith(" \r")


@pytest.mark.parametrize("images", [1, 4])
@pytest.mark.parametrize("method", ESTIMATORS)
def test_json_is_json_at_the_least_of_work(capsys, model, method, images):
    def no_constant(name):
        raise ValueError(name)  # Infinity and NaN are not JSON

    least = {"exact": [], "ais": ["--samples=1", "--steps=1"]}.get(method, ["--samples=1"])
    words = ("evaluate", "a-model", "--method", method, *least, f"--images={images}", "--json")
    says = json.loads(run(capsys, *words)[1], parse_constant=no_constant)
    assert says["monte_carlo_error_nats"] == (0 if method == "exact" else None) and math.isfinite(says["mean_nats"])
    assert (says["standard_error_nats"] is None) == (images == 1)


def test_the_jackknife_is_that_of_the_library(capsys, model):
    says = json.loads(run(capsys, *asked("importance", "--jackknife", "--json"))[1])
    noise = generator(6)
    x = model.pixels(TOY.test.images[:10], noise)
    truth = importance.importance_sampling(model, x, 40, noise, jackknife=True).value
    assert says["mean_nats"] == pytest.approx(truth.mean().item()) and says["jackknife"] is True


@pytest.mark.slow
def test_the_sandwich_holds_the_exact_value_between_its_halves(capsys, model):
    says = json.loads(run(capsys, *asked("ais", "--sandwich", "--json"))[1])
    truth = estimate(model, "exact").value.mean().item()  # of the same pixels: they are drawn first
    told: list[float] = []
    evaluation.sandwich(model, model.pixels(TOY.test.images[:3], generator(0)), chains=2, steps=3, progress=told.append)
    assert np.diff(told).min() > -1e-9 and told[-1] == 1 and any(1 / 3 < share < 2 / 3 for share in told)  # grids too
    noise = math.hypot(says["monte_carlo_error_nats"], says["upper_monte_carlo_error_nats"])
    assert says["mean_nats"] < truth + 4 * noise and says["upper_mean_nats"] > truth - 4 * noise
    assert says["upper_mean_nats"] - says["mean_nats"] < 0.5 and says["split"] == "test"
    assert f", and at most {says['upper_mean_nats']:.3f}, ais" in run(capsys, *asked("ais", "--sandwich"))[1]


def test_the_sandwich_of_a_larger_model_is_about_simulated_images(capsys):
    model = save_small(latent=3)
    words = ("evaluate", "a-model", "--method=ais", "--sandwich", "--samples=8", "--steps=20", "--images=64", "--json")
    says = json.loads(run(capsys, *words)[1])
    assert says["split"] == "simulated" and says["images"] == 64
    low, high = says["mean_nats"], says["upper_mean_nats"]
    assert -0.2 < high - low < 0.5  # one draw an image from above: its noise is some hundredths of a nat
    noise = generator(0)
    z, x = annealing.simulate(model, 64, noise)
    with pytest.raises(ConfigError, match="this model has J = 3"):
        evaluation.sandwich(model, x)
    assert evaluation.sandwich(model, x, z[None], chains=8, steps=20, generator=noise)[0].value.mean() == low


def save_small(**changes):
    model = small_model(**changes)
    save(model, Record(name="a-model", model=model.config, training=TrainConfig(data="mnist-sample")))
    return model


def test_exact_names_what_to_take_instead(capsys):
    save_small(latent=3)
    assert "J = 3. Use importance sampling or AIS." in refused(capsys, "evaluate", "a-model", "--method=exact")


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_an_autoencoder_has_no_evidence(capsys, command):
    model = small_model()
    training = TrainConfig(data="mnist-sample", objective="autoencoder")
    save(model, Record(name="a-model", model=model.config, training=training))
    assert "plain autoencoder" in refused(capsys, command, "a-model")


@pytest.fixture
def quick(monkeypatch):
    small = Budget(elbo=5, importance=(4, 30), naive=(10, 50), chains=2, steps=4)
    monkeypatch.setattr("vae.evidence.comparison.Budget", lambda: small)
    return small


@pytest.mark.slow
def test_compare_keeps_what_it_finds_and_does_not_work_twice(capsys, own, model, quick, monkeypatch):
    code, out, err = run(capsys, "compare", "a-model", "--images=6", "--seed=2")
    assert code == 0 and err == "" and out.startswith("a-model, gaussian, floor -6\n\n| method |")
    assert all(f"\n| {method} |" in out for method in quick.methods) and "\n\n6 images; " in out
    path = own / "a-model" / "evidence-mnist-sample.npz"
    written, kept = path.stat().st_mtime_ns, load_comparison(path)
    assert list(kept.estimates) == list(quick.methods)
    assert {key: kept.settings[key] for key in ("data", "images", "seed")} == {
        "data": "mnist-sample", "images": 6, "seed": 2
    }  # fmt: skip
    assert run(capsys, "compare", "a-model", "--images=6", "--seed=2") == (0, out, "")
    assert path.stat().st_mtime_ns == written
    assert "\na-model " in run(capsys, "models")[1]  # the file in its folder disturbs nothing
    # a file that lacks a method gets it, the others as they were
    partial = {name: estimate for name, estimate in kept.estimates.items() if name != "ais"}
    save_comparison(path, dataclasses.replace(kept, estimates=partial))
    assert run(capsys, "compare", "a-model", "--images=6", "--seed=2")[0] == 0
    again = load_comparison(path)
    assert list(again.estimates) == list(quick.methods)
    assert all(torch.equal(again.estimates[name].value, kept.estimates[name].value) for name in ("ais", "elbo"))
    # other weights under the same name, or a file that is damaged: made anew
    save(small_model(1), Record(name="a-model", model=model.config, training=TrainConfig()), overwrite=True)
    assert run(capsys, "compare", "a-model", "--images=6", "--seed=2")[0] == 0
    assert load_comparison(path).settings["model"] != kept.settings["model"]
    path.write_bytes(b"damaged")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    code, _, err = run(capsys, "compare", "a-model", "--images=6")
    assert code == 0 and load_comparison(path).settings["seed"] == 0
    assert all(f"% {method}, 6 images" in err for method in ("elbo", "naive", "importance", "exact", "ais"))


def test_an_interrupted_comparison_goes_on_where_it_was(capsys, own, model, quick, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vae.evidence.comparison.annealed_importance_sampling", stop)
        assert run(capsys, "compare", "a-model", "--images=4") == (130, "", "stopped\n")
    path = own / "a-model" / "evidence-mnist-sample.npz"
    assert not path.exists()
    before = load_comparison(path.with_suffix(".part.npz"))
    assert set(quick.methods) - set(before.estimates) == {"ais"}
    with monkeypatch.context() as patch:
        patch.setattr("vae.evidence.comparison.exact", stop)  # it is not asked again
        assert run(capsys, "compare", "a-model", "--images=4")[0] == 0
    after = load_comparison(path)
    assert not path.with_suffix(".part.npz").exists()
    assert list(after.estimates) == list(quick.methods)
    assert torch.equal(before.estimates["naive_50"].value, after.estimates["naive_50"].value)


@pytest.mark.parametrize(("count", "size"), [(1, (4, 4)), (4, (8, 8)), (5, (12, 8)), (9, (12, 12)), (10, (16, 12))])
def test_sample_writes_a_picture_of_all_draws(capsys, model, count, size):
    out = "deep/down/draws.png"
    assert run(capsys, "sample", "a-model", "--count", str(count), "--output", out)[:2] == (0, f"{out}\n")
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


def test_codes_are_those_of_the_library_with_their_labels(capsys, own, model):
    codes, test = encode(model, TOY.test.images), TOY.test
    labels = [TOY.classes[label] for label in test.labels] if test.labelled else None
    assert run(capsys, "codes", "a-model")[:2] == (0, "a-model-codes.csv\n")
    assert Path("a-model-codes.csv").read_bytes() == codes_csv(codes, labels)
    record = Record(
        name="plain", model=model.config, training=TrainConfig(data="mnist-sample", objective="autoencoder")
    )
    save(model, record)
    assert run(capsys, "codes", "plain", "--output=deep/codes.csv")[:2] == (0, "deep/codes.csv\n")
    assert Path("deep/codes.csv").read_bytes() == codes_csv(codes, labels, plain=True)


def test_models_are_listed_and_damaged_files_are_said(capsys, own, model):
    code, out, err = run(capsys, "models")
    head, line = out.splitlines()
    assert code == 0 and err == "" and " ".join(line.split()) == "a-model 2 4 x 4 pixels gaussian, floor -6 5.00 1.00"
    for title, entry in (("model", "a-model"), ("images", "4 x 4"), ("likelihood", "gaussian")):
        assert head.index(title) == line.index(entry)
    for title, entry in ((" J", " 2"), ("ELBO, nats", "5.00"), ("KL, nats", "1.00")):
        assert head.index(title) + len(title) == line.index(entry) + len(entry)
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
    assert run(capsys, "models")[1].splitlines()[1].startswith("a-model ")


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


def test_a_download_is_announced_with_the_way_to_avoid_it(capsys, monkeypatch, model):
    monkeypatch.setattr(cli.data, "available", lambda name: False)
    monkeypatch.setattr(cli.data, "fetch", lambda name, progress: None)
    _code, out, err = run(capsys, "evaluate", "a-model", "--data=mnist", "--images=2")
    assert "nats per image" in out
    assert err == (
        "Fetching mnist, up to 12 MB; to use the sample of MNIST that ships instead, give --data mnist-sample.\n"
    )
    assert run(capsys, "data", "kmnist")[2] == "Fetching kmnist, up to 21 MB.\n"  # which was asked for
    assert "Fetching" not in run(capsys, "evaluate", "a-model", "--images=2")[2]  # on the sample


@pytest.mark.parametrize("words", [
    "nothing", "data cifar", "data import", "data remove", "models --all",
    "train", "train A_Name", "train ../x", "train x --unknown=1", "train x --epochs=0", "train x --epochs=many",
    "train x --likelihood=laplace", "train x --encoder-layers=8,x", "train x --decoder-layers=0", "train x --seed=-1",
    "train x --log-variance-floor=low", "train x --learning-rate=nan", "train x --image-shape=28",
    "train x --beta=-1", "train x --schedule=linear", "train x --resume", "train x --resume --epochs=3",
    "train a-model --resume",
    "train x --encoder-layers=16384,16384", "train x --epochs=1 --image-shape=28,28",  # which the toys are not
    "train x --image-shape=4,4,4", "train x --image-shape=65,4,3", "train x --image-shape=4,129",
    "evaluate", "evaluate nothing", "evaluate a-model --samples=0", "evaluate a-model --samples=2.5",
    "evaluate a-model --images=0", "evaluate a-model --images=-5", "evaluate a-model --method=iwae",
    "evaluate a-model --method=importance --samples=0", "evaluate a-model --method=importance --samples=-3",
    "evaluate a-model --method=importance --samples=9999999999", "evaluate a-model --method=ais --samples=0",
    "evaluate a-model --method=ais --samples=100000000", "evaluate a-model --method=ais --steps=0",
    "evaluate a-model --method=ais --steps=-1", "evaluate a-model --method=ais --steps=1000000000",
    "evaluate a-model --method=naive --steps=10", "evaluate a-model --method=exact --samples=10",
    "evaluate a-model --method=elbo --jackknife", "evaluate a-model --method=exact --sandwich",
    "evaluate a-model --method=ais --sandwich --replicates=2", "evaluate a-model --method=ais --sandwich --samples=0",
    "evaluate a-model --method=importance --jackknife --samples=1",
    "evaluate a-model --method=exact --replicates=2", "evaluate a-model --replicates=0",
    "evaluate a-model --replicates=-1", "evaluate a-model --replicates=100000",
    "compare", "compare nothing", "compare a-model --images=0", "compare a-model --seed=-1",
    "evaluate a-model --samples=1000000001", "evaluate a-model --seed=-1",
    "evaluate a-model --seed=99999999999999999999",
    "codes", "codes nothing", "codes a-model --output=own", "codes --data=mnist-sample",
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


@pytest.mark.parametrize("command", ["", "data", "train", "evaluate", "compare", "sample", "models"])
def test_help_is_there(capsys, command):
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0 and out.startswith(f"usage: vae {command}".rstrip()) and "%" not in out
    if command == "train":
        assert all(flag in out for flag in ("--latent-dim", "--dataset", "--log-variance-floor", "512,256)", "-6.0)"))


def test_the_errors_of_the_library_are_one_family():
    errors = [getattr(vae, name) for name in vae.__all__ if name.endswith("Error")]
    assert len(errors) == 6 and all(issubclass(error, vae.VAEError) for error in errors)
