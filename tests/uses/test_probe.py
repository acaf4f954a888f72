"""What a classifier says of decoded means, against a linear decoder and a linear classifier, known in closed form."""

import csv
import io
import math

import numpy as np
import pytest
import torch
from scipy import stats

from tests.toys import linear_model, small_model
from vae.errors import ConfigError, DataError
from vae.latent import coordinate_axes
from vae.uses import probe

SLOPE = np.array([1.2, -0.7])  # of the log odds in z


def linear(model: torch.nn.Module, slope: np.ndarray) -> probe.Judge:
    """A classifier of two classes whose log odds are slope . z for what a linear decoder makes of z."""
    weight, bias = model.decoder.location.weight.detach(), model.decoder.location.bias.detach()
    across = torch.from_numpy(slope).float() @ torch.linalg.pinv(weight)

    def judge(x: torch.Tensor) -> torch.Tensor:
        odds = (x - bias) @ across
        return torch.stack([odds / 2, -odds / 2], 1)

    return judge


@pytest.fixture(scope="module")
def model():
    return linear_model(2)[0]


def places(side: int) -> probe.Lattice:
    steps = 5 * (2 * np.arange(side) + 1 - side) / side
    return probe.Lattice(steps, steps, np.empty(0))


def test_probabilities_are_those_of_the_decoded_mean(model):
    z = np.random.default_rng(0).standard_normal((50, 2))
    found = probe.decoded_log_probabilities(model, linear(model, SLOPE), z)
    np.testing.assert_allclose(found[:, 0], -np.logaddexp(0, -z @ SLOPE), atol=1e-4)
    np.testing.assert_allclose(np.exp(found).sum(1), 1, atol=1e-5)


def test_a_lattice_has_each_place_where_it_lies(model):
    judge, axes = linear(model, SLOPE), coordinate_axes(np.zeros((2, 2)), 0, 1)
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([-2.0, 1.0])
    found = probe.lattice(model, judge, axes, x, y)
    assert found.log_probability.shape == (2, 3, 2)
    single = probe.decoded_log_probabilities(model, judge, np.array([[2.0, -2.0]]))[0]
    np.testing.assert_allclose(found.log_probability[0, 2], single, atol=1e-6)
    assert found.winner[1, 0] == int(SLOPE @ [-1.0, 1.0] < 0)
    share = 1 / (1 + math.exp(-abs(SLOPE @ [0.5, 1.0])))
    assert found.confidence[1, 1] == pytest.approx(share, abs=1e-4)
    assert found.entropy[1, 1] == pytest.approx(stats.entropy([share, 1 - share]), abs=1e-4)


def test_images_are_judged_as_their_pixels(model):
    judge = linear(model, SLOPE)
    images = torch.randint(0, 256, (7, 5, 5), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    one_by_one = [judge(image.flatten()[None].float() / 255).log_softmax(1)[0].numpy() for image in images]
    np.testing.assert_allclose(probe.log_probabilities(judge, images), one_by_one, atol=1e-5)


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95, 0.99])
def test_the_mass_of_doubt_is_that_of_a_band(model, threshold):
    """The classifier is unsure where |slope . z| < logit(t), a band of the prior; no data lies on one side of 0."""
    found = places(161)
    judged = probe.decoded_log_probabilities(model, linear(model, SLOPE), found.places)
    log_ratio = np.where(found.places[:, 0] > 0, -10.0, 0.0)
    weights = np.exp(-0.5 * (found.places**2).sum(1))
    band = 2 * stats.norm.cdf(math.log(threshold / (1 - threshold)) / np.linalg.norm(SLOPE)) - 1
    doubt = probe.doubt(judged, log_ratio, np.array([threshold]), weights)
    assert doubt.unsure[0] == pytest.approx(band, abs=0.005)
    assert doubt.astray[0] == pytest.approx((1 - band) / 2, abs=0.02)
    assert doubt.empty == pytest.approx(0.5, abs=0.02)
    assert doubt.standard_error(0.3) == 0


def test_draws_from_the_prior_say_the_same_within_their_error(model):
    z = np.random.default_rng(1).standard_normal((4000, 2))
    judged = probe.decoded_log_probabilities(model, linear(model, SLOPE), z)
    doubt = probe.doubt(judged, np.zeros(len(z)), np.array([0.9]))
    band = 2 * stats.norm.cdf(math.log(9) / np.linalg.norm(SLOPE)) - 1
    assert abs(doubt.unsure[0] - band) < 4 * doubt.standard_error(band)
    assert doubt.astray[0] == 0 == doubt.empty


def test_doubt_counts_each_place_once():
    log_probability = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0.99, 0.01]])
    log_ratio = np.array([-9.0, 0.0, -9.0, -9.0])
    doubt = probe.doubt(log_probability, log_ratio, np.array([0.4, 0.85, 0.999]), np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_allclose(doubt.unsure, [0, 0.4, 1])
    np.testing.assert_allclose(doubt.astray, [0.8, 0.4, 0], atol=1e-12)
    with pytest.raises(DataError, match="a log ratio for each point"):
        probe.doubt(log_probability, log_ratio[:2], np.array([0.5]))


def test_extremes_are_the_ends_of_a_class():
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.99, 0.01], [0.7, 0.3], [0.55, 0.45]])
    winner, margin = probe.margins(np.log(shares))
    assert winner.tolist() == [0, 0, 1, 0, 0, 0]
    assert margin[0] == pytest.approx(math.log(9))
    typical, least = probe.extremes(np.log(shares), 0, 2)
    assert typical.tolist() == [3, 0] and least.tolist() == [5, 1]
    typical, least = probe.extremes(np.log(shares), 1, 2)
    assert typical.tolist() == [2] and not len(least)


def test_agreement_counts_pairs_and_what_is_right():
    images, decoded = np.log(np.eye(3) + 0.1)[[0, 1, 1, 2]], np.log(np.eye(3) + 0.1)[[0, 1, 2, 2]]
    found = probe.agreement(images, decoded, np.array([0, 1, 1, 1]))
    assert found.table.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert (found.accuracy, found.accuracy_decoded, found.same) == (0.75, 0.5, 0.75)
    assert math.isnan(probe.agreement(images, decoded).accuracy)


def test_what_does_not_fit_is_said(model):
    judge = linear(model, SLOPE)
    with pytest.raises(ConfigError, match="Latents must be"):
        probe.decoded_log_probabilities(model, judge, np.zeros((3, 5)))
    with pytest.raises(DataError, match="does not take images of 16 values"):
        probe.decoded_log_probabilities(small_model(), judge, np.zeros((3, 2)))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_lattice_as_a_table_has_each_place_in_a_row(size: int) -> None:
    model, height = linear_model(size)[0], 1 if size == 1 else 2
    axes = coordinate_axes(np.full((2, size), 0.25), 0, size - 1)
    found = probe.lattice(model, linear(model, SLOPE[:1].repeat(size)), axes, np.array([-1.0, 2.0]), np.arange(height))
    log_q = np.arange(2.0 * height).reshape(height, 2)
    rows = list(csv.DictReader(io.StringIO(probe.lattice_csv(found, axes, ["no", "yes"], log_q).decode())))
    plane = ["a", "b"] if size > 2 else []
    latents = [f"z_{j}" for j in range(1, size + 1)]
    assert list(rows[0]) == [*plane, *latents, "class", "p_no", "p_yes", "log_prior", "log_q"]
    assert len(rows) == 2 * height
    for row, place in zip(rows, found.places, strict=True):
        z = np.array([float(row[name]) for name in latents])
        np.testing.assert_allclose(z, axes.lift(place[None])[0], rtol=1e-6)
        assert [float(row[name]) for name in plane] == (list(place) if plane else [])
        share = 1 / (1 + math.exp(-SLOPE[0] * z.sum()))
        assert float(row["p_no"]) == pytest.approx(share, abs=1e-4)
        assert float(row["p_no"]) + float(row["p_yes"]) == pytest.approx(1)
        assert row["class"] == ("no" if share > 0.5 else "yes")
        assert float(row["log_prior"]) == pytest.approx(stats.norm.logpdf(z).sum(), abs=1e-5)
    assert [float(row["log_q"]) for row in rows] == [0, 1, 2, 3][: 2 * height]
    plain = probe.lattice_csv(found, axes, ["no", "yes"], prior=False).decode().splitlines()[0]
    assert plain == ",".join([*plane, *latents, "class", "p_no", "p_yes"])


def test_a_table_of_what_does_not_fit_is_refused(model):
    axes = coordinate_axes(np.zeros((2, 2)), 0, 1)
    found = probe.lattice(model, linear(model, SLOPE), axes, np.arange(3.0), np.arange(2.0))
    for names, log_q in ((["one"], None), (["one", "two"], np.zeros((3, 2)))):
        with pytest.raises(ConfigError, match="2 x 3 points needs a name for each of its 2 classes"):
            probe.lattice_csv(found, axes, names, log_q)
