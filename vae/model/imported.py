"""Models from elsewhere: an encoder and a decoder that are graphs, as distributions over latents and pixels.

encoder     pixels (N, D)  to  mean, log variance       (N, J) each
decoder     z (N, J)       to  logits                   (N, D), of a Bernoulli
                           or  mean, log variance       (N, D), (N, D) or (N, 1), of a Gaussian
                           or  mean                     (N, D), whose log variance is a constant of the model
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vae.errors import CheckpointError
from vae.model.distributions import BinaryPixels, diagonal_normal
from vae.model.graphs import Graph
from vae.model.vae import VAE
from vae.settings import ImportedConfig

__all__ = ["ImportedDecoder", "ImportedEncoder", "assemble", "graphs_of", "rebuild"]

_PARTS = ("encoder", "decoder")


class ImportedEncoder(nn.Module):
    """q(z|x), a diagonal Gaussian over the latents of an image."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, x: Tensor) -> Independent:
        """Returns q(z|x), event shape (J,), for pixels (..., D)."""
        mean, log_variance = _called(self.graph, x)
        return diagonal_normal(mean.clamp(-1e4, 1e4), log_variance.clamp(-30, 12))


class ImportedDecoder(nn.Module):
    """p(x|z) over the pixels of an image."""

    def __init__(self, graph: Graph, config: ImportedConfig, log_variance: Tensor | None) -> None:
        super().__init__()
        self.graph, self.config = graph, config
        self.location = nn.Identity()  # input of the density; the lesson attaches a hook to it, as in `Decoder`
        self.log_variance = None if log_variance is None else nn.Parameter(log_variance, requires_grad=False)

    def forward(self, z: Tensor) -> Distribution:
        """Returns p(x|z), event shape (D,), for latents (..., J)."""
        outputs, *rest = _called(self.graph, z)
        location = self.location(outputs)
        if self.config.likelihood == "bernoulli":
            return Independent(BinaryPixels(logits=location), 1)
        log_variance = rest[0] if self.log_variance is None else self.log_variance
        return diagonal_normal(location, log_variance.clamp(-80, 80))

    def mean(self, z: Tensor) -> Tensor:
        """Returns E[x|z] (..., D) alone, for latents (..., J)."""
        location = _called(self.graph, z)[0]
        return location.sigmoid() if self.config.likelihood == "bernoulli" else location


def assemble(config: ImportedConfig, encoder: Graph, decoder: Graph, log_variance: Tensor | None = None) -> VAE:
    """Makes a model of two graphs, in evaluation mode and without gradients.

    Arguments:
        config: of the model; whether it has kinks is determined from the graphs.
        encoder, decoder: the networks, as described at the top of this module.
        log_variance: (1,) or (D,), for a Gaussian whose decoder returns only the mean.

    Raises:
        CheckpointError: the outputs of the networks do not match the config.
    """
    latent, pixels = (config.latent,), (config.pixels,)
    heads = [pixels] if config.likelihood == "bernoulli" or log_variance is not None else [pixels, pixels]
    shared = [pixels, (1,)]
    for what, graph, inputs, wanted in (
        ("encoder", encoder, config.pixels, [latent, latent]),
        ("decoder", decoder, config.latent, heads),
    ):
        came, _ = graph.shapes(inputs)
        if came != wanted and not (what == "decoder" and len(heads) == 2 and came == shared):
            say = " and ".join(" x ".join(map(str, shape)) or "1" for shape in came)
            want = " and ".join(str(shape[0]) for shape in wanted)
            raise CheckpointError(f"For each image the {what} must return {want} numbers; it returns {say}.")
    if log_variance is not None and (
        config.likelihood == "bernoulli" or tuple(log_variance.shape) not in ((1,), pixels)
    ):
        raise CheckpointError(
            f"A constant log variance must be one number or {config.pixels}, and the likelihood Gaussian; "
            "here it is not."
        )
    settled = ImportedConfig(**config.to_dict() | {"image_shape": config.image_shape, "kinks": not decoder.smooth})
    model = VAE(ImportedEncoder(encoder), ImportedDecoder(decoder, settled, log_variance), settled)
    return model.eval().requires_grad_(False)


def graphs_of(model: VAE) -> dict[str, Any]:
    """Returns both networks of a model from elsewhere without their weights, as JSON types."""
    return {part: getattr(model, part).graph.to_dict() for part in _PARTS}


def rebuild(config: ImportedConfig, graphs: Any, weights: Mapping[str, Tensor]) -> VAE:
    """Rebuilds a model from its config, the result of `graphs_of`, and its `state_dict`.

    Raises:
        CheckpointError: they do not match.
    """
    found = []
    for part in _PARTS:
        says = graphs.get(part) if isinstance(graphs, dict) else None
        if not isinstance(says, dict) or set(says) != {"nodes", "outputs"}:
            raise CheckpointError(f"The file of a model from elsewhere must describe its {part}; this one does not.")
        prefix = f"{part}.graph.weights."
        own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        if set(own) != set(map(str, range(len(own)))):
            raise CheckpointError(f"The weights of the {part} must be numbered from 0 without gaps; some are missing.")
        found.append(Graph(says["nodes"], says["outputs"], [own[str(i)] for i in range(len(own))]))
    constant = weights.get("decoder.log_variance")
    model = assemble(config, found[0], found[1], constant)
    if odd := sorted(weights.keys() - model.state_dict().keys()):
        raise CheckpointError(f"Weights must belong to the encoder or to the decoder; {', '.join(odd[:3])} do not.")
    return model


def _called(graph: Graph, rows: Tensor) -> tuple[Tensor, ...]:
    """Calls a network, which takes (N, inputs), with (..., inputs)."""
    outputs = graph(rows.reshape(-1, rows.shape[-1]))
    return tuple(each.reshape(*rows.shape[:-1], each.shape[-1]) for each in outputs)
