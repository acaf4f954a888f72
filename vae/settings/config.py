"""Frozen dataclasses of settings, each of which defines command-line flags, checkpoint JSON and page controls at once.

A config validates itself when it is created, so every instance is valid.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from vae.errors import ConfigError
from vae.settings.checks import check_choice, check_count, check_range, check_shape, is_number

__all__ = [
    "ACTIVATIONS",
    "INITIALS",
    "LIKELIHOODS",
    "OBJECTIVES",
    "PRECISIONS",
    "SCHEDULES",
    "Activation",
    "AnyConfig",
    "ImportedConfig",
    "Initial",
    "Likelihood",
    "ModelConfig",
    "Objective",
    "Precision",
    "Schedule",
    "TrainConfig",
    "likelihood_words",
]

Likelihood = Literal["gaussian", "gaussian-shared", "bernoulli"]
Activation = Literal["relu", "tanh", "silu"]
Objective = Literal["elbo", "iwae", "autoencoder"]
Schedule = Literal["one-cycle", "constant", "cosine"]
Precision = Literal["auto", "float32", "bfloat16"]
Initial = Literal["random", "mean-image"]

LIKELIHOODS: tuple[Likelihood, ...] = get_args(Likelihood)
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
INITIALS: tuple[Initial, ...] = get_args(Initial)

VALUES_AT_ONCE = 2_000_000  # 8 MB as float32; convolutions need about ten times as much


def option(default: Any, words: str, **facts: Any) -> Any:
    """Declares a field together with its explanation, which `--help` and the pages show alike.

    `before` is the value for configs that were written before the field existed, if that is not the default.
    """
    return field(default=default, metadata={"help": words, **facts})


class _Config:
    """Conversion to and from JSON, the same for every config."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON types."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Makes a config from the result of `to_dict`, with lists converted to tuples.

        Raises:
            ConfigError: a field is unknown, or a value is outside its range.
        """
        known = {f.name: f.metadata for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if unknown := sorted(set(fields) - set(known)):
            raise ConfigError(
                f"{cls.__name__} has no field {', '.join(unknown)}; its fields are {', '.join(sorted(known))}."
            )
        fields = {name: says["before"] for name, says in known.items() if "before" in says} | fields
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()})


class _Images(_Config):
    """What follows from the shape of an image, the same for every model."""

    __slots__ = ()
    image_shape: tuple[int, ...]

    @property
    def pixels(self) -> int:
        """D = H * W * C, the number of values in an image: three per pixel in colour, one in grey.

        A flat image is stored row by row, with the channels of a pixel adjacent.
        """
        return math.prod(self.image_shape)

    @property
    def planes(self) -> tuple[int, int, int]:
        """H, W, C of an image: C is 3 in colour and 1 in grey."""
        height, width = self.image_shape[:2]
        return height, width, 1 if self.grey else 3

    @property
    def grey(self) -> bool:
        """Whether images are grey, (H, W), as opposed to colour, (H, W, 3)."""
        return len(self.image_shape) == 2

    def at_once(self, most: int) -> int:
        """Returns how many images to hold as floats at once: `most`, or fewer if they are large."""
        return max(1, min(most, VALUES_AT_ONCE // self.pixels))


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig(_Images):
    """The architecture and the likelihood of a model.

    With channels the encoder begins with strided convolutions, and the decoder ends with their mirror image; the hidden
    layers are in between. A decoder with neither is the linear model, with mean Wz + b and a variance that does not
    depend on z: factor analysis (`gaussian`) or probabilistic PCA (`gaussian-shared`; Tipping & Bishop 1999).

    Raises:
        ConfigError: a value is outside its range.
    """

    latent: int = option(2, "J, the number of latent dimensions")
    likelihood: Likelihood = option(
        "gaussian", "p(x|z): Gaussian with a variance for each pixel or one per image, or binary pixels"
    )
    log_variance_floor: float | None = option(-6.0, "lower bound on a pixel's log variance, or 'none' for no bound")
    encoder_layers: tuple[int, ...] = option((512, 256), "widths of the encoder's hidden layers")
    decoder_layers: tuple[int, ...] = option(
        (256, 512), "widths of the decoder's hidden layers; empty for a linear decoder"
    )
    channels: tuple[int, ...] = option(
        (), "channels of the encoder's convolutions, each of which halves the image; empty for an MLP"
    )
    activation: Activation = option("relu", "activation function of the hidden layers")
    image_shape: tuple[int, ...] = option(
        (28, 28), "height and width of an image, followed by 3 for colour; by default those of the data set"
    )

    def __post_init__(self) -> None:
        check_count("latent", self.latent, 1, 1024)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        check_choice("activation", self.activation, ACTIVATIONS)
        for name in ("encoder_layers", "decoder_layers", "channels"):
            if not isinstance(getattr(self, name), tuple) or len(getattr(self, name)) > 32:
                raise ConfigError(
                    f"{name} must be a tuple of up to 32 whole numbers; it is {getattr(self, name)!r:.80}."
                )
            for width in getattr(self, name):
                check_count(name, width, 1, 16384)
        check_shape(self.image_shape)
        height, width, _ = self.planes
        if min(height, width) >> len(self.channels) == 0:
            raise ConfigError(
                f"channels must be at most {min(height, width).bit_length() - 1} for images of "
                f"{height} x {width} pixels, because each halves them; there are {len(self.channels)}."
            )
        floor = self.log_variance_floor
        if floor is not None and not (is_number(floor) and -40 <= floor <= 4):
            raise ConfigError(f"log_variance_floor must be between -40 and 4, or None for no floor; it is {floor!r}.")

    @property
    def linear(self) -> bool:
        """Whether the decoder is linear, so that log p(x) has a closed form under a Gaussian likelihood."""
        return not (self.decoder_layers or self.channels)

    @property
    def kinks(self) -> bool:
        """Whether p(x|z) has kinks as a function of z, as with ReLU activations."""
        return self.activation == "relu" and not self.linear


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedConfig(_Images):
    """A model from elsewhere, whose encoder and decoder are graphs (`vae.model.graphs`).

    Raises:
        ConfigError: a value is outside its range.
    """

    latent: int = option(2, "J, the number of latent dimensions")
    likelihood: Likelihood = option(
        "gaussian", "p(x|z): Gaussian with a variance for each pixel or one per image, or binary pixels"
    )
    image_shape: tuple[int, ...] = option((28, 28), "height and width of an image, followed by 3 for colour")
    dequantised: bool = option(True, "whether pixels are dequantised, (u + U[0, 1)) / 256, rather than u / 255")
    kinks: bool = option(True, "whether p(x|z) may have kinks as a function of z, as with ReLU activations")
    origin: str = option("", "where the model comes from, in a few words")

    def __post_init__(self) -> None:
        check_count("latent", self.latent, 1, 1024)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        check_shape(self.image_shape)
        for name in ("dequantised", "kinks"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false; it is {getattr(self, name)!r:.80}.")
        if not isinstance(self.origin, str) or len(self.origin) > 200 or not self.origin.isprintable():
            raise ConfigError(f"origin must be one line of at most 200 characters; it is {self.origin!r:.80}.")

    @property
    def linear(self) -> bool:
        """False: a graph may compute a linear map, but that is not detected."""
        return False

    @property
    def log_variance_floor(self) -> None:
        """None: any bound on the variance is part of the decoder."""
        return None


AnyConfig = ModelConfig | ImportedConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(_Config):
    """How a model is trained: AdamW (Loshchilov & Hutter 2019) with a schedule, see `vae.training.schedules`.

    Raises:
        ConfigError: a value is outside its range, or has no effect with the objective or schedule chosen.
    """

    data: str = option("mnist", "data set")
    share: float = option(1.0, "fraction of the training images to learn from, taken from the start of the set")
    objective: Objective = option("elbo", "the ELBO, the tighter IWAE bound, or only its reconstruction term")
    samples: int = option(1, "samples from q(z|x) per image and step: L for the ELBO, k for the IWAE")
    beta: float = option(1.0, "weight of the KL divergence")
    beta_warmup: float = option(0.0, "epochs over which beta rises from 0 to its value")
    free_bits: float = option(0.0, "nats of KL per latent dimension that are not penalised")
    epochs: int = option(15, "passes over the training images")
    batch_size: int = option(128, "images per step")
    learning_rate: float = option(2e-3, "highest learning rate")
    schedule: Schedule = option("one-cycle", "how the learning rate changes over the training")
    warmup: float = option(0.0, "epochs over which the learning rate rises from 0; one-cycle includes its own warm-up")
    weight_decay: float = option(0.0, "decoupled weight decay (Loshchilov & Hutter 2019)")
    adam_beta1: float = option(0.9, "decay rate of Adam's mean gradient; one-cycle varies it by 0.05 either way")
    adam_beta2: float = option(0.999, "decay rate of Adam's mean squared gradient")
    adam_epsilon: float = option(1e-8, "term added to Adam's denominator for numerical stability")
    precision: Precision = option(
        "auto", "precision of matrix products; auto is bfloat16 where it is faster at no loss", before="float32"
    )
    initial: Initial = option("random", "random biases, or biases with which the decoder starts at the mean image")
    seed: int = option(0, "seed of the random numbers; the same seed gives the same weights on the same machine")

    def __post_init__(self) -> None:
        if not (isinstance(self.data, str) and self.data):
            raise ConfigError(f"data must be the name of a data set; it is {self.data!r}.")
        check_choice("objective", self.objective, OBJECTIVES)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("initial", self.initial, INITIALS)
        check_count("samples", self.samples, 1, 1000)
        check_count("epochs", self.epochs, 1, 100_000)
        check_count("batch_size", self.batch_size, 1, 60_000)
        check_count("seed", self.seed, 0, 2**63 - 1)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("beta", self.beta, 0, 1000)
        check_range("beta_warmup", self.beta_warmup, 0, 100_000)
        check_range("warmup", self.warmup, 0, 100_000)
        check_range("free_bits", self.free_bits, 0, 100)
        check_range("adam_beta1", self.adam_beta1, 0, 0.999)
        check_range("adam_beta2", self.adam_beta2, 0, 0.999999)
        check_range("adam_epsilon", self.adam_epsilon, 1e-16, 1)
        if not (is_number(self.share) and 0 < self.share <= 1):
            raise ConfigError(f"share must be above 0 and at most 1; it is {self.share!r}.")
        if not (is_number(self.learning_rate) and 0 < self.learning_rate <= 1):
            raise ConfigError(f"learning_rate must be above 0 and at most 1; it is {self.learning_rate!r}.")
        self._check_together()

    def _check_together(self) -> None:
        """Rejects settings that would silently have no effect."""
        if self.objective == "autoencoder" and (self.beta, self.beta_warmup, self.free_bits) != (1, 0, 0):
            raise ConfigError(
                "The objective autoencoder has no KL term; leave beta at 1, and beta_warmup and free_bits at 0."
            )
        if self.objective == "iwae" and self.free_bits:
            raise ConfigError(
                f"free_bits must be 0 with the objective iwae, which has no separate KL term; it is {self.free_bits!r}."
            )
        if self.schedule == "one-cycle" and self.warmup:
            raise ConfigError(
                f"warmup must be 0 with one-cycle, which includes a warm-up of its own; it is {self.warmup!r}."
            )
        if self.schedule == "one-cycle" and not 0.05 <= self.adam_beta1 <= 0.94:
            raise ConfigError(
                f"adam_beta1 must be between 0.05 and 0.94 with one-cycle, which varies it; it is {self.adam_beta1!r}."
            )


def likelihood_words(config: AnyConfig) -> str:
    """Describes the likelihood with its variance floor, without which a Gaussian log density cannot be judged."""
    if config.likelihood == "bernoulli":
        return f"{config.likelihood}, binarised at random"
    floor = "no floor" if config.log_variance_floor is None else f"floor {config.log_variance_floor:g}"
    return f"{config.likelihood}, {floor}"
