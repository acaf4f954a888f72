"""What a model is: its settings, its networks, its objectives, and its file.

The Gaussian VAE of Kingma & Welling (2013) as `torch.distributions` objects: an encoder q(z|x), a decoder p(x|z), and
objectives written as they are on paper. The wing depends on `vae.settings`, whose configs and records it re-exports,
and on `vae.data` for the description of image sizes.

    distributions  sampling with an explicit generator; the pixels that each likelihood takes
    nets           plain backbones: perceptrons, strided convolutions and their mirror image
    graphs         networks from elsewhere as lists of PyTorch operations: data, never code
    capture        records the operations of a network as such a list
    vae            Encoder, Decoder (forward returns a Distribution), VAE, build, count_weights
    imported       models from elsewhere: two graphs as distributions over latents and pixels
    devices        the choice of a device, and of bfloat16 where it is faster at no loss
    objectives     ELBO (beta, free bits), IWAE, Autoencoder: objective(model, x) -> Terms, one number per image
    perceptrons    recognises graphs that are multilayer perceptrons
    portable       the networks as flat arrays, for programs without PyTorch
    checkpoints    one safetensors file per model, its record in the header; files written aside
    results        where results about a model, such as comparisons, are stored
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
