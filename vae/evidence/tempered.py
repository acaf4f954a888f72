"""The densities between a base and the joint p(x, z), which exact evidence integrates over z."""

from __future__ import annotations

import copy

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from vae.evidence.estimates import CHUNK, Progress, decoding, pairwise_log_prob
from vae.evidence.quadrature import Integrals, log_integrals
from vae.evidence.tiles import NODES
from vae.model import VAE, in_double, quick_products, room, standard_normal, unchecked

__all__ = ["MOST_RADIUS", "Tempered"]

_LEAST_RADIUS, MOST_RADIUS = 6.0, 40.0


class Tempered:
    """log of r(z)^(1 - beta) p(x, z)^beta for a batch of images, each with its own beta."""

    def __init__(self, model: VAE, x: Tensor, betas: Tensor | None = None, base: str = "prior") -> None:
        self.model, self.decoder, self.prior = model, model.decoder, model.prior
        self.x = x.to(model.device).clone()  # a tensor made in inference mode cannot take part in gradients
        self.betas = torch.ones(len(x), device=self.x.device) if betas is None else betas.to(self.x.device)
        with torch.no_grad():
            self.q = model.encoder(self.x).base_dist
        self.base = self.q if base == "encoder" else Normal(torch.zeros_like(self.q.loc), torch.ones_like(self.q.loc))

    def double(self) -> Tempered:
        """Returns the same in float64, except for the encoder: its r remains the one computed in float32."""
        twin = copy.copy(self)
        twin.x = in_double(self.x)
        twin.decoder = copy.deepcopy(self.decoder).to(twin.x.device).double()
        twin.prior = standard_normal(self.model.config.latent, twin.x.device)
        return twin

    def start(self, z: Tensor, rows: Tensor | int) -> Tensor:
        """log r(z)."""
        return Normal(self.base.loc[rows], self.base.scale[rows]).log_prob(z).sum(-1)

    def densities(self, z: Tensor, rows: Tensor) -> Tensor:
        """At points (S, J) for rows (R,), as (S, R)."""
        with torch.inference_mode(), quick_products(), unchecked():
            z = z.to(self.x)
            joint = pairwise_log_prob(self.decoder(z), self.x[rows]) + self.prior.log_prob(z)[:, None]
            if bool((self.betas == 1).all()):
                return joint
            start = self.start(z[:, None], rows)
            return start + self.betas[rows] * (joint - start)

    def paired(self, z: Tensor, rows: Tensor) -> Tensor:
        """At points (N, J), each for one of the rows (N,), as (N,)."""
        z = z.to(self.x)
        joint = self.decoder(z).log_prob(self.x[rows]) + self.prior.log_prob(z)
        start = self.start(z, rows)
        return start + self.betas[rows] * (joint - start)

    def gain(self, z: Tensor) -> NDArray:
        """log p(x, z) / r(z) of the first row, at points (N, J), as (N,)."""
        with torch.no_grad():
            parts = []
            for part in z.split(CHUNK):
                part = part.to(self.x)
                joint = pairwise_log_prob(self.decoder(part), self.x[:1])[:, 0] + self.prior.log_prob(part)
                parts.append(joint - self.start(part, 0))
            return torch.cat(parts).cpu().double().numpy()

    @property
    def reach(self) -> float:
        """Distance from the origin within which all means of q plus 8 standard deviations lie."""
        return float((self.q.loc.abs() + 8 * self.q.scale).amax())

    @property
    def radius(self) -> float:
        """Half the side of the surveyed square, beyond the reach of q; peaks farther out are found by climbing."""
        return min(max(self.reach, _LEAST_RADIUS), MOST_RADIUS)

    def integrate(self, tolerance: float, *, keep: int | None = 0, progress: Progress | None = None) -> Integrals:
        """Integrates over z."""
        return log_integrals(
            self.densities, self.paired, self.q.loc.cpu(), self.radius,
            tolerance, kinks=self.model.config.kinks, keep=keep, told=progress,
            nodes=room(self.x.device, NODES, decoding(self.model) + 32 * len(self.x)),
        )  # fmt: skip
