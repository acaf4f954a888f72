"""Settings that are known to work, by name; a flag given beside one goes first."""

from __future__ import annotations

from typing import NamedTuple

from vae.config import ModelConfig, TrainConfig

__all__ = ["PRESETS", "Preset"]


class Preset(NamedTuple):
    """What it is for, and the settings."""

    words: str
    model: ModelConfig
    training: TrainConfig


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        "binary digits, 784-400-20, as good in 4 epochs as in 10 of a constant learning rate",
        ModelConfig(latent=20, likelihood="bernoulli", encoder_layers=(400,), decoder_layers=(400,)),
        TrainConfig(epochs=4, learning_rate=1e-2, adam_beta2=0.99),
    ),
    "record": Preset(
        "binary digits, 50 latents, convolutional: better than 84.78 nats in 20 minutes of two cores",
        ModelConfig(
            latent=50, likelihood="bernoulli", activation="silu", channels=(32, 64), encoder_layers=(256,),
            decoder_layers=(256,),
        ),
        TrainConfig(epochs=100, learning_rate=5e-3, adam_beta2=0.99),
    ),
    # Burda, Grosse & Salakhutdinov (2016): a minibatch of 20, Adam's epsilon 1e-4, and a rate that falls from 1e-3 to
    # 1e-4 over 3,280 epochs; here it falls to 0 over as many as fit
    "burda": Preset(
        "binary digits, 784-200-200-50, tanh, the IWAE bound with k = 50: as Burda et al. (2016) have it, but shorter",
        ModelConfig(
            latent=50, likelihood="bernoulli", activation="tanh", encoder_layers=(200, 200), decoder_layers=(200, 200)
        ),
        TrainConfig(
            objective="iwae", samples=50, epochs=40, batch_size=20, learning_rate=1e-3, schedule="cosine",
            adam_epsilon=1e-4,
        ),
    ),
}  # fmt: skip
