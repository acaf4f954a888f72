"""log p(x): estimates, bounds, and the exact value where it can be computed.

Every estimator takes a model and pixels and returns an `Estimate`, one number per image in nats. The wing depends on
`vae.model` and `vae.data`.

    checks      the input that estimators reject
    estimates   Estimate; naive Monte Carlo and the ELBO, in constant memory
    importance  the IWAE bound and its jackknife
    tails       k-hat, the shape of the tail of importance weights
    modes       Newton's method for the modes of a posterior
    tiles       grids built tile by tile, each point decoded once for all images
    quadrature  adaptive integrals over the plane, with a reliable error estimate
    rounding    the error of float32 in such an integral, measured in float64
    linear      log p(x) of a linear decoder in closed form
    tempered    the densities between a base and the joint, and their integrals
    exact       log p(x), the posterior and the thermodynamic path by quadrature; for which models they exist
    annealing   AIS with HMC, forward and reverse
    gaps        the best Gaussian q for an image
    races       several estimators side by side with more and more samples
    evaluation  a single entry point to all estimators, by name
    comparison  every estimator on the same images, stored with the model
    closeness   which of two estimates of log p(x) is closer to the truth, image by image
"""

from vae.evidence import annealing, closeness, evaluation, gaps, importance, quadrature, races
from vae.evidence.checks import MOST_SAMPLES, check_count, check_image, check_pixels
from vae.evidence.comparison import (
    Budget,
    Comparison,
    checksum,
    compare,
    comparison_file,
    load_comparison,
    save_comparison,
    table,
)
from vae.evidence.estimates import (
    CHUNK,
    Estimate,
    Progress,
    elbo,
    log_sums,
    mean_error,
    naive_monte_carlo,
    naive_monte_carlo_path,
    pairwise_log_prob,
    part_of,
)
from vae.evidence.exact import Posterior, ThermodynamicPath, is_known, posterior, thermodynamic_path
from vae.evidence.exact import exact as exact_evidence
from vae.evidence.importance import importance_sampling, importance_sampling_path

__all__ = [
    "CHUNK",
    "MOST_SAMPLES",
    "Budget",
    "Comparison",
    "Estimate",
    "Posterior",
    "Progress",
    "ThermodynamicPath",
    "annealing",
    "check_count",
    "check_image",
    "check_pixels",
    "checksum",
    "closeness",
    "compare",
    "comparison_file",
    "elbo",
    "evaluation",
    "exact_evidence",
    "gaps",
    "importance",
    "importance_sampling",
    "importance_sampling_path",
    "is_known",
    "load_comparison",
    "log_sums",
    "mean_error",
    "naive_monte_carlo",
    "naive_monte_carlo_path",
    "pairwise_log_prob",
    "part_of",
    "posterior",
    "quadrature",
    "races",
    "save_comparison",
    "table",
    "thermodynamic_path",
]
