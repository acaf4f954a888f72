"""What a model is: its settings, its nets, its objectives, and the file that keeps it.

The Gaussian VAE of Kingma & Welling (2013) as `torch.distributions` objects: an encoder q(z|x), a decoder p(x|z), and
objectives that read as they are written. The wing stands on `vae.settings`, whose configs and records it has too, and
takes the words for the size of an image from `vae.data`.

    distributions  draws from a generator; how each likelihood wants its pixels
    nets           plain backbones: perceptrons, strided convolutions and their mirror
    graphs         networks from elsewhere as lists of PyTorch's operations: data, never code
    capture        what a network does, written down as such a list
    vae            Encoder, Decoder (forward returns a Distribution), VAE, build, count_weights
    imported       models from elsewhere: two graphs as distributions over latents and pixels
    devices        which device, and bfloat16 where it is quicker and costs nothing
    objectives     ELBO (beta, free bits), IWAE, Autoencoder: objective(model, x) -> Terms, one number per image
    perceptrons    which graphs are multilayer perceptrons
    portable       the nets as flat arrays, for programs without PyTorch
    checkpoints    one safetensors file per model, its record in the header; files written aside
    results        where what was found out about a model is kept
"""

from vae.model import portable
from vae.model.capture import capture
from vae.model.checkpoints import load, save
from vae.model.devices import (
    autocast,
    best_device,
    double_device,
    in_double,
    quick_products,
    room,
    settled,
    shrinking,
)
from vae.model.distributions import (
    LOG_2_PI,
    Share,
    bits_per_dimension,
    bits_per_pixel,
    diagonal_normal,
    draw,
    floored,
    generator,
    noise_like,
    pixel_deviation,
    prepare_pixels,
    softplus,
    standard_normal,
    unchecked,
)
from vae.model.graphs import MOST_NODES, MOST_VALUES, Graph
from vae.model.imported import assemble
from vae.model.nets import mlp
from vae.model.objectives import ELBO, IWAE, Autoencoder, Objective, Terms, objective_of
from vae.model.results import kept_results, place_for, result_file, results
from vae.model.vae import MOST_WEIGHTS, VAE, Decoder, Encoder, build, count_weights, start_at
from vae.settings import (
    ACTIVATIONS,
    INITIALS,
    LIKELIHOODS,
    MODEL_FILE,
    OBJECTIVES,
    PRECISIONS,
    SCHEDULES,
    Activation,
    AnyConfig,
    ImportedConfig,
    Likelihood,
    ModelConfig,
    Record,
    TrainConfig,
    catalogue,
    check_name,
    check_shape,
    folders,
    locate,
    read_record,
    taken,
)

__all__ = [
    "ACTIVATIONS",
    "ELBO",
    "INITIALS",
    "IWAE",
    "LIKELIHOODS",
    "LOG_2_PI",
    "MODEL_FILE",
    "MOST_NODES",
    "MOST_VALUES",
    "MOST_WEIGHTS",
    "OBJECTIVES",
    "PRECISIONS",
    "SCHEDULES",
    "VAE",
    "Activation",
    "AnyConfig",
    "Autoencoder",
    "Decoder",
    "Encoder",
    "Graph",
    "ImportedConfig",
    "Likelihood",
    "ModelConfig",
    "Objective",
    "Record",
    "Share",
    "Terms",
    "TrainConfig",
    "assemble",
    "autocast",
    "best_device",
    "bits_per_dimension",
    "bits_per_pixel",
    "build",
    "capture",
    "catalogue",
    "check_name",
    "check_shape",
    "count_weights",
    "diagonal_normal",
    "double_device",
    "draw",
    "floored",
    "folders",
    "generator",
    "in_double",
    "kept_results",
    "load",
    "locate",
    "mlp",
    "noise_like",
    "objective_of",
    "pixel_deviation",
    "place_for",
    "portable",
    "prepare_pixels",
    "quick_products",
    "read_record",
    "result_file",
    "results",
    "room",
    "save",
    "settled",
    "shrinking",
    "softplus",
    "standard_normal",
    "start_at",
    "taken",
    "unchecked",
]
