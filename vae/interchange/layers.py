"""PyTorch layers built from a state dict and the entries of a description; see `vae.interchange.descriptions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from vae.errors import CheckpointError, ConfigError

__all__ = ["ACTIVATIONS", "check_keys", "stack"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "selu": nn.SELU, "gelu": nn.GELU, "silu": nn.SiLU,
    "mish": nn.Mish, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "softplus": nn.Softplus, "hardtanh": nn.Hardtanh,
    "dropout": nn.Identity, "flatten": nn.Flatten,
}  # fmt: skip
_MOST_LAYERS = 200
_OPTIONS = {
    "conv": {"stride", "padding", "dilation", "groups"},
    "conv_transpose": {"stride", "padding", "output_padding", "dilation", "groups"},
    "batch_norm": {"epsilon"},
    "leaky_relu": set(),
    "reshape": set(),
}


class _Linear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.flatten(1))


class _BatchNorm(nn.Module):
    """For rows and for planes."""

    def __init__(self, weights: dict[str, Tensor], epsilon: float) -> None:
        super().__init__()
        for name in ("running_mean", "running_var", "weight", "bias"):
            self.register_buffer(name, weights.get(name))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        mean, variance, weight, bias = (getattr(self, n) for n in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, self.epsilon)


def stack(entries: Any, state: dict[str, Tensor]) -> nn.Sequential:
    """Builds layers from one or several entries of a description, with their weights.

    Raises:
        CheckpointError: weights do not match their layer.
        ConfigError: an entry does not have the right form, or names something that the state dict does not have.
    """
    entries = entries if isinstance(entries, list) else [entries]
    if len(entries) > _MOST_LAYERS:
        raise ConfigError(f"A network may have at most {_MOST_LAYERS} layers; this one has {len(entries):,}.")
    return nn.Sequential(*(_layer(entry, state) for entry in entries))


def _layer(entry: Any, state: dict[str, Tensor]) -> nn.Module:
    """Builds a layer from an entry: a name, or a table with a kind, its argument, and options."""
    if isinstance(entry, str):
        weights = _weights(entry, state)
        if not weights and entry in ACTIVATIONS:
            return ACTIVATIONS[entry]()
        return _filled(_of_shape(entry, weights, state), weights, entry)
    kind = next((each for each in _OPTIONS if isinstance(entry, dict) and each in entry), None)
    if kind is None:
        raise ConfigError(
            f"A layer must be a name, or a table with one of {', '.join(_OPTIONS)}; {entry!r:.80} is neither."
        )
    options = {name: value for name, value in entry.items() if name != kind}
    check_keys(kind, options, set(), _OPTIONS[kind])
    of = entry[kind]
    if kind == "leaky_relu":
        return nn.LeakyReLU(_number(kind, of, 0, 1))
    if kind == "reshape":
        if not isinstance(of, list) or not 1 <= len(of) <= 3 or not all(type(side) is int and side > 0 for side in of):
            raise ConfigError(
                f"reshape must be a list of at most three whole numbers, such as [64, 7, 7]; it is {of!r:.80}."
            )
        return nn.Unflatten(1, of) if len(of) > 1 else nn.Flatten()
    weights = _weights(of, state) if isinstance(of, str) else {}
    if kind == "batch_norm":
        return _batch_norm(of, weights, state, _number("epsilon", options.get("epsilon", 1e-5), 0, 1))
    if "weight" not in weights or weights["weight"].ndim != 4:
        raise _absent(of, state, "a convolution's weight of four dimensions")
    whole = {name: _whole(name, value) for name, value in options.items()}
    return _filled(_convolution(kind, weights["weight"], whole), weights, of)


def _of_shape(name: str, weights: dict[str, Tensor], state: dict[str, Tensor]) -> nn.Module:
    """Builds the layer, without weights, that these weights would match."""
    if "running_mean" in weights:
        return _batch_norm(name, weights, state, 1e-5)
    weight = weights.get("weight")
    if weight is not None and weight.ndim == 2:
        return _Linear(weight.shape[1], weight.shape[0], "bias" in weights, device="meta")
    if weight is not None and weight.ndim == 4:
        return _convolution("conv", weight, {})
    if weight is not None and weight.ndim == 1:
        return (
            nn.LayerNorm(weight.shape[0], device="meta") if "bias" in weights else nn.PReLU(len(weight), device="meta")
        )
    raise _absent(name, state, "a layer or an activation")


def _convolution(kind: str, weight: Tensor, options: dict[str, int]) -> nn.Module:
    first, second, *sides = weight.shape
    groups = options.get("groups", 1)
    make: Any = nn.Conv2d if kind == "conv" else nn.ConvTranspose2d
    channels = (second * groups, first) if kind == "conv" else (first, second * groups)
    try:
        return make(*channels, tuple(sides), bias=True, device="meta", **options)
    except Exception as error:  # from torch, about channels and groups
        raise ConfigError(f"A layer {kind} cannot be made: {' '.join(str(error).split()):.160}.") from error


def _filled(layer: nn.Module, weights: dict[str, Tensor], name: str) -> nn.Module:
    """Copies the weights into a layer that was built without any."""
    if isinstance(layer, _BatchNorm):
        return layer
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and "bias" not in weights:
        layer.bias = None
    try:
        layer.load_state_dict({key: weights[key] for key in layer.state_dict()}, assign=True)
    except Exception as error:  # from torch, about sizes or a missing name
        raise CheckpointError(
            f"The weights of {name!r:.80} do not match a layer: {' '.join(str(error).split()):.160}."
        ) from error
    return layer


def _batch_norm(name: Any, weights: dict[str, Tensor], state: dict[str, Tensor], epsilon: float) -> _BatchNorm:
    if not {"running_mean", "running_var"} <= weights.keys():
        raise _absent(name, state, "a batch normalisation with running_mean and running_var")
    return _BatchNorm(weights, epsilon)


def _weights(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors of a layer by their last names."""
    return {
        key: state[f"{name}.{key}"].float()
        for key in ("weight", "bias", "running_mean", "running_var")
        if f"{name}.{key}" in state
    }


def _absent(name: Any, state: dict[str, Tensor], what: str) -> ConfigError:
    there = sorted({key.rpartition(".")[0] for key in state} - {""})
    return ConfigError(
        f"{name!r:.80} is not {what} here. " + (f"The file has {', '.join(there)!s:.200}." if there else "")
    )


def check_keys(what: str, said: Any, needed: set[str], allowed: set[str] | None = None) -> None:
    """Rejects anything but a table that has all the needed keys and no others than those and the allowed ones.

    Raises:
        ConfigError: it is not a table, lacks a key, or has another.
    """
    allowed = allowed or set()
    if not isinstance(said, dict):
        raise ConfigError(f"{what} must be a table of names and values; it is {said!r:.80}.")
    if missing := sorted(needed - said.keys()):
        raise ConfigError(f"{what} lacks {', '.join(missing)}; it needs {', '.join(sorted(needed))}.")
    if unknown := sorted(said.keys() - needed - allowed):
        raise ConfigError(
            f"{what} must not have {', '.join(unknown)!s:.80}; it may have "
            f"{', '.join(sorted(needed | allowed)) or 'no options'}."
        )


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 64:
        raise ConfigError(f"{name} must be a whole number from 0 to 64; it is {value!r:.80}.")
    return value


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name} must be a number from {low} to {high}; it is {value!r:.80}.")
    return float(value)
