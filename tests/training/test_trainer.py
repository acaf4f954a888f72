"""Training: it learns, it repeats itself, it stops when told, and it never leaves a broken model."""

import copy
import json
import math
import time
from itertools import pairwise

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.toys import small_config, small_model, toy_dataset, toy_split
from vae.data.datasets import Dataset, Split
from vae.errors import CheckpointError, ConfigError, DataError, DivergenceError, VAEError
from vae.model.distributions import generator
from vae.model.objectives import ELBO, IWAE, Autoencoder
from vae.model.vae import VAE, build
from vae.settings.config import LIKELIHOODS, OBJECTIVES, TrainConfig
from vae.training import trainer as training
from vae.training.reports import Report
from vae.training.schedules import rates
from vae.training.scores import score
from vae.training.trainer import Trainer, fit

TOY = toy_dataset()


def state(model: VAE) -> dict[str, torch.Tensor]:
    return copy.deepcopy(dict(model.state_dict()))


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def config(**changes) -> TrainConfig:
    return TrainConfig(**{"epochs": 3, "batch_size": 100, "learning_rate": 0.01, **changes})


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_training_improves_what_it_maximises(likelihood, objective):
    model = small_model(likelihood=likelihood)
    scores = Autoencoder() if objective == "autoencoder" else ELBO(10)
    before, _ = score(model, TOY.test.images, scores)
    *_, last = fit(model, TOY, config(epochs=30, objective=objective, batch_size=32))
    reconstruction, kl = score(model, TOY.test.images, scores)
    # the Gaussians start at sigma = 1, where 16 pixels cost 15 nats; a Bernoulli starts at 16 log 2 = 11
    assert reconstruction - kl > before + (1.5 if likelihood == "bernoulli" else 5)
    if objective != "autoencoder":
        assert kl > (0.5 if likelihood != "bernoulli" else 0)  # 16 binary pixels hardly pay for a code
    else:
        assert kl == last.kl == last.held_out_kl == 0


def test_a_linear_model_finds_probabilistic_pca():
    # Tipping & Bishop (1999): with l_1 >= ... >= l_D the eigenvalues of the images' covariance and s the mean of the
    # last D - J, the greatest log p an image is -1/2 (D log 2 pi + sum_{j <= J} log l_j + (D - J) log s + D)
    dataset = toy_dataset(train=1000)
    linear = {"encoder_layers": (), "decoder_layers": (), "log_variance_floor": None}
    model = build(small_config(likelihood="gaussian-shared", **linear))
    x = model.pixels(dataset.train.images, generator(0)).double().numpy()
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    rest = values[2:].mean()
    best = -0.5 * (16 * math.log(2 * math.pi) + np.log(values[:2]).sum() + 14 * math.log(rest) + 16)
    list(fit(model, dataset, config(epochs=60, learning_rate=0.03)))
    reconstruction, kl = score(model, dataset.train.images, ELBO(20))
    # no model of this kind is better on its training images, and one that has converged is hardly worse; 0.1 nats are
    # left for Adam's noise and for the standard error of the score, sqrt(J / 2 / 1000 / 20) = 0.01
    assert best - 0.1 < reconstruction - kl < best + 0.03
    assert math.exp(model.decoder.log_variance.item()) == pytest.approx(rest, rel=0.05)


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    models = [small_model() for _ in range(3)]
    before = torch.get_rng_state()
    for model, seed in zip(models, (0, 0, 1), strict=True):
        list(fit(model, TOY, config(seed=seed)))
    assert torch.equal(before, torch.get_rng_state())
    first, again, other = map(state, models)
    assert same(first, again) and not same(first, other)


def test_reports_do_not_change_what_is_learned():
    often, seldom = small_model(), small_model()
    list(fit(often, TOY, config(), report_every=1, held_out_images=3))
    list(fit(seldom, TOY, config(), report_every=1000))
    assert same(state(often), state(seldom))


def test_reports_say_how_training_stands():
    model = small_model()
    reports = list(fit(model, TOY, config(), report_every=2))
    # 256 images by 100 are three steps per epoch: every second step and each end of an epoch, step 6 but once
    assert [report.step for report in reports] == [2, 3, 4, 6, 8, 9] and {report.steps for report in reports} == {9}
    assert [report.epoch for report in reports] == pytest.approx([2 / 3, 1, 4 / 3, 2, 8 / 3, 3])
    for report in reports:
        at_end = report.step % 3 == 0
        assert (report.held_out_reconstruction is not None) == (report.held_out_kl is not None) == at_end
        assert all(math.isfinite(value) for value in report if isinstance(value, float))
        assert report.images_per_second > 0 and sum(report.kl_by_dimension) == pytest.approx(report.kl)
        assert report.seconds_left == pytest.approx(report.seconds * (9 / report.step - 1))
        now = rates(config(), report.step - 1, 3)
        assert (report.learning_rate, report.beta) == (now.learning_rate, 1)
    assert all(a.seconds < b.seconds for a, b in pairwise(reports))
    assert not model.training


def test_a_report_scores_held_out_images():
    model = small_model()
    *_, last = fit(model, TOY, config(samples=3), held_out_images=10)
    assert (last.held_out_reconstruction, last.held_out_kl) == score(model, TOY.test.images[:10], ELBO(3))


def test_a_report_is_the_mean_over_images_since_the_one_before():
    # with hardly any learning rate the weights stand still, and an autoencoder has no noise but the dequantisation's
    model = small_model()
    before = state(model)
    slow = config(epochs=1, learning_rate=1e-12, objective="autoencoder")
    first, second = fit(model, TOY, slow, report_every=2)
    assert all(torch.allclose(before[key], weight, rtol=0, atol=1e-9) for key, weight in state(model).items())
    mean = (200 * first.reconstruction + 56 * second.reconstruction) / 256
    # the noise moves a pixel by 1 / 512 and log p(x|z) by some 0.01, less over 256 images
    assert mean == pytest.approx(score(model, TOY.train.images, Autoencoder())[0], abs=2e-3)
    assert abs(first.reconstruction - second.reconstruction) > 1e-3


def test_every_image_is_seen_once_an_epoch_in_a_new_order(monkeypatch):
    seen = []
    pixels = VAE.pixels

    def watch(self, images, noise=None):
        seen.append(images)
        return pixels(self, images, noise)

    monkeypatch.setattr(VAE, "pixels", watch)
    list(fit(small_model(), TOY, config(epochs=2), held_out_images=1))
    batches = [images for images in seen if len(images) > 1]
    assert [len(images) for images in batches] == [100, 100, 56] * 2
    first, second = torch.cat(batches[:3]), torch.cat(batches[3:])
    assert not torch.equal(first, second)
    everything = sorted(TOY.train.images.flatten(1).tolist())
    assert sorted(first.flatten(1).tolist()) == sorted(second.flatten(1).tolist()) == everything


def test_seconds_leave_out_what_the_caller_did():
    start, seconds = time.perf_counter(), 0.0
    for report in fit(small_model(), TOY, config()):
        seconds = report.seconds
        time.sleep(0.05)
    assert seconds < time.perf_counter() - start - 0.15


@pytest.mark.parametrize(("epochs", "batch_size"), [(1, 60_000), (1, 200), (3, 256)])
def test_few_steps_are_enough(epochs, batch_size):
    reports = list(fit(small_model(), TOY, config(epochs=epochs, batch_size=batch_size)))
    assert reports[-1].step == reports[-1].steps and reports[-1].epoch == epochs


def test_weight_decay_pulls_weights_towards_zero():
    free, pulled = small_model(), small_model()
    list(fit(free, TOY, config()))
    list(fit(pulled, TOY, config(weight_decay=10)))
    assert pulled.encoder.head.weight.norm() < 0.9 * free.encoder.head.weight.norm()


def test_a_share_is_the_first_of_the_images(monkeypatch):
    seen = []
    pixels = VAE.pixels
    monkeypatch.setattr(
        VAE, "pixels", lambda self, images, noise=None: seen.append(images) or pixels(self, images, noise)
    )
    list(fit(small_model(), TOY, config(epochs=1, share=0.25), held_out_images=1))
    images = sorted(torch.cat(seen[:-1]).flatten(1).tolist())
    assert images == sorted(TOY.train.images[:64].flatten(1).tolist())


@pytest.mark.slow
def test_beta_0_forgets_the_prior_and_a_large_beta_all_else():
    kept = {}
    for beta in (0, 1, 100):
        *_, last = fit(small_model(), TOY, config(epochs=20, beta=beta, batch_size=32))
        kept[beta] = last.held_out_kl
    assert kept[0] > kept[1] + 1 and kept[1] > 1 and kept[100] < 0.1


@pytest.mark.slow
def test_free_bits_keep_dimensions_awake():
    # under beta = 100 all dimensions fall asleep, but for what costs nothing: up to 0.5 nats in each of two
    kept = []
    for free in (0, 0.5):
        *_, last = fit(small_model(), TOY, config(epochs=40, beta=100, free_bits=free, batch_size=32))
        kept.append(last.held_out_kl)
    assert kept[0] < 0.01 and 0.3 < kept[1] < 1.1


def test_held_out_figures_are_those_of_the_plain_elbo():
    for changes in ({"beta": 3}, {"free_bits": 2}, {"objective": "iwae", "samples": 5}):
        model = small_model()
        *_, last = fit(model, TOY, config(**changes))
        assert (last.held_out_reconstruction, last.held_out_kl) == score(model, TOY.test.images, ELBO(1))


@pytest.mark.slow
def test_the_iwae_learns_more_than_its_elbo_tells():
    # Burda et al. (2016): a higher evidence, by a posterior that the encoder's Gaussian fits less well
    elbo, iwae = small_model(), small_model()
    list(fit(elbo, TOY, config(epochs=30, batch_size=32)))
    list(fit(iwae, TOY, config(epochs=30, batch_size=32, objective="iwae", samples=20)))
    x = elbo.pixels(TOY.test.images, generator(1))
    with torch.no_grad():
        evidence = [IWAE(500)(model, x, generator(2)).objective.mean() for model in (elbo, iwae)]
        bounds = [ELBO(500)(model, x, generator(2)).objective.mean() for model in (elbo, iwae)]
    assert evidence[1] - bounds[1] > evidence[0] - bounds[0] > 0


def test_stopping_early_leaves_the_model_as_it_was_reported():
    model, whole = small_model(), small_model()
    stopped = Report(0, 0, 0, 0, 0, None, None, 0, 0)
    for stopped in fit(model, TOY, config(), report_every=2):
        if stopped.step == 4:
            break
    for report in fit(whole, TOY, config(), report_every=2):
        if report.step == 4:
            assert same(state(model), state(whole))
    assert not same(state(model), state(whole)) and stopped.step == 4
    assert math.isfinite(score(model, TOY.test.images, ELBO())[0])


def test_a_closed_training_is_over():
    reports = fit(small_model(), TOY, config())
    next(reports)
    reports.close()
    assert list(reports) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_leaves_the_last_good_weights(value):
    model = small_model()
    good = {}
    with pytest.raises(DivergenceError) as caught:
        for report in fit(model, TOY, config(), report_every=1):
            if report.step == 6:
                good = state(model)
            if report.step == 7:
                assert not same(state(model), good)
                with torch.no_grad():
                    model.decoder.location.weight.fill_(value)
                    model.decoder.log_variance.weight.fill_(value)
    assert caught.value.step == 8 and "step 8" in str(caught.value) and "after epoch 2" in str(caught.value)
    assert "learning rate than 0.01" in str(caught.value) and isinstance(caught.value, VAEError)
    assert same(state(model), good)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_leaves_the_last_good_weights(value):
    model = small_model()
    good, spoilt = {}, []
    model.encoder.head.bias.register_hook(lambda gradient: gradient * value if spoilt else gradient)
    with pytest.raises(DivergenceError, match=r"step 4 .*after epoch 1"):
        for report in fit(model, TOY, config(), report_every=1):
            if report.step == 3:
                good = state(model)
                spoilt.append(True)
    assert same(state(model), good)


def test_divergence_in_the_first_epoch_leaves_the_initial_weights():
    model = small_model()
    before, steps = state(model), []
    model.encoder.head.bias.register_hook(lambda gradient: gradient / (len(steps) < 2))
    with pytest.raises(DivergenceError, match=r"step 3 .*after epoch 0"):
        for report in fit(model, TOY, config(), report_every=1):
            steps.append(report.step)
            assert not same(state(model), before)
    assert same(state(model), before) and steps == [1, 2]


@pytest.mark.parametrize("spoil", [lambda: (math.nan, 0.0), lambda: (-math.inf, 0.0), lambda: math.sqrt(-1)])
def test_a_held_out_score_that_is_not_finite_is_a_divergence(spoil, monkeypatch):
    # the last step of an epoch may spoil the weights, and no loss would tell; sqrt(-1) is a ValueError, as torch raises
    model = small_model()
    reports = fit(model, TOY, config())
    next(reports)
    good = state(model)
    monkeypatch.setattr(training, "score", lambda *_: spoil())
    with pytest.raises(DivergenceError, match=r"step 6 .*after epoch 1"):
        list(reports)
    assert same(state(model), good)


@pytest.mark.parametrize("floor", [-6.0, None])
def test_a_divergence_advises_a_floor_where_there_is_none(floor):
    model = small_model(log_variance_floor=floor)
    model.encoder.head.bias.register_hook(lambda gradient: gradient / 0)
    with pytest.raises(DivergenceError) as caught:
        list(fit(model, TOY, config()))
    assert ("floor" in str(caught.value)) == (floor is None)


@pytest.mark.parametrize("dataset", [
    toy_dataset(shape=(5, 4)),
    Dataset("odd", TOY.train, toy_split(3, (4, 5)), (), ""),
    Dataset("odd", toy_split(0), TOY.test, (), ""),
    Dataset("odd", TOY.train, toy_split(0), (), ""),
])  # fmt: skip
def test_images_that_do_not_fit_are_refused(dataset):
    model = small_model()
    before = state(model)
    with pytest.raises(DataError, match=r"4 x 4|at least one (training|test) image"):
        list(fit(model, dataset, config()))
    assert same(state(model), before)


def test_a_loaded_model_must_be_unfrozen_to_go_on():
    model = small_model().requires_grad_(False)
    with pytest.raises(ConfigError, match="requires_grad_"):
        list(fit(model, TOY, config()))
    assert list(fit(model.requires_grad_(), TOY, config(epochs=1)))


def test_a_score_is_the_mean_over_images_whatever_the_batch():
    model = small_model()
    whole, parts = (score(model, TOY.test.images, Autoencoder(), batch=batch) for batch in (1000, 7))
    assert whole == pytest.approx(parts, abs=2e-3)  # other dequantisation noise
    terms = Autoencoder()(model, model.pixels(TOY.test.images, generator(3)))
    assert score(model, TOY.test.images, Autoencoder(), seed=3)[0] == pytest.approx(terms.reconstruction.mean().item())


KINDS = [
    {}, {"objective": "autoencoder"}, {"objective": "iwae", "samples": 3, "beta_warmup": 1.5},
    {"schedule": "cosine", "warmup": 1, "share": 0.7, "free_bits": 0.1, "weight_decay": 1, "initial": "mean-image"},
]  # fmt: skip


def kept(trainer: Trainer) -> tuple[dict, dict]:
    """The state as a file would hold it: through safetensors and JSON."""
    tensors, facts = trainer.state()
    return safetensors.torch.load(safetensors.torch.save(tensors)), json.loads(json.dumps(facts))


@pytest.mark.parametrize("changes", KINDS)
@pytest.mark.parametrize("at", [0, 1, 2, 3, 5, 8, 9])
def test_a_restored_training_goes_on_bit_for_bit(changes, at):
    whole, first, second = (Trainer(small_model(), TOY, config(**changes)) for _ in range(3))
    for trainer, steps in ((whole, whole.steps), (first, min(at, first.steps))):
        for _ in range(steps):
            trainer.advance()
    second.model.load_state_dict(small_model(seed=5).state_dict())  # nothing of it may matter
    second.restore(*kept(first))
    while not second.done:
        second.advance()
    assert same(state(whole.model), state(second.model)) and second.step == whole.step
    ends = [trainer.report() for trainer in (whole, second)]
    for end in ends:  # the means too, since reports were asked for at the end only
        assert end._replace(seconds=0, images_per_second=0, seconds_left=0) == ends[0]._replace(
            seconds=0, images_per_second=0, seconds_left=0
        )


def test_a_restored_training_falls_back_on_the_weights_that_were_good():
    first, second = (Trainer(small_model(), TOY, config()) for _ in range(2))
    for _ in range(4):
        first.advance()
        if first.epoch_ended:
            first.report()
            good = state(first.model)
    second.restore(*kept(first))
    second.model.encoder.head.bias.register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(DivergenceError, match=r"step 5 .*after epoch 1"):
        second.advance()
    assert same(state(second.model), good)


def test_a_change_on_the_way_holds_from_the_next_step_and_is_kept():
    trainer, again = (Trainer(small_model(), TOY, config(schedule="constant", beta_warmup=1)) for _ in range(2))
    for _ in range(4):
        trainer.advance()
    trainer.change(learning_rate=1e-3)
    trainer.change(beta=3)
    assert trainer.rates == (1e-3, 0.9, 3)
    trainer.advance()
    report = trainer.report()
    assert (report.learning_rate, report.beta) == (1e-3, 3)
    again.restore(*kept(trainer))
    assert again.config == trainer.config
    for wrong in ({"learning_rate": 2}, {"beta": -1}):
        with pytest.raises(ConfigError):
            trainer.change(**wrong)
    assert again.config == trainer.config


@pytest.mark.parametrize("spoil", [
    lambda tensors, facts: tensors.pop("noise"),
    lambda tensors, facts: tensors.pop("model.encoder.head.bias"),
    lambda tensors, facts: tensors.update({"adam.0.exp_avg": torch.zeros(3)}),
    lambda tensors, facts: tensors.update(noise=torch.zeros(3, dtype=torch.uint8)),
    lambda tensors, facts: facts.pop("step"),
    lambda tensors, facts: facts.update(config={"epochs": 0}),
    lambda tensors, facts: facts.update(step="many"),
])  # fmt: skip
def test_a_damaged_state_is_refused(spoil):
    trainer = Trainer(small_model(), TOY, config())
    trainer.advance()
    tensors, facts = kept(trainer)
    spoil(tensors, facts)
    with pytest.raises(CheckpointError, match="must match its model"):
        Trainer(small_model(), TOY, config()).restore(tensors, facts)


def test_the_state_of_another_model_is_refused():
    trainer = Trainer(small_model(), TOY, config())
    with pytest.raises(CheckpointError, match="must match its model"):
        Trainer(small_model(latent=3), TOY, config()).restore(*kept(trainer))


class Largest(TorchDispatchMode):
    """Notes the bytes of the largest tensor that is made, views of others left out."""

    def __init__(self, images):
        super().__init__()
        self.of, self.bytes = images.untyped_storage().data_ptr(), 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for each in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(each, torch.Tensor) and each.untyped_storage().data_ptr() != self.of:
                self.bytes = max(self.bytes, each.nbytes)
        return made


def test_images_on_disk_stay_there(tmp_path):
    """A training on mapped images takes the same steps, and never holds all of them in memory."""
    images = toy_split(3000, (40, 40)).images
    np.save(tmp_path / "images.npy", images.numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "images.npy", mmap_mode="c"))
    weights = []
    for each in (images, mapped):
        model = build(small_config(image_shape=(40, 40)))
        with Largest(each) as largest:
            trainer = Trainer(model, Dataset("x", Split(each), Split(each[:10]), (), ""), config(initial="mean-image"))
            for _ in range(5):
                trainer.advance()
            score(model, each, ELBO(), batch=100)
        assert 100 * 1600 * 4 <= largest.bytes < images.nbytes / 4
        weights.append(state(model))
    assert same(*weights)
