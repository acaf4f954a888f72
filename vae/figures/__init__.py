"""Plotly figures from arrays, without models, files or widgets.

What all figures share (colours, pictures, layout) is here; a figure is in the module named after the wing that its
numbers come from, `figures.evidence.race`. The wing depends on all floors below it, for the types of what it draws.

    groups     colours of classes, clusters and levels
    labels     names of groups that do not cover one another
    style      colours, classes, pictures as PNG, a transparent layout
    bound      the lines of the bound, its parts, gradients and divergences
    evidence   the race, the gap, the area under the thermodynamic path
    hidden     what an ELBO hides: rate and distortion, the parts of the mean KL
    integral   p(x) as a sum over a grid, and samples from the prior
    latent     planes, densities, animations, dimensions
    trainings  several trainings on one chart, KL by dimension, codes of two seeds
    uses       features, odd images, autoencoders
    variance   maps and calibration of the decoder's variance
"""

from vae.figures import bound, evidence, hidden, integral, latent, trainings, uses, variance
from vae.figures.groups import LEVELS, group_colours, levels
from vae.figures.style import (
    CLASSES,
    COLOURS,
    GRADIENT,
    SIGMA_COLOURS,
    clear,
    contact_sheet,
    fitted,
    over_colours,
    paler,
    picture,
    png,
    png_uri,
    training,
)

__all__ = [
    "CLASSES",
    "COLOURS",
    "GRADIENT",
    "LEVELS",
    "SIGMA_COLOURS",
    "bound",
    "clear",
    "contact_sheet",
    "evidence",
    "fitted",
    "group_colours",
    "hidden",
    "integral",
    "latent",
    "levels",
    "over_colours",
    "paler",
    "picture",
    "png",
    "png_uri",
    "training",
    "trainings",
    "uses",
    "variance",
]
