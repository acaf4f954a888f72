"""Limits for students. The lecturer sets them on the page Class; they are stored in the file of the class."""

import json
from dataclasses import asdict, dataclass, fields

from streamlit import config

from pages.classroom import roles
from pages.ui.language import _
from vae import Preset
from vae.errors import ConfigError
from vae.model import count_weights
from vae.paths import write_aside

__all__ = ["HIGHEST", "Limits", "check", "get", "put", "tell_server"]

HIGHEST = {
    "epochs": 1000, "minutes": 24 * 60, "weights": 200_000_000, "trainings": 100, "models": 1000, "sets": 1000,
    "megabytes": 200,
}  # fmt: skip
_PIXELS = 10_000_000  # per training step, over images and samples; more could exhaust memory


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for each student.

    Attributes:
        epochs, minutes: of one training run; minutes count from when it starts to run, including pauses.
        weights: of a model that is trained.
        trainings: runs of a student that are running or waiting at a time.
        models, sets: of a student at a time, whether trained, copied or uploaded.
        megabytes: of one upload.

    Raises:
        ConfigError: a limit is not a whole number from 1 to `HIGHEST`.
    """

    epochs: int = 20
    minutes: int = 15
    weights: int = 3_000_000
    trainings: int = 3
    models: int = 20
    sets: int = 5
    megabytes: int = 20

    def __post_init__(self) -> None:
        for name, highest in HIGHEST.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= highest:
                says = _("A limit must be a whole number from 1 to {highest:,}; {name} is {value!r}.")
                raise ConfigError(says.format(highest=highest, name=name, value=value))


def get() -> Limits:
    """Returns the limits of the class.

    Raises:
        ConfigError: the class's file is missing or damaged.
    """
    found = roles.register().get("limits", {})
    names = {field.name for field in fields(Limits)}
    return Limits(**{name: value for name, value in dict(found).items() if name in names})


def put(limits: Limits) -> None:
    """Sets the limits, which only the lecturer may. They apply from each student's next action.

    Raises:
        ConfigError: the session is not the lecturer's, or the class's file is missing or damaged.
        CheckpointError: writing to disk fails.
    """
    if roles.role() is not roles.Role.LECTURER:
        raise ConfigError(_("Only the lecturer can set the limits of a class. Open the page with the lecturer's link."))
    content = roles.register() | {"limits": asdict(limits)}
    write_aside(roles.folder() / roles.REGISTER, json.dumps(content, indent=1).encode())


def tell_server() -> None:
    """Makes the server refuse larger uploads from anyone while they arrive, before they fill its memory."""
    if roles.active():
        config.set_option("server.maxUploadSize", get().megabytes)


def check(plan: Preset) -> None:
    """Checks a student's plan against the limits.

    Raises:
        ConfigError: it exceeds a limit of the class.
    """
    limits, (model, training) = get(), plan
    if training.epochs > limits.epochs:
        says = _("A training run in this class can have at most {most} epochs; this one has {count}. Choose fewer.")
        raise ConfigError(says.format(most=limits.epochs, count=training.epochs))
    if (count := count_weights(model)) > limits.weights:
        says = _(
            "A model in this class can have at most {most:,} weights; this one has {count:,}. Choose narrower layers."
        )
        raise ConfigError(says.format(most=limits.weights, count=count))
    if training.batch_size * training.samples * model.pixels > _PIXELS:
        says = _(
            "A training step in this class can process at most {most:,} pixels: images × samples × pixels per "
            "image. Choose fewer images or samples."
        )
        raise ConfigError(says.format(most=_PIXELS))
