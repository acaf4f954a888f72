"""Gaussian variational autoencoders, and what is inside them.

    z ~ p(z) = N(0, I),   x ~ p(x|z) = N(x | mu_x(z), diag sigma_x^2(z)),   q(z|x) = N(z | mu_z(x), diag sigma_z^2(x))

Kingma & Welling (2013). The main objects, and how they fit together:

- `ModelConfig` and `TrainConfig` describe a model and its training; `build` makes a model, and `fit` trains it,
  yielding a report every few steps (or use a `Trainer`, step by step), to maximise an objective such as `ELBO` or
`IWAE`. - A `VAE` holds an encoder and a decoder. Both return `torch.distributions` objects, so the objective is written
  in code as it is on paper: `p.log_prob(x) - kl_divergence(q, prior)`.
- `load_dataset` returns images, uint8 in [0, 255]; `model.pixels` dequantises or binarises them for the likelihood.
- `naive_monte_carlo` and `importance_sampling` estimate log p(x), `elbo` bounds it, and `exact_evidence` computes it
  for J <= 2 or a linear decoder; each returns an `Estimate`, in nats per image. `compare` runs them all.
- `straight`, `spherical` and `traversals` walk through latent space, `difference` and `neighbours` compare codes,
  `vae.latent.aggregate` compares the aggregate posterior with the prior, and `vae.data.handwriting` reads
  photographs of digits.
- `PRESETS` are settings that are known to work, `estimate` predicts how long a training takes, `vae.jobs` runs it in a
  separate process, and `align` rotates the codes of one model onto those of another.
- `inspect` turns a VAE that was trained elsewhere into a model of this library.
- `save` and `load` store a model in one safetensors file with its `Record`; `encode` and `decode` return NumPy arrays.

Randomness is an argument: `generator(seed)` makes a generator, and nothing here touches torch's global state.
Mistakes that a user can correct raise a `VAEError` whose message says how.
"""

import importlib
import sys
import typing

from vae import former
from vae.errors import CheckpointError, ConfigError, DataError, DivergenceError, JobError, VAEError

if typing.TYPE_CHECKING:
    from vae import data as data
    from vae import derivation as derivation
    from vae import distributed as distributed
    from vae import evidence as evidence
    from vae import figures as figures
    from vae import interchange as interchange
    from vae import jobs as jobs
    from vae import latent as latent
    from vae import model as model
    from vae import paths as paths
    from vae import report as report
    from vae import settings as settings
    from vae import training as training
    from vae import uses as uses
    from vae.data import Dataset, Split, load_dataset
    from vae.evidence import (
        Budget,
        Comparison,
        Estimate,
        Posterior,
        checksum,
        compare,
        comparison_file,
        elbo,
        exact_evidence,
        importance_sampling,
        importance_sampling_path,
        load_comparison,
        naive_monte_carlo,
        naive_monte_carlo_path,
        posterior,
    )
    from vae.interchange import Pixels, inspect
    from vae.latent import (
        Alignment,
        Codes,
        Decoded,
        Difference,
        Holes,
        Neighbours,
        Projection,
        active_units,
        align,
        decode,
        difference,
        encode,
        holes,
        make_projection,
        manifold,
        neighbours,
        project,
        spherical,
        straight,
        traversals,
    )
    from vae.model import (
        ELBO,
        IWAE,
        VAE,
        Autoencoder,
        Decoder,
        Encoder,
        ModelConfig,
        Record,
        Terms,
        TrainConfig,
        build,
        catalogue,
        generator,
        load,
        read_record,
        save,
    )
    from vae.training import PRESETS, Preset, Report, Trainer, estimate, fit

__all__ = [
    "ELBO",
    "IWAE",
    "PRESETS",
    "VAE",
    "Alignment",
    "Autoencoder",
    "Budget",
    "CheckpointError",
    "Codes",
    "Comparison",
    "ConfigError",
    "DataError",
    "Dataset",
    "Decoded",
    "Decoder",
    "Difference",
    "DivergenceError",
    "Encoder",
    "Estimate",
    "Holes",
    "JobError",
    "ModelConfig",
    "Neighbours",
    "Pixels",
    "Posterior",
    "Preset",
    "Projection",
    "Record",
    "Report",
    "Split",
    "Terms",
    "TrainConfig",
    "Trainer",
    "VAEError",
    "active_units",
    "align",
    "build",
    "catalogue",
    "checksum",
    "compare",
    "comparison_file",
    "decode",
    "difference",
    "elbo",
    "encode",
    "estimate",
    "exact_evidence",
    "fit",
    "generator",
    "holes",
    "importance_sampling",
    "importance_sampling_path",
    "inspect",
    "load",
    "load_comparison",
    "load_dataset",
    "make_projection",
    "manifold",
    "naive_monte_carlo",
    "naive_monte_carlo_path",
    "neighbours",
    "posterior",
    "project",
    "read_record",
    "save",
    "spherical",
    "straight",
    "traversals",
]

# the wings whose names are listed in `__all__`
_SURFACE = ("settings", "data", "model", "training", "evidence", "latent", "interchange")

sys.meta_path.append(former.Finder())


def __getattr__(name: str) -> typing.Any:
    """Imports a name of `__all__`, a wing, or a module under its former name when it is first accessed.

    A program that does not need PyTorch therefore does not wait for it.
    """
    if name not in __all__:
        return former.module(name)
    wings = (importlib.import_module(f"vae.{wing}") for wing in _SURFACE)
    found = next(getattr(wing, name) for wing in wings if name in wing.__all__)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Lists names that have not been imported yet as well, so that notebooks can complete them."""
    return sorted({*globals(), *__all__, *former.PARTS})
