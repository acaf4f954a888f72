"""The mathematics of the lesson, computed: each step of the derivation for one image and one model.

The wing depends on `vae.model`, `vae.data`, `vae.evidence` and `vae.training`.

    integrand    p(x) as a sum over a grid, its gradient, and a stream of samples from the prior
    slips        the effect of typos in the source, computed as printed
    planes       densities on the latent plane for one image
    bound        each line of the derivation of the bound
    gradients    d ELBO / d mu and d sigma from single samples: reparameterised, and by the score function
    regulariser  the KL to the prior in closed form, dimension by dimension, and from samples
    divergences  KL between two normal distributions, and between two discrete distributions
    climb        gradient ascent in single steps, observed on one image
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
