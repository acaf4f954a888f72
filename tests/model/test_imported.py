"""Models from elsewhere: estimators say of one what they say of the model whose networks it was made of."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import vae
from vae.errors import CheckpointError, ConfigError
from vae.evidence.evaluation import evaluate
from vae.evidence.gaps import refine
from vae.model import ImportedConfig, Record, assemble, capture, load, read_record, save
from vae.model.checkpoints import catalogue
from vae.model.distributions import generator
from vae.model.vae import VAE, build

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    return tmp_path


def built(**config: object) -> VAE:
    fields = {"encoder_layers": (16,), "decoder_layers": (16,), "activation": "tanh", "image_shape": (6, 6)} | config
    return build(vae.ModelConfig(**fields)).eval().requires_grad_(False)


def brought(model: VAE, **config: object) -> VAE:
    """The same model as graphs."""

    def encoded(x: Tensor) -> tuple[Tensor, Tensor]:
        q = model.encoder(x).base_dist
        return q.loc, q.log_variance

    def decoded(z: Tensor) -> tuple[Tensor, ...]:
        p = model.decoder(z).base_dist
        return (p.logits,) if model.config.likelihood == "bernoulli" else (p.loc, p.log_variance)

    given = {key: getattr(model.config, key) for key in ("latent", "likelihood", "image_shape")} | {"origin": "a test"}
    x, z = torch.rand(3, model.config.pixels), torch.randn(3, model.config.latent)
    return assemble(ImportedConfig(**given | config), capture(encoded, x), capture(decoded, z))


@pytest.fixture(scope="module")
def twin() -> VAE:
    return brought(built())


def images(model: VAE, count: int = 3) -> Tensor:
    shape = (count, *model.config.image_shape)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"likelihood": "gaussian-shared"},
        {"likelihood": "bernoulli"},
        {"latent": 1, "activation": "relu"},
        {"image_shape": (8, 8, 3), "channels": (4,), "likelihood": "bernoulli"},
    ],
)
def test_every_estimator_says_what_it_says_of_the_model_itself(config: dict) -> None:
    model = built(**config)
    twin = brought(model)
    assert twin.config.kinks or model.config.activation != "relu"
    x = model.pixels(images(model), generator(0))
    torch.testing.assert_close(twin.pixels(images(model), generator(0)), x)
    for method, given in {
        "elbo": {"samples": 10}, "naive": {"samples": 100}, "importance": {"samples": 50},
        "ais": {"steps": 5, "samples": 2}, "exact": {},
    }.items():  # fmt: skip
        ours, theirs = (evaluate(each, x, method, **given, generator=generator(1))[0].value for each in (model, twin))
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=2e-3)
    best = [list(refine(each, x, steps=5, generator=generator(2)))[-1].elbo for each in (model, twin)]
    torch.testing.assert_close(best[1], best[0], rtol=1e-5, atol=2e-3)
    codes = [vae.encode(each, images(model)).kl for each in (model, twin)]
    torch.testing.assert_close(codes[1], codes[0], rtol=1e-4, atol=1e-5)


def test_a_constant_variance_is_the_models_own() -> None:
    model, deviation = built(likelihood="bernoulli"), 0.3
    decoder = capture(lambda z: model.decoder(z).mean, torch.randn(2, 2))
    encoder = brought(model).encoder.graph
    config = ImportedConfig(likelihood="gaussian-shared", image_shape=(6, 6))
    twin = assemble(config, encoder, decoder, torch.tensor([2 * torch.tensor(deviation).log()]))
    z, x = torch.randn(4, 2), torch.rand(4, 36)
    truth = torch.distributions.Normal(model.decoder(z).mean, deviation).log_prob(x).sum(-1)
    torch.testing.assert_close(twin.decoder(z).log_prob(x), truth)


def test_grey_pixels_may_be_as_they_are(twin: VAE) -> None:
    u = images(twin)
    config = dataclasses.replace(twin.config, dequantised=False)
    twin = assemble(config, twin.encoder.graph, twin.decoder.graph)
    assert torch.equal(twin.pixels(u, generator(0)), u.flatten(1) / 255)


def test_a_file_gives_the_model_again(twin: VAE) -> None:
    save(twin, Record(name="brought", model=twin.config, images="mnist-sample"))
    again, record = load("brought"), read_record("brought")
    assert record.model == twin.config and record.training is None and record.data == "mnist-sample"
    assert not record.autoencoder and [each.name for each in catalogue()[0] if each.name == "brought"]
    z = torch.randn(5, 2)
    assert torch.equal(again.decoder(z).mean, twin.decoder(z).mean)
    assert torch.equal(again.decoded_mean(z), twin.decoder(z).mean)
    assert again.decoder(z[0]).mean.shape == (36,) and again.decoder(z[:, None]).mean.shape == (5, 1, 36)
    with pytest.raises(CheckpointError, match="its training settings"):
        save(built(), Record(name="other", model=built().config))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda says: says.pop("networks"), "must describe its encoder"),
        (lambda says: says["networks"].pop("decoder"), "must describe its decoder"),
        (lambda says: says["networks"]["decoder"]["nodes"].append(["system", [], {}]), "supported here"),
        (lambda says: says["networks"]["decoder"]["outputs"].pop(), "the decoder must return 36 and 36 numbers"),
        (lambda says: says["model"].update(latent=3), "the encoder must return 3 and 3 numbers"),
        (lambda says: says["model"].update(latent=10**9), "whole number from 1"),
        (lambda says: says["model"].update(origin="a\nb"), "one line of at most"),
        (lambda says: says["model"].update(kinks="no"), "true or false"),
    ],
)
def test_a_file_that_does_not_fit_itself_is_refused(twin: VAE, change, says: str) -> None:
    path = save(twin, Record(name="brought", model=twin.config))
    with safe_open(path, "pt") as file:
        record = json.loads(file.metadata()["vae"])
    change(record)
    save_file(load_file(path), path, {"vae": json.dumps(record)})
    with pytest.raises((CheckpointError, ConfigError), match=says):
        load("brought")


def test_what_a_file_says_of_kinks_is_not_believed(own: Path) -> None:
    twin = brought(built(activation="relu"))
    path = save(twin, Record(name="brought", model=twin.config))
    with safe_open(path, "pt") as file:
        record = json.loads(file.metadata()["vae"])
    record["model"]["kinks"] = False
    save_file(load_file(path), path, {"vae": json.dumps(record)})
    assert load("brought").config.kinks


def test_weights_that_belong_nowhere_are_refused(twin: VAE) -> None:
    twin = copy.deepcopy(twin)
    twin.register_buffer("more", torch.ones(2))
    save(twin, Record(name="brought", model=twin.config))
    with pytest.raises(CheckpointError, match="more do not"):
        load("brought")


def test_networks_that_do_not_fit_the_config_are_refused() -> None:
    encoder = capture(nn.Linear(36, 2), torch.rand(2, 36))
    decoder = capture(nn.Linear(2, 36), torch.rand(2, 2))
    with pytest.raises(CheckpointError, match="the encoder must return 2 and 2 numbers; it returns 2"):
        assemble(ImportedConfig(image_shape=(6, 6)), encoder, decoder)
