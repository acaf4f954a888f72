"""Configs: what goes in comes out, and what is wrong is said by name."""

import dataclasses
import json
import math
import re
from typing import Any

import pytest

from vae.errors import ConfigError, VAEError
from vae.settings.config import ACTIVATIONS, LIKELIHOODS, OBJECTIVES, SCHEDULES, ModelConfig, TrainConfig

MODELS = [
    ModelConfig(),
    *(ModelConfig(likelihood=likelihood) for likelihood in LIKELIHOODS),
    *(ModelConfig(activation=activation) for activation in ACTIVATIONS),
    ModelConfig(latent=1024, log_variance_floor=None, encoder_layers=(), decoder_layers=(), image_shape=(1, 1)),
    ModelConfig(log_variance_floor=-6, encoder_layers=(1,) * 32, decoder_layers=(16384,), image_shape=(3, 5)),
    ModelConfig(image_shape=(64, 64, 3)),
    ModelConfig(log_variance_floor=-0.1 - 0.2),
]
TRAININGS = [
    TrainConfig(),
    *(TrainConfig(objective=objective) for objective in OBJECTIVES),
    TrainConfig(data="a name", samples=1000, epochs=100_000, batch_size=1, seed=2**63 - 1),
    TrainConfig(learning_rate=1, weight_decay=10, batch_size=60_000),
    TrainConfig(learning_rate=1e-300, weight_decay=0.1 + 0.2),
    *(TrainConfig(schedule=schedule) for schedule in SCHEDULES),
    TrainConfig(schedule="cosine", warmup=0.5, adam_beta1=0, adam_beta2=0.95, adam_epsilon=1e-4, share=1e-9),
    TrainConfig(beta=4, beta_warmup=2.5, free_bits=0.1),
    TrainConfig(objective="iwae", samples=50, beta=0),
]


@pytest.mark.parametrize("config", [*MODELS, *TRAININGS])
def test_a_config_survives_json(config):
    assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert type(config).from_dict(config.to_dict()) == config
    assert set(config.to_dict()) == {field.name for field in dataclasses.fields(config)}


NOT_WIDTHS = [[8], 8, None, (1,) * 33]
WRONG = [
    (ModelConfig, "latent", [0, -1, 1025, 2.0, "2", True, None, float("nan")]),
    (ModelConfig, "likelihood", ["Gaussian", "", None, 1, ["gaussian"]]),
    (ModelConfig, "activation", ["gelu", None, ("relu",)]),
    (ModelConfig, "log_variance_floor", [-40.1, 4.1, float("nan"), float("-inf"), "-6", True, 10**400]),
    (ModelConfig, "encoder_layers", NOT_WIDTHS),
    (ModelConfig, "decoder_layers", NOT_WIDTHS),
    (ModelConfig, "channels", NOT_WIDTHS),
    (ModelConfig, "image_shape", [*NOT_WIDTHS, (28,), (28, 28, 1), ()]),
    (TrainConfig, "data", ["", None, 3]),
    (TrainConfig, "objective", ["ELBO", None, "beta-vae"]),
    (TrainConfig, "schedule", ["linear", None, 1]),
    (TrainConfig, "initial", ["zero", None, 1]),
    (TrainConfig, "share", [0, -0.1, 1.01, float("nan"), None, True, "1"]),
    (TrainConfig, "beta", [-0.1, 1001, float("nan"), float("inf"), None, True, "1"]),
    (TrainConfig, "beta_warmup", [-1, 100_001, float("nan"), None]),
    (TrainConfig, "free_bits", [-0.1, 101, float("nan"), None]),
    (TrainConfig, "warmup", [-1, 100_001, float("nan"), None]),
    (TrainConfig, "adam_beta1", [-0.1, 1, float("nan"), None, 0.95, 0.04]),
    (TrainConfig, "adam_beta2", [-0.1, 1, float("nan"), None]),
    (TrainConfig, "adam_epsilon", [0, -1e-8, 1.1, float("nan"), None]),
    (TrainConfig, "samples", [0, 1001, 1.0, True]),
    (TrainConfig, "epochs", [0, -3, 2.5, 100_001, None]),
    (TrainConfig, "batch_size", [0, 60_001, 32.0, "32"]),
    (TrainConfig, "learning_rate", [0, -1e-3, 1.001, float("nan"), float("inf"), "0.1", None, False]),
    (TrainConfig, "weight_decay", [-1e-9, 10.1, float("nan"), None, 10**400]),
    (TrainConfig, "seed", [-1, 2**63, 0.0, None, True]),
]


@pytest.mark.parametrize(
    ("kind", "name", "value"), [(kind, name, value) for kind, name, many in WRONG for value in many]
)
def test_a_wrong_value_is_refused_with_the_field_and_what_came(kind: Any, name: str, value: Any):
    with pytest.raises(ConfigError) as caught:
        kind(**{name: value})
    message = str(caught.value)
    assert message.startswith(name) and f"it is {value!r}"[:70] in message
    assert "\n" not in message and message.endswith(".")


@pytest.mark.parametrize("name", ["encoder_layers", "decoder_layers", "channels", "image_shape"])
@pytest.mark.parametrize("width", [0, -1, 16385, 8.0, True, "8", None])
def test_a_wrong_width_is_refused_with_the_field_and_what_came(name: str, width: Any):
    with pytest.raises(ConfigError, match=rf"^{name} .* it is {width!r}\.$"):
        ModelConfig.from_dict({name: (4, width)})


def test_a_config_error_can_be_caught_as_either():
    assert issubclass(ConfigError, VAEError) and issubclass(ConfigError, ValueError)


@pytest.mark.parametrize("fields", [
    {"objective": "autoencoder", "beta": 2}, {"objective": "autoencoder", "free_bits": 1},
    {"objective": "autoencoder", "beta_warmup": 1}, {"objective": "iwae", "free_bits": 0.5}, {"warmup": 1},
])  # fmt: skip
def test_what_would_do_nothing_is_refused(fields: Any):
    with pytest.raises(ConfigError, match=r"autoencoder|iwae|one-cycle") as caught:
        TrainConfig(**fields)
    assert any(name in str(caught.value) for name in fields)


def test_a_training_from_before_a_field_came_has_its_default():
    old = {"data": "mnist", "objective": "elbo", "samples": 1, "epochs": 50, "batch_size": 128}
    old |= {"learning_rate": 0.002, "weight_decay": 0.1, "seed": 0}
    # but for the precision: there was only one
    assert TrainConfig.from_dict(old) == TrainConfig(epochs=50, weight_decay=0.1, precision="float32")
    assert TrainConfig.from_dict(old | {"precision": "auto"}).precision == "auto"


@pytest.mark.parametrize("kind", [ModelConfig, TrainConfig])
def test_an_unknown_field_is_refused_by_name(kind):
    with pytest.raises(ConfigError, match=r"no field gamma; its fields are .*(latent|epochs)"):
        kind.from_dict({"gamma": 4})


@pytest.mark.parametrize("config", [ModelConfig(), TrainConfig()])
def test_a_config_cannot_be_changed_after_it_was_checked(config):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, dataclasses.fields(config)[0].name, 3)


def test_pixels_and_linear_follow_from_the_fields():
    assert ModelConfig(image_shape=(3, 5)).pixels == 15
    assert ModelConfig(decoder_layers=()).linear and not ModelConfig(encoder_layers=()).linear
    assert not ModelConfig(decoder_layers=(), channels=(8,)).linear


def test_a_model_from_before_it_could_have_channels_has_none():
    old = ModelConfig().to_dict()
    del old["channels"]
    assert ModelConfig.from_dict(old) == ModelConfig(channels=())


@pytest.mark.parametrize(("shape", "most"), [((28, 28), 4), ((2, 9), 1), ((1, 9), 0), ((16, 64), 4)])
def test_each_channel_needs_a_pixel_to_halve(shape: tuple[int, int], most: int):
    ModelConfig(image_shape=shape, channels=(3,) * most)
    with pytest.raises(ConfigError, match=rf"at most {most} for images of .* halves them; there are {most + 1}\.$"):
        ModelConfig(image_shape=shape, channels=(3,) * (most + 1))


@pytest.mark.parametrize("shape", [(128, 128), (1, 128), (64, 64, 3), (1, 1, 3)])
def test_images_may_be_as_large_as_this(shape: tuple[int, ...]):
    assert ModelConfig(image_shape=shape).pixels == math.prod(shape)


@pytest.mark.parametrize(
    ("shape", "rule"),
    [((129, 2), "128 x 128 pixels for grey"), ((2, 65, 3), "64 x 64 pixels for colour"), ((8, 8, 4), r"3\) for")],
)
def test_images_that_are_too_large_or_of_other_channels_are_refused(shape: tuple[int, ...], rule: str):
    with pytest.raises(ConfigError, match=rf"^image_shape must .*{rule}.*; it is {re.escape(str(shape))}\.$"):
        ModelConfig(image_shape=shape)


def test_a_config_knows_its_planes():
    grey, colour = ModelConfig(image_shape=(3, 5)), ModelConfig(image_shape=(3, 5, 3))
    assert (grey.planes, grey.grey, grey.pixels) == ((3, 5, 1), True, 15)
    assert (colour.planes, colour.grey, colour.pixels) == ((3, 5, 3), False, 45)
    assert ModelConfig(image_shape=(1, 3)).grey  # a width of 3 is no colour
    assert colour.at_once(1000) == 1000 and ModelConfig(image_shape=(64, 64, 3)).at_once(1000) == 162
