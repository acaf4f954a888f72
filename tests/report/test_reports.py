"""The report: its numbers are those of the library, it is kept, and its file needs nothing else."""

import dataclasses
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
from vae.latent import Codes
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
    told: list[tuple[str, float]] = []
    made = report.make_report("mine", dataset, lambda title, share: told.append((title, share)))
    shares, announced = [share for _, share in told], list(dict.fromkeys(title for title, _ in told))
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert [title for title in announced if title in {part.title for part in made.parts}] == [
        part.title for part in made.parts
    ]
    for title in ("Evidence", "What the bound leaves out"):  # which take long, and say so meanwhile
        assert len({share for each, share in told if each == title}) > 3
    size = "6 x 5 pixels in colour, of " if dataset.image_shape == (6, 5, 3) else "6 x 5 pixels, of "
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
    assert ("log_variance_floor" in numbers["The model"]) == (model.config.likelihood != "bernoulli")
    if (
        model.config.likelihood == "bernoulli"
    ):  # which has no variance; "variance" is there of the means of q(z|x) alone
        rest = [part for part in made.parts if part.title != "What each dimension carries"]
        text = " ".join(
            [sentence for part in rest for sentence in part.says]
            + [cell for part in rest for row in part.table for cell in row]
        )
        assert not re.search("variance|deviation|sigma|σ", text) and "models of the same binary pixels." in text
        assert "variance" not in json.dumps(numbers) and "observed_over_predicted" not in json.dumps(numbers)
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
    with pytest.raises(VAEError, match="there is no model"):
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
    said = [sentence for sentence in part.says if "is reliable" in sentence]
    assert bool(said) != trusted and all(f"is above 0.7 on {above} of the images" in sentence for sentence in said)
    weighted = vae.importance_sampling(model, x[:6], 2000, vae.generator(3))
    error, gap = part.numbers["approximation_monte_carlo_error"], part.numbers["approximation"]
    assert error == pytest.approx(float(weighted.standard_error.square().sum().sqrt()) / 6) and error > 0
    (about,) = (sentence for sentence in part.says if "may be negative, although the true gap never is" in sentence)
    assert f"{gap:.2f} ± {error:.2f} nats on average".replace("-", "−") in about
    assert (
        "importance sampling with 2,000 samples" in about
        and f"k-hat is at most {float(k_hat.max()):.2f}".replace("t -", "t −") in about
    )
    assert all("±" in row[3] and "±" in row[4] for row in part.table[1:])
    assert part.numbers["amortisation"] >= 0  # both bounds are from the same points


def subject(means: list[float], deviations: list[float]) -> reports.Subject:
    """A model without weights, and codes whose means alternate between plus and minus the given ones."""
    dataset = SETS["labelled"]
    config = vae.ModelConfig(image_shape=(6, 5), latent=len(means), encoder_layers=(4,), decoder_layers=(4,))
    model = vae.build(config)
    sign = np.where(np.arange(60) % 2, 1, -1)[:, None]
    mean = (sign * np.array(means)).astype(np.float32)
    deviation = np.tile(np.array(deviations, np.float32), (60, 1))
    kl = 0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation)
    return reports.Subject(
        model, vae.Record(name="x", model=config), dataset, torch.zeros(1, 30), Codes(mean, deviation, kl), np.zeros(60)
    )


@pytest.mark.parametrize(
    ("means", "deviations", "collapsed", "fallen", "says"),
    [
        (
            [0, 0],
            [1, 1],
            True,
            2,
            "The posterior has collapsed to the prior: its KL over all dimensions is below 0.1",
        ),
        ([0, 2], [1, 0.1], False, 1, "One of the 2 dimensions has collapsed to the prior: its KL is below 0.01 nats."),
        ([0, 0, 2], [1, 1, 0.1], False, 2, "2 of the 3 dimensions have collapsed to the prior"),
        # no dimension is active, and yet all is said: the codes are small, and sharper still
        ([0.05, 0.05], [0.001, 0.001], False, 0, "2 dimensions that are not active have not collapsed: their means"),
        ([2, 0.05], [0.1, 0.001], False, 0, "One dimension that is not active has not collapsed: its mean"),
        # each dimension has next to nothing, and 64 of them have 0.3 nats
        (
            [0.099] * 64,
            [1.0] * 64,
            False,
            64,
            "No dimension has a KL of 0.01 nats or more, but together they have 0.31",
        ),
        (
            [0, 0],
            [0.5, 0.5],
            True,
            0,
            "The posterior has collapsed, though not to the prior: it is nearly the same for all",
        ),
        ([2, 2], [0.1, 0.1], False, 0, ""),
    ],
)
def test_collapse_is_said_where_it_is_true(
    means: list[float], deviations: list[float], collapsed: bool, fallen: int, says: str
) -> None:
    part = report.latent.dimensions(subject(means, deviations))
    assert (part.numbers["collapsed"], part.numbers["kl_below_0.01"]) == (collapsed, fallen)
    assert part.numbers["mutual_information"] < 0.1 or not collapsed
    about = [sentence for sentence in part.says if "collapsed" in sentence]
    assert any(sentence.startswith(says) for sentence in about) if says else not about
    assert ("The posterior has collapsed" in " ".join(part.says)) == collapsed


def test_the_mutual_information_of_each_dimension_is_computed_separately() -> None:
    """Half of the images are at each end of the first two dimensions: either one separates them as well as both do."""
    part = report.latent.dimensions(subject([2, 2, 0], [0.1, 0.1, 1]))
    each = part.numbers["mutual_information_by_dimension"]
    assert [each[name] for name in ("z1", "z2", "z3")] == pytest.approx([math.log(2), math.log(2), 0], abs=1e-5)
    assert part.numbers["mutual_information"] == pytest.approx(math.log(2), abs=1e-5)
    assert [row[0] for row in part.table] == ["", "z1", "z2", "z3"] and part.table[1][2].startswith("0.69")
    many = report.latent.dimensions(subject([0.1] * 64, [0.5] * 64))
    assert len(many.table) == 11 and len(many.numbers["mutual_information_by_dimension"]) == 10


def test_a_probe_of_collapsed_codes_says_that_draws_tell_no_class(monkeypatch: pytest.MonkeyPatch) -> None:
    of = subject([0.01], [1.0])  # the means tell the classes apart
    monkeypatch.setattr(report.latent, "encode", lambda model, images: of.codes)
    of = dataclasses.replace(of, dataset=dataclasses.replace(of.dataset, train=of.dataset.test))
    part = report.latent.probes(of)
    assert part and part.numbers["linear"] == 1 and part.numbers["linear_of_draws"] < 0.8
    assert any("The posterior has collapsed" in sentence for sentence in part.says)
    sure = subject([2.0], [0.1])
    monkeypatch.setattr(report.latent, "encode", lambda model, images: sure.codes)
    part = report.latent.probes(dataclasses.replace(sure, dataset=of.dataset))
    assert part and part.numbers["linear_of_draws"] == 1 and "collapsed" not in " ".join(part.says)


def test_traversals_go_along_what_carries_something() -> None:
    assert report.images.walks(subject([0.05, 0.0], [0.001, 1.0])).numbers["dimensions"] == [1]
    assert "nothing to traverse" in report.images.walks(subject([0.0], [1.0])).says[0]
