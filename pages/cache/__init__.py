"""What the server keeps between runs, for all sessions: the only place where Streamlit's caches are used.

What most pages need, models and arrays about the image in use, is here; the rest is reached by the page or the chapter
that it is for, `cache.variance.floor_path`.

    sets       what all else is known by: models by name and time of writing, data sets by name
    kept       a decorator for values that take long: in memory, on disk (disk, typed), worked out by the pool
    pool       processes beside the server; worker is one of them, frames what goes between
    models     models, images, codes, decoded images and estimates
    browser    what is sent to the browser once: packed nets and codes
    latent     what the map, walks and views show of a latent space
    training   how trainings went, from their folders
    times      how long a training would take here
    variance   what the page Decoder variance shows
    integral   chapters on p(x) as an integral
    bound      chapters on the bound
    streams    races, refinements and reports, shown while they go on
    uses       chapters on what a model is good for
    probe      planes as a classifier sees them, doubt, images by class
    flips      ways to another class
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
    "evidence_of", "flips", "forget_datasets", "images", "integral", "latent", "load", "model_id", "needed", "own_elbo",
    "piece_size", "pixels", "posterior_plane", "probe", "reconstructions", "reconstructions_so_far", "record", "row",
    "samples", "sandwich", "streams", "thermodynamic_path", "times", "training", "uses", "variance", "warm", "z",
]  # fmt: skip
