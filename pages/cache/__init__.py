"""Caches shared by all sessions: the only place where Streamlit's caches are used.

Functions that most pages need, for models and for arrays about the current image, are exported here. The others are
accessed through the module of their page or chapter, as in `cache.variance.floor_path`.

    sets       the keys of all caches: models by name and modification time, data sets by name
    kept       a decorator for slow values: cached in memory and on disk (disk, typed), computed by the pool
    pool       worker processes; worker is the code of one, frames the messages, tasks the work
    models     models, images, codes, decoded images and estimates
    browser    data sent to the browser once: packed networks and codes
    latent     the latent space, for the map, the page Decode and the page Views
    training   the histories of training runs, from their folders
    times      estimates of training time on this machine
    variance   the page Decoder variance
    integral   chapters on p(x) as an integral
    bound      chapters on the bound
    streams    races, refinements and reports, shown while they are computed
    uses       chapters on the uses of a model
    probe      planes as a classifier sees them, doubt, images by class
    flips      paths to another class
"""

from pages.cache import bound, browser, flips, integral, latent, probe, streams, times, training, uses, variance
from pages.cache.models import (
    axes,
    carried,
    codes,
    comparison,
    decode,
    elbo,
    evidence_of,
    images,
    kept_beside,
    load,
    needed,
    own_elbo,
    piece_size,
    pixels,
    posterior_plane,
    reconstructions,
    reconstructions_so_far,
    record,
    row,
    samples,
    sandwich,
    thermodynamic_path,
    warm,
    z,
)
from pages.cache.sets import Model, dataset, drawing, forget_datasets, model_id

__all__ = [
    "Model", "axes", "bound", "browser", "carried", "codes", "comparison", "dataset", "decode", "drawing", "elbo",
    "evidence_of", "flips", "forget_datasets", "images", "integral", "kept_beside", "latent", "load", "model_id",
    "needed", "own_elbo", "piece_size", "pixels", "posterior_plane", "probe", "reconstructions",
    "reconstructions_so_far", "record", "row", "samples", "sandwich", "streams", "thermodynamic_path", "times",
    "training", "uses", "variance", "warm", "z",
]  # fmt: skip
