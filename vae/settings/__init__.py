"""What can be chosen, and what a model's file says of it: all that is known of a model without its weights.

Nothing here needs PyTorch, so a shell lists models, prints flags and refuses wrong ones at once. The wing stands on
`vae.errors` and `vae.paths` alone.

    checks     rules that settings keep
    config     ModelConfig and TrainConfig: flags, checkpoint JSON and page controls at once
    presets    trainings that are known to work
    methods    methods that are chosen by name, of the evidence, of projections and of imports
    records    what a model's file says of it
    files      where models lie, and their records read from the headers of their files
"""

from vae.settings import methods
from vae.settings.checks import check_shape
from vae.settings.config import (
    ACTIVATIONS,
    INITIALS,
    LIKELIHOODS,
    OBJECTIVES,
    PRECISIONS,
    SCHEDULES,
    Activation,
    AnyConfig,
    ImportedConfig,
    Likelihood,
    ModelConfig,
    TrainConfig,
    likelihood_words,
)
from vae.settings.files import (
    MODEL_FILE,
    catalogue,
    check_name,
    folders,
    locate,
    name_taken,
    opened,
    places,
    read_record,
    refuse_taken,
    taken,
)
from vae.settings.presets import PRESETS, Preset, fitted_to
from vae.settings.records import FORMAT, IMPORTED, Record

__all__ = [
    "ACTIVATIONS",
    "FORMAT",
    "IMPORTED",
    "INITIALS",
    "LIKELIHOODS",
    "MODEL_FILE",
    "OBJECTIVES",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULES",
    "Activation",
    "AnyConfig",
    "ImportedConfig",
    "Likelihood",
    "ModelConfig",
    "Preset",
    "Record",
    "TrainConfig",
    "catalogue",
    "check_name",
    "check_shape",
    "fitted_to",
    "folders",
    "likelihood_words",
    "locate",
    "methods",
    "name_taken",
    "opened",
    "places",
    "read_record",
    "refuse_taken",
    "taken",
]
