"""One optimiser step in slow motion: everything that happens to one image of the batch, forward and backward.

q(z|x) = N(mu, sigma^2)    eps ~ N(0, I)    z = mu + sigma * eps    p(x|z)    -log p(x|z) + KL    d/d mu, d/d sigma
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Distribution

from vae.errors import DAMAGE, CheckpointError
from vae.model import pixel_deviation
from vae.paths import write_aside
from vae.training.trainer import Trainer

__all__ = ["SlowStep", "load_slow_step", "save_slow_step", "slow_step"]

Array = NDArray[Any]


class SlowStep(NamedTuple):
    """The computations of one step, for the first image of its batch. In nats; k is the number of samples.

    Attributes:
        step: counted from 1.
        step: counted from 1.
        images: in the batch; the weights change according to the mean over them.
        x: (H, W) or (H, W, 3), the input of the likelihood, in [0, 1].
        mean, deviation: (J,), mu and sigma of q(z|x).
        noise: (k, J), eps as it was sampled; 0 for an autoencoder, which does not sample.
        z: (k, J), mu + sigma * eps.
        decoded_mean, decoded_deviation: (k, H, W) or (k, H, W, 3), of p(x|z), in units of the pixel scale.
        reconstruction, kl: the two parts of the image's ELBO; the losses are -reconstruction and beta * kl.
        kl_by_dimension: (J,).
        objective: of the image, whose mean over the batch is maximised.
        mean_gradient, deviation_gradient: (J,), of the image's loss (-objective), nats per unit.
        weights, weights_change: Euclidean norm of encoder and decoder weights before the step, and of their change.
        learning_rate, beta: of the step.
    """

    step: Array
    images: Array
    x: Array
    mean: Array
    deviation: Array
    noise: Array
    z: Array
    decoded_mean: Array
    decoded_deviation: Array
    reconstruction: Array
    kl: Array
    kl_by_dimension: Array
    objective: Array
    mean_gradient: Array
    deviation_gradient: Array
    weights: Array
    weights_change: Array
    learning_rate: Array
    beta: Array


def slow_step(trainer: Trainer) -> SlowStep:
    """Takes one optimiser step and records it; the weights afterwards are those of `Trainer.advance`, bit for bit.

    Raises:
        DivergenceError: as `Trainer.advance`.
    """
    model, now = trainer.model, trainer.rates
    seen: dict[str, Any] = {}

    def encoded(_: nn.Module, given: tuple[Tensor], q: Distribution) -> None:
        seen.update(x=given[0], q=q.base_dist, source=trainer.noise.get_state())  # type: ignore[attr-defined]
        seen["q"].loc.retain_grad()
        seen["q"].scale.retain_grad()

    def decoded(_: nn.Module, given: tuple[Tensor], p: Distribution) -> None:
        seen.update(z=given[0], p=p)

    parts = (model.encoder, model.decoder)
    before = [_flat(part) for part in parts]
    hooks = [part.register_forward_hook(hook) for part, hook in zip(parts, (encoded, decoded), strict=True)]
    try:
        terms = trainer.advance()
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        q, z = seen["q"], seen["z"]
        if z.dim() == 2:  # an autoencoder decodes the mean
            z, eps = z[None], torch.zeros_like(z)[None]
        else:
            source = torch.Generator(device=z.device).set_state(seen["source"])
            eps = torch.empty_like(z).normal_(generator=source)
        count, p = len(seen["x"]), seen["p"]
        shape = (-1, count, *model.config.image_shape)
        none = torch.zeros_like(q.loc)  # an autoencoder does not use sigma
        after = [_flat(part) for part in parts]
        found = {
            "step": trainer.step, "images": count, "x": seen["x"][0].unflatten(0, model.config.image_shape),
            "mean": q.loc[0], "deviation": q.scale[0], "noise": eps[:, 0], "z": z[:, 0],
            "decoded_mean": p.mean.reshape(shape)[:, 0], "decoded_deviation": pixel_deviation(p).reshape(shape)[:, 0],
            "reconstruction": terms.reconstruction[0], "kl": terms.kl[0], "kl_by_dimension": terms.kl_by_dimension[0],
            "objective": terms.objective[0],
            # of the mean loss over the batch, to which each image contributes 1 / images
            "mean_gradient": count * (none if q.loc.grad is None else q.loc.grad)[0],
            "deviation_gradient": count * (none if q.scale.grad is None else q.scale.grad)[0],
            "weights": torch.stack([part.norm() for part in before]),
            "weights_change": torch.stack([(b - a).norm() for a, b in zip(before, after, strict=True)]),
            "learning_rate": now.learning_rate, "beta": now.beta,
        }  # fmt: skip
    return SlowStep(**{key: _array(value) for key, value in found.items()})


def save_slow_step(path: Path, step: SlowStep) -> None:
    """Writes a step to a file, under a temporary name first.

    Raises:
        CheckpointError: the file cannot be written.
    """
    content = io.BytesIO()
    np.savez_compressed(content, **step._asdict())
    write_aside(path, content.getvalue())


def load_slow_step(path: Path) -> SlowStep | None:
    """Reads a step from a file; returns None if there is no file.

    Raises:
        CheckpointError: the file is damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return SlowStep(**{key: arrays[key] for key in SlowStep._fields})
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        raise CheckpointError(f"{path} is damaged ({error!s:.200}). Take another step.") from error


def _flat(part: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in part.parameters()])


def _array(value: Tensor | float) -> Array:
    return value.detach().cpu().numpy().copy() if isinstance(value, Tensor) else np.array(value)
