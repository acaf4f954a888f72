"""The latent space: codes, walks, and the aggregate posterior q(z). Results are NumPy arrays.

The wing depends on `vae.model`, `vae.data`, `vae.evidence` and `vae.training`.

    codes        codes of a set, decoded planes, principal directions
    alignment    codes of one model rotated onto those of another (Procrustes)
    walks        from one latent to another, along a coordinate, by a difference of means, to neighbours
    aggregate    q(z), the mixture of all codes, compared with the prior: its density, its holes, active units
    clusters     clusters of codes by k-means, and a typical image of each
    projections  t-SNE and UMAP of the codes, stored with the model
    surgery      the mean KL as the sum of mutual information and KL[q(z) || p(z)]
    scores       a model's figures on held-out images
    tables       codes as CSV, one row per image
"""

from vae.latent import aggregate, projections, surgery
from vae.latent.aggregate import Holes, active_units, holes
from vae.latent.alignment import Alignment, align
from vae.latent.clusters import Clusters, k_means, typical
from vae.latent.codes import (
    ALL_COLLAPSED,
    COLLAPSED,
    Axes,
    Codes,
    Decoded,
    coordinate_axes,
    decode,
    encode,
    manifold,
    normal_quantiles,
    principal_axes,
)
from vae.latent.projections import Projection, make_projection, project
from vae.latent.scores import held_out_figures
from vae.latent.tables import codes_csv
from vae.latent.walks import Difference, Neighbours, difference, neighbours, spherical, straight, traversals

__all__ = [
    "ALL_COLLAPSED",
    "COLLAPSED",
    "Alignment",
    "Axes",
    "Clusters",
    "Codes",
    "Decoded",
    "Difference",
    "Holes",
    "Neighbours",
    "Projection",
    "active_units",
    "aggregate",
    "align",
    "codes_csv",
    "coordinate_axes",
    "decode",
    "difference",
    "encode",
    "held_out_figures",
    "holes",
    "k_means",
    "make_projection",
    "manifold",
    "neighbours",
    "normal_quantiles",
    "principal_axes",
    "project",
    "projections",
    "spherical",
    "straight",
    "surgery",
    "traversals",
    "typical",
]
