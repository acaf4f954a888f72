"""Rules that the settings of models and trainings must satisfy, each with an error message."""

from __future__ import annotations

from vae.errors import ConfigError

__all__ = ["MOST_COLOUR", "MOST_GREY", "check_choice", "check_count", "check_range", "check_shape", "is_number"]

MOST_GREY, MOST_COLOUR = 128, 64  # pixels per side


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_count(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}; it is {value!r}.")


def check_range(name: str, value: object, low: float, high: float) -> None:
    if not (isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high):
        raise ConfigError(f"{name} must be between {low:g} and {high:g}; it is {value!r}.")


def check_shape(shape: tuple[int, ...]) -> None:
    """Checks that a shape is one of images that a model can have: (H, W), or (H, W, 3) for colour.

    Raises:
        ConfigError: the shape has another form, or an image of it would be too large.
    """
    if not isinstance(shape, tuple) or (len(shape) != 2 and (len(shape) != 3 or shape[2] != 3)):
        raise ConfigError(
            f"image_shape must be (height, width), or (height, width, 3) for colour; it is {shape!r:.80}."
        )
    for size in shape:
        check_count("image_shape", size, 1, 16384)
    most, kind = (MOST_GREY, "grey") if len(shape) == 2 else (MOST_COLOUR, "colour")
    if max(shape[:2]) > most:
        raise ConfigError(f"image_shape must be at most {most} x {most} pixels for {kind} images; it is {shape!r}.")


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}; it is {value!r}.")
