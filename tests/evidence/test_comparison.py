"""The comparison of all estimators: what it holds, that it resumes, its file and its table."""

import io
import json
import math
import zipfile

import numpy as np
import pytest
import torch
from scipy import stats

from tests.toys import numpy_encoder, small_model, toy_split
from vae.errors import CheckpointError, ConfigError, DataError
from vae.evidence import comparison as module
from vae.evidence.comparison import (
    Budget,
    Comparison,
    checksum,
    compare,
    comparison_file,
    load_comparison,
    save_comparison,
    table,
)
from vae.evidence.estimates import Estimate
from vae.evidence.exact import exact
from vae.model.checkpoints import Record, save
from vae.model.distributions import generator
from vae.settings.config import TrainConfig

pytestmark = pytest.mark.slow

SMALL = Budget(elbo=20, importance=(4, 64), naive=(10, 1000), chains=4, steps=10)
NAMES = ["elbo", "importance_4", "importance_64", "naive_10", "naive_1000", "ais", "exact"]


def toy(images=6, **changes):
    model = small_model(**{"log_variance_floor": -2.0, **changes})
    return model, model.pixels(toy_split(images).images, generator(0))


def small(model, x, **options):
    return compare(model, x, **{"generator": generator(1), "budget": SMALL, **options})


def same(a, b):
    assert list(a.estimates) == list(b.estimates) and a.settings == b.settings
    torch.testing.assert_close(a.encoder_kl, b.encoder_kl)
    for name, estimate in a.estimates.items():
        other = b.estimates[name]
        assert (estimate.samples, estimate.decodes) == (other.samples, other.decodes)
        for field in ("value", "standard_error", "ess", "k_hat", "error_bound"):
            one, two = getattr(estimate, field), getattr(other, field)
            assert (one is None) == (two is None), (name, field)
            if one is not None:  # all but the values are kept as float32
                torch.testing.assert_close(one, two, rtol=0 if field == "value" else 1e-6, atol=0, equal_nan=True)


def test_every_method_speaks_of_the_same_images():
    model, x = toy()
    found = small(model, x)
    assert list(found.estimates) == NAMES == list(SMALL.methods)
    assert [e.samples for e in found.estimates.values()] == [20, 4, 64, 10, 1000, 4, 0]
    for name, estimate in found.estimates.items():
        assert estimate.value.shape == estimate.standard_error.shape == (6,) and estimate.seconds > 0
        assert (estimate.ess is not None) == name.startswith(("importance", "naive", "ais"))
        assert (estimate.k_hat is not None) == name.startswith("importance")
        assert (estimate.error_bound is not None) == (name == "exact")
    torch.testing.assert_close(found.estimates["exact"].value, exact(model, x).value, rtol=0, atol=1e-3)
    mean, deviation = numpy_encoder(model, x.double().numpy())
    kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum(1)
    np.testing.assert_allclose(found.encoder_kl, kl, atol=1e-5)
    gap = found.estimates["importance_64"].value - found.estimates["exact"].value
    assert (gap.abs() < 6 * found.estimates["importance_64"].standard_error + 1e-3).all()


def test_where_there_is_no_exact_method_the_values_are_not_numbers():
    found = small(*toy(latent=3)).estimates["exact"]
    assert found.value.isnan().all() and found.error_bound.isposinf().all() and found.decodes == 0


def test_a_linear_decoder_has_exact_values_for_any_number_of_dimensions():
    model, x = toy(latent=5, encoder_layers=(), decoder_layers=())
    found = small(model, x).estimates["exact"]
    w, b = (p.detach().double().numpy() for p in (model.decoder.location.weight, model.decoder.location.bias))
    psi = np.exp(-2 + np.logaddexp(0, model.decoder.log_variance.detach().double().numpy() + 2))
    truth = stats.multivariate_normal(b, w @ w.T + np.diag(psi)).logpdf(x.double())
    np.testing.assert_allclose(found.value, truth, atol=1e-4)


def test_batches_of_images_are_put_together(monkeypatch):
    model, x = toy()
    monkeypatch.setattr(module, "_TOGETHER", {"importance": 4, "naive": 4})
    found, whole = small(model, x), exact(model, x).value
    for name in ("importance_64", "naive_1000"):
        estimate = found.estimates[name]
        assert estimate.value.shape == estimate.ess.shape == (6,)
        assert ((estimate.value - whole).abs() < 6 * estimate.standard_error + 1e-2).all()
    assert found.estimates["importance_64"].decodes == 6 * 64 and found.estimates["naive_1000"].decodes == 2 * 1000


def test_it_follows_its_generator_and_leaves_the_global_one_alone():
    model, x = toy()
    before = torch.get_rng_state()
    first, again, other = (small(model, x, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    same(first, again)
    assert not torch.equal(first.estimates["ais"].value, other.estimates["ais"].value)


def test_a_stop_loses_only_the_method_at_work():
    model, x = toy()
    kept = []

    def stop(method, share):
        if method == "importance":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(model, x, keep=kept.append, progress=stop)
    assert [list(c.estimates) for c in kept] == [["elbo"], ["elbo", "naive_10", "naive_1000"]]
    worked = []
    resumed = small(model, x, known=kept[-1], progress=lambda method, share: worked.append(method))
    assert set(worked) == {"importance", "exact", "ais"}
    same(resumed, small(model, x))  # as if it had never been stopped
    assert resumed.estimates["elbo"] is kept[-1].estimates["elbo"]
    calls = []
    same(small(model, x, known=resumed, progress=lambda *a: calls.append(a), keep=calls.append), resumed)
    assert calls == []


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"about": {"model": "b"}}, {"elbo", "naive", "importance", "exact", "ais"}),
        ({"budget": Budget(**{**vars(SMALL), "steps": 11})}, {"ais"}),
        ({"budget": Budget(**{**vars(SMALL), "naive": (10, 900), "tolerance": 1e-2})}, {"naive", "exact"}),
    ],
)
def test_what_other_settings_change_is_run_again(change, again):
    model, x = toy(2)
    known = small(model, x, about={"model": "a"})
    assert small(model, x, about={"model": "a"}).settings == known.settings
    worked, options = set(), {"about": {"model": "a"}, **change}
    found = small(model, x, **options, known=known, progress=lambda method, share: worked.add(method))
    assert worked == again
    same(found, small(model, x, **options))


def test_progress_is_told_by_method():
    told = []
    small(*toy(), progress=lambda method, share: told.append((method, share)))
    for method in ("elbo", "naive", "importance", "exact", "ais"):
        shares = [share for name, share in told if name == method]
        assert shares == sorted(shares) and shares[-1] == pytest.approx(1)


def test_mistakes_are_said():
    model, x = toy(2)
    with pytest.raises(DataError):
        compare(model, x[:, :5])
    with pytest.raises(ConfigError, match="chains"):
        small(model, x, budget=Budget(**{**vars(SMALL), "chains": 0}))
    with pytest.raises(ConfigError, match="increase"):
        small(model, x, budget=Budget(**{**vars(SMALL), "naive": (10, 10)}))


def test_a_file_gives_back_what_was_saved(tmp_path):
    path = tmp_path / "deep" / "evidence.npz"
    for comparison in (small(*toy(), about={"model": "a", "seed": 3}), small(*toy(latent=3))):
        save_comparison(path, comparison)
        same(load_comparison(path), comparison)
    assert [p.name for p in path.parent.iterdir()] == ["evidence.npz"]
    with np.load(path, allow_pickle=False) as file:  # not one pickle in it
        assert all(file[name].dtype != object for name in file.files)


def test_a_comparison_in_the_making_is_kept_too(tmp_path):
    kept = []
    small(*toy(), keep=kept.append)
    save_comparison(tmp_path / "e.npz", kept[0])
    same(load_comparison(tmp_path / "e.npz"), kept[0])


def damaged():
    file = io.BytesIO()
    one = Estimate(torch.zeros(2).double(), torch.zeros(2).double(), 1, 1, 0.5)
    nil = np.zeros(())
    good = {"settings": np.array(json.dumps({"format": 1})), "encoder_kl": np.zeros(2), "a.cost": np.ones(3)}

    def npz(**arrays):
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    np.save(file, np.zeros(3))
    pickled = io.BytesIO()
    np.savez(pickled, **{**good, "settings": np.array([{"format": 1}], dtype=object)}, allow_pickle=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("settings.npy", b"nothing")
    return {
        "empty": b"", "text": b"not a zip", "array": file.getvalue(), "zip": archive.getvalue(),
        "pickle": pickled.getvalue(), "bare": npz(), "no settings": npz(encoder_kl=np.zeros(2)),
        "not json": npz(**{**good, "settings": np.array("{")}),
        "a list": npz(**{**good, "settings": np.array("[1]")}),
        "newer": npz(**{**good, "settings": np.array(json.dumps({"format": 2}))}),
        "no value": npz(**good), "uneven": npz(**good, **{"a.value": np.zeros(3), "a.standard_error": np.zeros(2)}),
        "words": npz(**good, **{"a.value": np.array(["x", "y"]), "a.standard_error": np.zeros(2)}),
        "scalar": npz(**{**good, "encoder_kl": nil, "a.value": nil, "a.standard_error": nil}),
        "cost": npz(**{**good, "a.cost": np.ones(2)}, **{"a.value": one.value.numpy()}),
        "infinite cost": npz(**{**good, "a.cost": np.full(3, np.inf)}, **{"a.value": np.zeros(2)}),
    }  # fmt: skip


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_file_is_said(tmp_path, kind):
    path = tmp_path / "evidence.npz"
    path.write_bytes(damaged()[kind])
    with pytest.raises(CheckpointError, match=r"not a complete comparison|format 2"):
        load_comparison(path)


def test_a_file_cut_anywhere_is_said(tmp_path):
    path = tmp_path / "evidence.npz"
    save_comparison(path, small(*toy(2)))
    whole = path.read_bytes()
    for end in range(0, len(whole), len(whole) // 50):
        path.write_bytes(whole[:end])
        with pytest.raises(CheckpointError):
            load_comparison(path)


def test_where_there_is_none_the_command_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="`vae compare"):
        load_comparison(tmp_path / "evidence.npz")


def test_it_lies_beside_the_model_and_knows_its_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_CHECKPOINTS", str(tmp_path))
    sums = []
    for seed in (0, 1):
        model = small_model(seed)
        path = save(model, Record(name="a", model=model.config, training=TrainConfig()), overwrite=True)
        assert comparison_file("a", "mnist") == path.parent / "evidence-mnist.npz" == comparison_file(path, "mnist")
        sums.append(checksum("a"))
    assert sums[0] != sums[1] and len(sums[0]) == 64


def columns(text):
    return {line.split("|")[1].strip(): [c.strip() for c in line.split("|")[2:-1]] for line in text.splitlines()[2:-2]}


def made(**values):
    """A comparison of four images from plain lists."""
    estimates = {
        name: Estimate(
            torch.tensor(value).double(), torch.full((4,), 0.2).double(), 5, 20, 1.25,
            error_bound=torch.full((4,), 1e-4) if name == "exact" else None,
        )
        for name, value in values.items()
    }  # fmt: skip
    return Comparison(estimates=estimates, encoder_kl=torch.full((4,), 3.0).double())


def test_the_table_has_means_errors_and_the_worst_image():
    nan = math.nan
    text = table(made(elbo=[1.0, 2.0, 3.0, 6.0], ais=[2.5, 3.0, 4.0, 9.0], exact=[2.0, 3.0, 4.0, nan]))
    rows = columns(text)
    spread = f"{np.std([1, 2, 3, 6], ddof=1) / 2:.3f}"
    assert rows["elbo"] == ["3.000", spread, "0.100", "1.2", "-1.000", "-1.000"]
    assert rows["ais"][-2:] == ["0.167", "0.500"] and rows["exact"][0] == "3.000" and rows["exact"][-1] == "–"
    assert text.endswith("4 images; KL of the encoder 3.00 nats; exact within 0.0001 nats; 1 not converged.")


def test_the_table_where_nothing_is_exact():
    text = table(made(elbo=[1.0, 2.0, 3.0, 6.0], exact=[math.nan] * 4))
    assert list(columns(text)) == ["elbo"] and columns(text)["elbo"][-2:] == ["–", "–"]
    assert text.endswith("4 images; KL of the encoder 3.00 nats.")


def test_the_table_of_one_image():
    found = small(*toy(1))
    assert all(row[1] == "–" for row in columns(table(found)).values()) and "nan" not in table(found)
