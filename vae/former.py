"""Modules by the names they had before the library was divided into wings, so that older notebooks keep working.

from vae.climb import Climb  # vae.derivation.climb is its name today
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["MODULES", "PARTS", "Finder", "module"]

PARTS = (  # of the library: its wings, and the module that says where a user's files are
    "cli", "data", "derivation", "distributed", "evidence", "figures", "interchange", "jobs", "latent", "model",
    "paths", "report", "settings", "training", "uses",
)  # fmt: skip

_STAYED = {  # modules that kept their names and moved into a wing
    "settings": "config",
    "model": "distributions nets devices objectives portable checkpoints",
    "data": "sources handwriting",
    "evidence": "importance modes tiles quadrature linear exact annealing gaps races evaluation comparison closeness",
    "training": "schedules reports scores presets slowmotion",
    "latent": "alignment walks aggregate projections surgery",
    "derivation": "integrand slips gradients regulariser divergences climb planes",
    "jobs": "cards files replay states control keeper runs",
    "uses": "variance classifier features oddities",
    "cli": "flags terminal",
}
_RENAMED = {
    "models": "model.vae",
    "ranks": "distributed.evaluation",
    "status": "jobs.job",
    "cli_evidence": "cli.evidence",
    "cli_uses": "cli.uses",
    "figures_training": "figures.trainings",
} | {
    f"figures_{name}": f"figures.{name}"
    for name in ["bound", "evidence", "hidden", "integral", "latent", "uses", "variance"]
}

MODULES = {name: f"{wing}.{name}" for wing, names in _STAYED.items() for name in names.split()} | _RENAMED


_NAMES = {  # modules that were renamed or moved elsewhere
    "replay": {"FILE": lambda module: module.REPLAY_FILE},
    "exact": {"Path": lambda module: module.ThermodynamicPath},
    "checkpoints": {"write_aside": lambda module: importlib.import_module("vae.paths").write_aside},
}


class Finder(MetaPathFinder, Loader):
    """Finds `vae.climb` where `vae.derivation.climb` is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns a spec for a former name and None for any other."""
        package, _, name = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == "vae" and name in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        """Puts today's module in the place of the one that was to be created."""
        name = module.__name__.partition(".")[2]
        today = importlib.import_module(f"vae.{MODULES[name]}")
        for former, new in _NAMES.get(name, {}).items():
            setattr(today, former, new(today))
        warnings.warn(f"vae.{name} is vae.{MODULES[name]} now.", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = today


def module(name: str) -> ModuleType:
    """Imports a part of the library, or a module by its former name, when it is accessed as an attribute (`vae.climb`).

    Raises:
        AttributeError: there is no such part or module.
    """
    if name not in MODULES and name not in PARTS:
        raise AttributeError(f"module 'vae' has no attribute {name!r}")
    return importlib.import_module(f"vae.{name}")
