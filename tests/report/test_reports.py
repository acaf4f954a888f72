"""The report: its numbers are those of the library, it is kept, and its file needs nothing else."""

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

import vae
from tests.toys import toy_dataset
from vae import report
from vae.cli import main
from vae.errors import VAEError
from vae.report import reports


def labelled(shape: tuple[int, ...]) -> vae.Dataset:
    """Blobs, of which every other one is called an odd one."""
    toy = toy_dataset(200, 60, shape)
    train, test = (vae.Split(split.images, torch.arange(len(split)) % 2) for split in (toy.train, toy.test))
    return vae.Dataset(toy.name, train, test, ("even", "odd"), toy.checksum)


SETS = {"labelled": labelled((6, 5)), "colour": toy_dataset(200, 60, (6, 5, 3))}
KINDS = {
    "gaussian, J = 2": ("labelled", {"latent": 2, "activation": "tanh"}),
    "bernoulli, J = 1": ("labelled", {"latent": 1, "likelihood": "bernoulli"}),
    "shared, J = 5, colour": ("colour", {"latent": 5, "likelihood": "gaussian-shared"}),
}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path


def saved(kind: str) -> vae.Dataset:
    name, changes = KINDS[kind]
    dataset = SETS[name]
    config = vae.ModelConfig(
        image_shape=tuple(dataset.train.images.shape[1:]), encoder_layers=(12,), decoder_layers=(12,), **changes
    )
    training = vae.TrainConfig(data=dataset.name, epochs=2, batch_size=50)
    model = vae.build(config)
    list(vae.fit(model, dataset, training))
    vae.save(model, vae.Record(name="mine", model=config, training=training))
    return dataset


class Whole(HTMLParser):
    """Checks that tags close in order, and collects what a page would ask a network for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("data:")
        ]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_those_of_the_library(kind: str) -> None:
    dataset = saved(kind)
    told: list[float] = []
    made = report.make_report("mine", dataset, lambda title, share: told.append(share))
    assert told == sorted(told) and told[-1] == 1
    size = "6 x 5, colour, of " if dataset.image_shape == (6, 5, 3) else "6 x 5, of "
    assert any(row[0] == "images" and row[1].startswith(size) for row in made.parts[0].table)
    numbers = made.numbers()
    json.dumps(numbers)
    model = vae.load("mine")
    held = dataset.test.images
    kl = vae.encode(model, held).kl.mean(0)
    assert numbers["What each dimension carries"]["kl_by_dimension"] == pytest.approx(kl.tolist())
    x = model.pixels(held, vae.generator(0))
    each = numbers["What each dimension carries"]
    means = [vae.encode(model, held[rows]).kl.mean(0) for rows in np.random.default_rng(0).integers(0, 60, (500, 60))]
    assert each["kl_by_dimension_standard_error"] == pytest.approx(np.std(means, 0).tolist(), rel=0.2)
    assert each["kl_standard_error"] == pytest.approx(np.std(np.sum(means, 1)), rel=0.2)  # the bootstrap
    counts = {"Evidence": "elbo_samples", "Odd images": "samples", "Draws from the prior": "draws"}
    assert [numbers[title][name] for title, name in counts.items()] == [10, 5, 20]
    odd = numbers["Odd images"]
    assert all(0 <= odd[f"{kind}_standard_error"] < 0.1 for kind in ("black", "dim", "noise"))
    if probe := numbers.get("Classes in the codes"):
        rate = probe["linear"]
        assert probe["linear_standard_error"] == pytest.approx(np.sqrt(rate * (1 - rate) / 60))
    evidence = numbers["Evidence"]
    assert evidence["elbo"] == pytest.approx(float(vae.elbo(model, x, 10, vae.generator(1)).value.mean()))
    if model.config.latent <= 2:
        exact = vae.exact_evidence(model, x[:50]).value
        assert evidence["exact"]["mean_nats"] == pytest.approx(float(exact.mean()), abs=1e-3)
        gap = numbers["What the bound leaves out"]
        assert gap["log_p"] == "exact" and gap["approximation"] > -0.01 and gap["amortisation"] > -0.01
    titles = [part.title for part in made.parts]
    assert ("Calibration of the standard deviation" in titles) == (model.config.likelihood != "bernoulli")
    assert ("Classes in the codes" in titles) == (len(dataset.classes) > 1) and len(set(titles)) == len(titles)


@pytest.mark.slow
def test_a_report_is_kept_for_this_very_model() -> None:
    dataset = saved("bernoulli, J = 1")
    made = report.make_report("mine", dataset)
    assert report.make_report("mine", dataset) == made  # down to the pictures
    assert report.kept_report("mine", dataset) == made
    path = report.report_file("mine", dataset.name)
    path.write_text(path.read_text()[:-5])
    assert report.kept_report("mine", dataset) is None
    report.make_report("mine", dataset)
    vae.save(vae.build(vae.load("mine").config, 7), vae.read_record("mine"), overwrite=True)
    assert report.kept_report("mine", dataset) is None


@pytest.mark.slow
def test_the_file_opens_by_itself_and_holds_nothing_that_was_not_meant() -> None:
    dataset = saved("gaussian, J = 2")
    made = report.make_report("mine", dataset)
    odd = reports.Report("<script>alert(1)</script>", made.data, made.parts)
    for pages in ([made], [made, odd]):
        text = report.page(pages, "made & kept")
        whole = Whole()
        whole.feed(re.sub(r"<script.*?</script>", "<script></script>", text, flags=re.S))
        assert not whole.open and not whole.asked
        assert "<script>alert" not in text and "made &amp; kept" in text
        assert text.count("data-figure=") == sum(len(part.figures) for each in pages for part in each.parts)


@pytest.mark.slow
def test_the_command_writes_the_file_and_the_numbers(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = vae.ModelConfig(encoder_layers=(8,), decoder_layers=(8,), latent=3)
    training = vae.TrainConfig(data="mnist-sample")
    for name in ("one", "two"):
        vae.save(vae.build(config), vae.Record(name=name, model=config, training=training))
    out, numbers = own / "report.html", own / "numbers.json"
    assert main(["report", "one", "--against", "two", "--output", str(out), "--json", str(numbers)]) == 0
    text = out.read_text()
    assert "Inside one, two" in text and [each["model"] for each in json.loads(numbers.read_text())] == ["one", "two"]
    assert str(out) in capsys.readouterr().out


def test_what_no_report_can_be_on_is_said() -> None:
    dataset = vae.load_dataset("mnist-sample")
    with pytest.raises(VAEError, match="plain autoencoder"):
        report.make_report("mnist-autoencoder-2d", dataset)
    with pytest.raises(VAEError, match="The images must be 28 x 28"):
        report.make_report("mnist-2d", SETS["labelled"])
    with pytest.raises(VAEError, match="there is none"):
        report.make_report("nobody", dataset)


@pytest.mark.parametrize(("deviation", "trusted"), [(0.02, False), (1.0, True)])
def test_the_gap_says_where_importance_sampling_is_not_to_be_trusted(deviation: float, trusted: bool) -> None:
    dataset = SETS["labelled"]
    config = vae.ModelConfig(image_shape=(6, 5), latent=5, encoder_layers=(4,), decoder_layers=(4,))
    model = vae.build(config)
    with torch.no_grad():
        for weights in model.encoder.parameters():
            weights.zero_()
        model.encoder.head.bias[5:] = 2 * math.log(deviation)
        model.decoder.location.weight.mul_(0.05)  # so that p(z|x) is about the prior
        model.decoder.log_variance.weight.zero_()
    x = model.pixels(dataset.test.images, vae.generator(0))
    elbo = vae.elbo(model, x, 10, vae.generator(1)).value.numpy()
    codes = vae.encode(model, dataset.test.images)
    part = report.evidence.gap(reports.Subject(model, vae.Record(name="x", model=config), dataset, x, codes, elbo))
    k_hat = vae.importance_sampling(model, x[:6], 2000, vae.generator(3)).k_hat
    assert [row[-1] for row in part.table] == ["k-hat", *(f"{value:.2f}" for value in k_hat)]
    assert part.numbers["k_hat"] == pytest.approx(float(k_hat.max())) and part.numbers["samples"] == 2000
    above = int((k_hat > 0.7).sum())
    assert (above == 0) == trusted
    assert part.numbers["k_hat_above_0.7"] == pytest.approx(above / 6)
    said = [sentence for sentence in part.says if "not to be trusted" in sentence]
    assert bool(said) != trusted and all(f"is above 0.7 on {above} of them" in sentence for sentence in said)


def test_collapse_is_said_in_words() -> None:
    dataset = SETS["labelled"]
    config = vae.ModelConfig(image_shape=(6, 5), latent=2, encoder_layers=(4,), decoder_layers=(4,))
    model = vae.build(config)
    with torch.no_grad():
        for weights in model.encoder.parameters():
            weights.zero_()  # q(z|x) is the prior
    codes = vae.encode(model, dataset.test.images)
    of = reports.Subject(model, vae.Record(name="x", model=config), dataset, torch.zeros(1, 30), codes, np.zeros(60))
    part = report.latent.dimensions(of)
    assert any("posterior has collapsed" in sentence for sentence in part.says) and part.numbers["active"] == 0
