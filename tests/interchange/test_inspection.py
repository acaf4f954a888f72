"""`inspect`: networks written in the usual ways become models whose numbers are those of their own framework."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn import functional

import vae
from tests.toys import toy_dataset
from vae.data import imports
from vae.errors import CheckpointError, DataError, VAEError
from vae.evidence import elbo
from vae.interchange import Pixels, inspect

pytestmark = pytest.mark.slow

IMAGES = toy_dataset(train=300, test=10).train.images  # (N, 4, 4)
X = IMAGES.flatten(1).float() / 255


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))


class Net(nn.Module):
    """Named and wired as PyTorch's own example of a VAE."""

    def __init__(self, latent: int = 2) -> None:
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(16, 12), nn.Linear(12, latent), nn.Linear(12, latent)
        self.fc3, self.fc4 = nn.Linear(latent, 12), nn.Linear(12, 16)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = functional.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(functional.relu(self.fc3(z))))

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        """The example's loss an image, for z = mu + sigma noise."""
        mean, log_variance = self.encode(x)
        decoded = self.decode(mean + noise * (0.5 * log_variance).exp())
        cross = functional.binary_cross_entropy(decoded, x, reduction="none").sum(1)
        return cross - 0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    net = Net()
    with torch.no_grad():
        net.fc22.bias.sub_(1)
    return net


def test_the_numbers_are_those_of_the_network_itself(net: Net, capsys: pytest.CaptureFixture[str]) -> None:
    record = inspect(net.encode, net.decode, IMAGES, likelihood="bernoulli", name="mine")
    says = capsys.readouterr().out
    assert "takes images as (N, 16)" in says and "a mean and a log variance" in says and "returns probabilities" in says
    assert "vae app --model mine" in says and record.training is None and record.data == "mine"
    model, dataset = vae.load("mine"), vae.load_dataset("mine")
    assert len(dataset.train) == 270 and len(dataset.test) == 30 and not dataset.labelled
    x = (X > 0.5).float()[:9]
    with torch.no_grad():
        mean, log_variance = net.encode(x)
        q = model.encoder(x)
        torch.testing.assert_close(q.mean, mean, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(q.stddev, (0.5 * log_variance).exp(), rtol=1e-5, atol=1e-5)
        z = torch.randn(9, 2)
        torch.testing.assert_close(model.decoder(z).mean, net.decode(z), rtol=1e-5, atol=1e-5)
        # the loss of the framework, over enough draws that both means are known to 1e-3 nats
        ours = elbo(model, x, 200_000, vae.generator(0))
        theirs = -torch.stack([net.loss(x, torch.randn(9, 2)) for _ in range(20_000)]).double().mean(0)
    assert ours.standard_error.max() < 2e-3
    torch.testing.assert_close(ours.value, theirs, rtol=0, atol=0.02)


def given(net: Net, how: str) -> Callable[[Tensor], object]:
    mean_of = {
        "log variance": lambda x: net.encode(x),
        "standard deviation": lambda x: (net.encode(x)[0], (0.5 * net.encode(x)[1]).exp()),
        "distribution": lambda x: Independent(Normal(net.encode(x)[0], (0.5 * net.encode(x)[1]).exp()), 1),
        "channels first": lambda x: net.encode(x.view(x.size(0), 1, 4, 4).flatten(1)),
        "rows": lambda x: net.encode(torch.cat([x[:, i] for i in range(4)], 1)) if x.ndim == 3 else x.no,
        "dictionary": lambda x: dict(zip(("mu", "logvar"), net.encode(x), strict=True)),
    }
    return mean_of[how]


@pytest.mark.parametrize(
    "how", ["log variance", "standard deviation", "distribution", "channels first", "rows", "dictionary"]
)
def test_an_encoder_is_taken_in_every_usual_form(net: Net, how: str) -> None:
    inspect(given(net, how), net.decode, IMAGES, likelihood="bernoulli", name="mine")
    with torch.no_grad():
        torch.testing.assert_close(vae.load("mine").encoder(X).mean, net.encode(X)[0])
        spread = (0.5 * net.encode(X)[1]).exp()
        torch.testing.assert_close(vae.load("mine").encoder(X).stddev, spread, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", ["probabilities", "logits", "distribution"])
def test_a_bernoulli_decoder_is_taken_in_every_usual_form(net: Net, how: str) -> None:
    decoders = {
        "probabilities": net.decode,
        "logits": lambda z: net.decode(z).logit(),
        "distribution": lambda z: torch.distributions.Bernoulli(net.decode(z)),
    }
    inspect(net.encode, decoders[how], IMAGES, likelihood="bernoulli", name="mine")
    z = torch.randn(5, 2)
    with torch.no_grad():
        torch.testing.assert_close(vae.load("mine").decoder(z).mean, net.decode(z), rtol=1e-4, atol=1e-5)


def test_a_decoder_of_means_gets_the_sigma_that_is_best(net: Net, capsys: pytest.CaptureFixture[str]) -> None:
    inspect(net.encode, net.decode, IMAGES, likelihood="gaussian", name="mine")
    model, dataset = vae.load("mine"), vae.load_dataset("mine")
    sigma = float(model.decoder(torch.zeros(1, 2)).stddev[0, 0])
    assert f"sigma of p(x|z) is {sigma:.4f}, the best for the images" in capsys.readouterr().out
    # by brute force: no other sigma has a higher ELBO on the images that it was fitted to
    x, noise = model.pixels(dataset.train.images, vae.generator(5)), vae.generator(6)
    residual = (
        x
        - model.decoder(model.encoder(x).mean + model.encoder(x).stddev * torch.randn(len(x), 2, generator=noise)).mean
    )
    best = residual.double().square().mean().sqrt()
    assert sigma == pytest.approx(float(best), rel=0.02)


def test_a_sigma_that_is_given_is_taken(net: Net) -> None:
    inspect(net.encode, net.decode, IMAGES, likelihood="gaussian", sigma=0.25, name="mine")
    z, x = torch.randn(4, 2), torch.rand(4, 16)
    with torch.no_grad():
        truth = Normal(net.decode(z), 0.25).log_prob(x).sum(1)
        torch.testing.assert_close(vae.load("mine").decoder(z).log_prob(x), truth)


def test_pixels_in_another_scale_give_densities_in_ours(net: Net) -> None:
    """A network of pixels in [-1, 1] with mean and log variance, whose density is turned back to pixels in [0, 1]."""

    def decode(z: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * net.decode(z) - 1, torch.full((z.shape[0], 16), -2.0)

    inspect(
        lambda x: net.encode(0.5 * x + 0.5), decode, IMAGES, likelihood="gaussian", pixels=Pixels(0.5, 0.5), name="mine"
    )
    model, z, x = vae.load("mine"), torch.randn(4, 2), torch.rand(4, 16)
    with torch.no_grad():
        torch.testing.assert_close(model.encoder(x).mean, net.encode(x)[0])
        theirs = Normal(2 * net.decode(z) - 1, math.exp(-1)).log_prob(2 * x - 1).sum(1)
        torch.testing.assert_close(model.decoder(z).log_prob(x), theirs + 16 * math.log(2), rtol=1e-5, atol=1e-4)


def test_images_and_labels_come_in_every_usual_form(net: Net) -> None:
    forms = {"uint8": IMAGES, "floats": X.reshape(-1, 1, 4, 4), "numpy": IMAGES[..., None].numpy()}
    for form, images in forms.items():
        labels = np.arange(len(IMAGES)) % 3
        inspect(
            net.encode,
            net.decode,
            images,
            labels,
            likelihood="bernoulli",
            name="mine",
            classes=("a", "b", "c"),
            overwrite=True,
        )
        found = vae.load_dataset("mine")
        assert found.classes == ("a", "b", "c") and found.labelled, form
        everything = torch.cat([found.train.images, found.test.images]).flatten(1)
        assert sorted(everything.tolist()) == sorted(IMAGES.flatten(1).tolist()), form


@pytest.mark.parametrize("kind", [np.float32, np.uint8, bool])
def test_labels_with_names_may_be_whole_numbers_of_any_type(net: Net, kind: type) -> None:
    labels = (np.arange(len(IMAGES)) % 2).astype(kind)
    inspect(net.encode, net.decode, IMAGES, labels, likelihood="bernoulli", name="mine", classes=("even", "odd"))
    found = vae.load_dataset("mine")
    assert found.classes == ("even", "odd")
    row = {tuple(image): n for n, image in enumerate(IMAGES.flatten(1).tolist())}
    rows = [row[tuple(image)] for image in found.train.images.flatten(1).tolist()]
    assert found.train.labels.tolist() == [n % 2 for n in rows]


def test_a_network_in_training_is_left_as_it_was() -> None:
    net = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 4)).train()
    decoder = nn.Sequential(nn.Linear(2, 16), nn.Sigmoid())
    inspect(lambda x: net.eval()(x).chunk(2, 1), decoder, IMAGES, likelihood="bernoulli", name="mine")

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def encode(self, x: Tensor) -> tuple[Tensor, ...]:
            return self.net(x).chunk(2, 1)

    both = Both().train()
    inspect(both.encode, decoder, IMAGES, likelihood="bernoulli", name="other")
    assert both.training and net[2].training
    with torch.no_grad():
        torch.testing.assert_close(vae.load("other").encoder(X).mean, net.eval()(X).chunk(2, 1)[0])


def test_colour_is_taken_channels_first() -> None:
    images = torch.randint(0, 256, (40, 6, 5, 3), dtype=torch.uint8)
    encoder = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(24, 4))
    decoder = nn.Sequential(nn.Linear(2, 90), nn.Unflatten(1, (3, 6, 5)), nn.Sigmoid())
    inspect(lambda x: encoder(x).chunk(2, 1), decoder, images, likelihood="bernoulli", name="mine")
    model, z = vae.load("mine"), torch.randn(3, 2)
    assert model.config.image_shape == (6, 5, 3)
    with torch.no_grad():
        assert torch.allclose(model.decoder(z).mean.reshape(-1, 6, 5, 3), decoder(z).permute(0, 2, 3, 1), atol=1e-6)
        x = model.pixels(images, vae.generator(0))
        torch.testing.assert_close(
            model.encoder(x).mean,
            encoder(x.reshape(-1, 6, 5, 3).permute(0, 3, 1, 2)).chunk(2, 1)[0],
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "No Name"}, "lower-case"),
        ({"likelihood": "poisson"}, "one of bernoulli, gaussian"),
        ({"sigma": 0.1}, "returns only the mean"),
        ({"likelihood": "gaussian", "sigma": 0.0}, "from 0.0001 to 10"),
        ({"pixels": Pixels(0.5, 0.0)}, "standard deviation above 0"),
        ({"images": X.reshape(-1, 4, 4) + 1}, "in [0, 1]"),
        ({"images": IMAGES[0]}, "must be (N, H, W)"),
        ({"images": X.reshape(-1, 4, 4) * torch.nan}, "in [0, 1]"),
        ({"images": "no-such-set"}, "data must be one of mnist"),
        ({"labels": [1, 2]}, "one label per image"),
        (
            {"labels": np.arange(300) % 3, "classes": ("a",)},
            "from 0 to 0, one for each name in classes; these range from 0 to 2",
        ),
        ({"labels": np.arange(300) % 3 - 1, "classes": ("a", "b", "c")}, "these range from -1 to 1. Name all"),
        ({"labels": np.arange(300) % 3 / 2, "classes": ("a", "b", "c")}, "some of these are not (float64)"),
        ({"labels": np.full(300, np.nan), "classes": ("a", "b")}, "some of these are not (float64)"),
        ({"labels": np.array(["a"] * 300), "classes": ("a", "b")}, "some of these are not (<U1)"),
        ({"labels": np.arange(300) / 2}, "Labels must be whole numbers or words"),
        ({"encoder": lambda x: x @ torch.ones(99, 2)}, "in any of the usual forms"),
        ({"encoder": lambda x: (x[:, :2], x[:, :2], x[:, 2:4])}, "it returns 3 values"),
        ({"encoder": lambda x: x}, "must return the mean and the log variance"),
        ({"decoder": lambda z: z @ torch.ones(99, 2)}, "must accept z of 2 dimensions"),
        ({"decoder": lambda z: torch.sigmoid(z)}, "the decoder must return 16 numbers"),
        ({"encoder": lambda x: (x[:, :2] * 1000, x[:, 2:4])}, "No learned posterior is so far"),
        ({"encoder": lambda x: (x[:, :2] + torch.randn_like(x[:, :2]), x[:, 2:4] - 1)}, "draws random numbers"),
        ({"decoder_gives": "logits", "likelihood": "gaussian"}, "is not possible with"),
        ({"encoder": lambda x: torch.distributions.Laplace(x, 1)}, "must be a diagonal Gaussian"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(net: Net, change: dict, says: str) -> None:
    given = {"encoder": net.encode, "decoder": net.decode, "images": IMAGES, "likelihood": "bernoulli", "name": "mine"}
    with pytest.raises(VAEError) as error:
        inspect(**given | change)
    assert says in str(error.value)
    assert "mine" not in vae.data.names() and not [each for each in vae.catalogue()[0] if each.name == "mine"]


def test_a_name_that_is_taken_stays_unless_told(net: Net) -> None:
    inspect(net.encode, net.decode, IMAGES, likelihood="bernoulli", name="mine")
    with pytest.raises(VAEError, match="is taken"):
        inspect(net.encode, net.decode, IMAGES, likelihood="bernoulli", name="mine")
    inspect(net.encode, net.decode, IMAGES[:100], likelihood="bernoulli", name="mine", overwrite=True)
    assert len(vae.load_dataset("mine").train) == 90


SHOWN = {"images": IMAGES[:100], "likelihood": "bernoulli", "name": "mine", "overwrite": True}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("fails", ["labels", "scores", "model"])
def test_what_there_was_stays_where_replacing_it_fails(
    net: Net, fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect(net.encode, net.decode, IMAGES, likelihood="bernoulli", name="mine")
    before = everything(tmp_path)

    def refused(*_: object, **__: object) -> None:
        raise CheckpointError("The disk is full.")

    labels = np.full(100, 0.5) if fails == "labels" else np.arange(100) % 3
    if fails == "scores":
        monkeypatch.setattr("vae.interchange.inspection.scored", refused)
    if fails == "model":
        monkeypatch.setattr("vae.interchange.inspection.save", refused)
    with pytest.raises(VAEError):
        inspect(net.encode, net.decode, labels=labels, **SHOWN)
    assert everything(tmp_path) == before
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["mine"]


def test_a_new_data_set_goes_where_its_model_cannot_be_saved(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        assert "mine" in vae.data.names()
        raise KeyboardInterrupt

    monkeypatch.setattr("vae.interchange.inspection.save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        inspect(net.encode, net.decode, **SHOWN)
    assert not list((tmp_path / "data").iterdir())


def test_a_data_set_that_was_imported_is_never_replaced(net: Net, tmp_path: Path) -> None:
    np.save(tmp_path / "theirs.npy", IMAGES.numpy())
    imports.keep(imports.open_source(tmp_path / "theirs.npy"), "mine")
    before = everything(tmp_path)
    with pytest.raises(DataError, match=r"Only a data set created by vae\.inspect can be replaced; 'mine' is not one"):
        inspect(net.encode, net.decode, **SHOWN)
    assert everything(tmp_path) == before
    with pytest.raises(DataError, match=r"one called 'mine'\. Choose another name"):
        inspect(net.encode, net.decode, **SHOWN | {"overwrite": False})
    inspect(net.encode, net.decode, **SHOWN | {"images": "mine"})
    assert vae.read_record("mine").data == "mine" and len(vae.load_dataset("mine").train) == 270


def test_that_grey_pixels_are_drawn_as_binary_is_said(net: Net, capsys: pytest.CaptureFixture[str]) -> None:
    says = "each pixel is set to 1 with probability u / 255"
    given = {"likelihood": "bernoulli", "name": "mine", "overwrite": True}
    inspect(net.encode, net.decode, IMAGES, **given)
    assert says in capsys.readouterr().out
    images = torch.full((400, 4, 4), 51, dtype=torch.uint8)  # and that it is so: 51 / 255 = 0.2
    x = vae.load("mine").pixels(images, vae.generator(0))
    assert set(x.unique().tolist()) == {0, 1} and x.mean().item() == pytest.approx(0.2, abs=0.02)
    inspect(net.encode, net.decode, (IMAGES > 127).to(torch.uint8) * 255, **given)
    assert says not in capsys.readouterr().out
    inspect(net.encode, net.decode, IMAGES, **given | {"likelihood": "gaussian"})
    assert says not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mean", "kl", "collapsed"), [(0.0, "0", True), (0.3, "0.09", True), (0.33, "0.11", False), (1.1, "1.2", False)]
)
def test_a_collapsed_posterior_is_said(
    net: Net, mean: float, kl: str, collapsed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every q(z|x) is N((m, m), I), whose KL from the prior is m^2."""

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        nothing = 0 * x.flatten(1)[:, :2]
        return nothing + mean, nothing

    inspect(encode, net.decode, IMAGES, likelihood="bernoulli", name="mine", encoder_gives="log variance")
    says = capsys.readouterr().out
    assert f"KL[q(z|x) || p(z)] is {kl} nats" in says
    assert ("That is below 0.1 nats: the posterior has collapsed to the prior" in says) == collapsed
