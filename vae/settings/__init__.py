"""Settings of models and trainings, and the record of a model: everything known about it without its weights.

Nothing here needs PyTorch, so the command line can list models, print flags and reject wrong ones at once. The wing
depends only on `vae.errors` and `vae.paths`.

    checks     rules that settings must satisfy
    config     ModelConfig and TrainConfig, which define flags, checkpoint JSON and page controls alike
    presets    settings that are known to work
    methods    methods chosen by name: of the evidence, of projections and of imports
    records    the record that a model's file holds about it
    files      where models are stored, and their records, read from the headers of their files
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
