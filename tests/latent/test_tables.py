"""Codes as CSV: what is read back is what was written."""

import csv
import io

import numpy as np
import pytest

from tests.toys import small_model, toy_split
from vae.errors import ConfigError
from vae.latent import Codes, codes_csv, encode


def made(size: int, count: int = 7) -> Codes:
    return encode(small_model(latent=size), toy_split(count).images)


@pytest.mark.parametrize("size", [1, 2, 64])
def test_what_is_read_back_is_what_was_written(size: int) -> None:
    codes = made(size)
    labels = ["plain", 'with "quotes"', "with, comma", "é", "汉字", "", "two\nlines"]
    header, *rows = csv.reader(io.StringIO(codes_csv(codes, labels).decode(), newline=""))
    each = range(1, size + 1)
    assert header == [
        "index", "label", *(f"mean_{j}" for j in each), *(f"standard_deviation_{j}" for j in each),
        "kl", *(f"kl_{j}" for j in each),
    ]  # fmt: skip
    assert [row[0] for row in rows] == [str(index) for index in range(7)]
    assert [row[1] for row in rows] == labels
    numbers = np.array([row[2:] for row in rows], np.float32)
    mean, deviation, kl, parts = np.split(numbers, [size, 2 * size, 2 * size + 1], 1)
    assert np.array_equal(mean, codes.mean)
    assert np.array_equal(deviation, codes.deviation)
    assert np.array_equal(parts, codes.kl)
    # KL[N(m, s^2) || N(0, 1)] = (m^2 + s^2 - 1) / 2 - log s, from the columns alone
    m, s = mean.astype(np.float64), deviation.astype(np.float64)
    np.testing.assert_allclose(kl[:, 0], ((m**2 + s**2 - 1) / 2 - np.log(s)).sum(1), rtol=1e-4, atol=1e-5)


def test_without_labels_there_is_no_such_column() -> None:
    assert codes_csv(made(1)).startswith(b"index,mean_1,standard_deviation_1,kl,kl_1\n0,")


def test_of_a_plain_autoencoder_the_means_alone_are_written() -> None:
    assert codes_csv(made(2), list("abcdefg"), plain=True).startswith(b"index,label,mean_1,mean_2\n0,a,")


def test_labels_are_as_many_as_images() -> None:
    with pytest.raises(ConfigError, match="7 images and 2 labels"):
        codes_csv(made(2), ["a", "b"])
