"""The mathematics of the lesson, computed: each step of the derivation for one image and one model.

The wing stands on `vae.model`, `vae.data`, `vae.evidence` and `vae.training`.

    integrand    p(x) as a sum over a grid, its gradient, and draws from the prior one after the other
    slips        what the slips of the source would do, computed as they are printed
    planes       the latent plane as one image sees it
    bound        each line of the bound's derivation
    gradients    d ELBO / d mu and d sigma from single draws: reparameterised, and by the score function
    regulariser  the KL to the prior in closed form, dimension by dimension, and from draws
    divergences  KL between two normals, and between two discrete distributions
    climb        gradient ascent in single steps, seen from one image
"""

from vae.derivation import integrand, regulariser, slips
from vae.derivation.bound import Derivation, Sum, derive
from vae.derivation.climb import Climb, Look
from vae.derivation.divergences import discrete_kl, normal_kl
from vae.derivation.gradients import Gradients, gradient_draws, true_gradient
from vae.derivation.planes import Plane, log_likelihood_plane, log_posterior, posterior_plane

__all__ = [
    "Climb",
    "Derivation",
    "Gradients",
    "Look",
    "Plane",
    "Sum",
    "derive",
    "discrete_kl",
    "gradient_draws",
    "integrand",
    "log_likelihood_plane",
    "log_posterior",
    "normal_kl",
    "posterior_plane",
    "regulariser",
    "slips",
    "true_gradient",
]
