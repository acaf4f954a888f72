"""Settings that are known to work, by name, and a model adapted to images of another size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from vae.settings.config import ModelConfig, TrainConfig

__all__ = ["PRESETS", "Preset", "fitted_to"]


class Preset(NamedTuple):
    """A model and its training."""

    model: ModelConfig
    training: TrainConfig


_WIDE = ModelConfig(encoder_layers=(1024, 512))
PRESETS: dict[str, Preset] = {
    # for watching a latent space form in front of a class
    "quick-2d": Preset(ModelConfig(), TrainConfig(epochs=10)),
    "quick-bernoulli-2d": Preset(ModelConfig(likelihood="bernoulli", activation="silu"), TrainConfig(epochs=10)),
    # 784-400-20 on binary digits: 4 epochs are as good as 10 with 128 images per step at Adam's usual rate
    "quick-20d": Preset(
        ModelConfig(latent=20, likelihood="bernoulli", encoder_layers=(400,), decoder_layers=(400,)),
        TrainConfig(epochs=4, batch_size=256, learning_rate=1e-2, adam_beta2=0.99, initial="mean-image"),
    ),
    # the models that ship; their cards have the results
    "mnist-2d": Preset(_WIDE, TrainConfig(epochs=50, weight_decay=0.1)),
    "mnist-5d": Preset(ModelConfig(latent=5), TrainConfig(epochs=60, weight_decay=0.1)),
    "mnist-20d": Preset(ModelConfig(latent=20), TrainConfig(epochs=40, weight_decay=0.1)),
    "mnist-bernoulli-2d": Preset(
        ModelConfig(likelihood="bernoulli", activation="silu"),
        TrainConfig(epochs=30, weight_decay=0.1, precision="float32"),
    ),
    # objectives other than the ELBO
    "beta-10d": Preset(ModelConfig(latent=10), TrainConfig(epochs=10, beta=4, beta_warmup=2)),
    "free-bits-20d": Preset(
        ModelConfig(latent=20, likelihood="bernoulli"), TrainConfig(epochs=10, free_bits=0.5)
    ),
    "iwae-2d": Preset(
        ModelConfig(likelihood="bernoulli", activation="silu"), TrainConfig(epochs=10, objective="iwae", samples=10)
    ),
    # 83.57 nats on binary test images by importance sampling, in a quarter of an hour: benchmarks/README.md
    "record": Preset(
        ModelConfig(
            latent=50, likelihood="bernoulli", activation="silu", channels=(32, 64), encoder_layers=(256,),
            decoder_layers=(256,),
        ),
        TrainConfig(epochs=110, learning_rate=5e-3, adam_beta2=0.99),
    ),
    # images of other sizes, taken from the data set: one core learns from about 4,600, 400 and 200 per second
    "colour-28": Preset(
        ModelConfig(latent=20, image_shape=(28, 28, 3)), TrainConfig(epochs=15)
    ),
    "colour-64": Preset(
        ModelConfig(
            latent=32, channels=(32, 64, 128), encoder_layers=(256,), decoder_layers=(256,), image_shape=(64, 64, 3)
        ),
        TrainConfig(epochs=15, learning_rate=1e-3),
    ),
    "grey-128": Preset(
        ModelConfig(
            latent=32, channels=(16, 32, 64, 128), encoder_layers=(256,), decoder_layers=(256,), image_shape=(128, 128)
        ),
        TrainConfig(epochs=15, learning_rate=1e-3),
    ),
    # Burda, Grosse & Salakhutdinov (2016), who report 84.78: k = 50, minibatches of 20, Adam's epsilon 1e-4, and a
    # rate that falls from 1e-3 to 1e-4 in eight stages over 3,280 epochs; here it falls to 0 over the epochs given
    "burda": Preset(
        ModelConfig(
            latent=50, likelihood="bernoulli", activation="tanh", encoder_layers=(200, 200), decoder_layers=(200, 200)
        ),
        TrainConfig(
            objective="iwae", samples=50, epochs=45, batch_size=20, learning_rate=1e-3, schedule="cosine",
            adam_epsilon=1e-4,
        ),
    ),
}  # fmt: skip


_CHANNELS = (32, 64, 128, 128)
_SMALL_GREY, _SMALL_COLOUR = 64, 32  # pixels per side up to which a perceptron suffices
_INNERMOST = 8  # pixels per side after the convolutions, at most


def fitted_to(model: ModelConfig, image_shape: tuple[int, ...], keep_channels: bool = False) -> ModelConfig:
    """Adapts a model to images of a shape, with convolutions if they are too large for a perceptron.

    Images larger than 64 x 64 in grey or 32 x 32 in colour get convolutions, as many as are needed to reduce the longer
    side to 8.

    Arguments:
        model: the model to adapt.
        image_shape: (H, W), or (H, W, 3) for colour.
        keep_channels: whether to keep its channels in any case.

    Raises:
        ConfigError: there are no models for such images.
    """
    longer, shorter = max(image_shape[:2]), min(image_shape[:2])
    channels = model.channels
    if not (channels or keep_channels) and longer > (_SMALL_COLOUR if len(image_shape) == 3 else _SMALL_GREY):
        halvings = sum(longer > _INNERMOST << i for i in range(len(_CHANNELS)))
        channels = _CHANNELS[: min(halvings, shorter.bit_length() - 1)]
    changes: dict[str, Any] = {"image_shape": image_shape, "channels": channels}
    return replace(model, **changes)
