"""Where what was found out about a model is kept: comparisons, projections, accuracies, each a file with its name.

Shipped models may lie where nobody writes, and their results then go to the user's own folder of models, under the same
name. A model that is given by the path of its file has its results beside it; those of `bob.safetensors` are in `bob`.
"""

from pathlib import Path

from vae import paths
from vae.errors import CheckpointError
from vae.settings import MODEL_FILE, folders, locate

__all__ = ["kept_results", "place_for", "result_file", "results"]


def results(name_or_path: str | Path, file: str) -> list[Path]:
    """Returns all places where a result may lie, the first choice first, whether there is one or not.

    Arguments:
        name_or_path: of the model.
        file: the name of the result's file.

    Raises:
        CheckpointError: there is no such model.
    """
    path = locate(name_or_path)
    place = path.parent if path.name == MODEL_FILE else path.with_suffix("")  # a folder that the model's name has
    if str(name_or_path) == place.name and place.parent in folders():
        return [folder / place.name / file for folder in folders()]
    return [place / file]


def kept_results(name_or_path: str | Path, pattern: str) -> list[Path]:
    """Returns the results that there are of a model, each where it was found first, by name.

    Arguments:
        name_or_path: of the model.
        pattern: which the name of a result's file fits, such as `report-*.json`.

    Raises:
        CheckpointError: there is no such model.
    """
    found: dict[str, Path] = {}
    for place in results(name_or_path, pattern):
        for path in place.parent.glob(pattern):
            found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


def result_file(name_or_path: str | Path, file: str) -> Path:
    """Returns the file of a result or, where there is none yet, the one that it would be written to.

    Raises:
        CheckpointError: there is no such model.
    """
    choices = results(name_or_path, file)
    there = next((path for path in choices if path.is_file()), None)
    return there or next((path for path in choices if paths.writable(path.parent)), choices[0])


def place_for(name_or_path: str | Path, file: str) -> Path:
    """Returns the file that a result is to be written to; to be asked before anything is computed for it.

    Raises:
        CheckpointError: there is no such model, or none of the folders may be written to.
    """
    choices = results(name_or_path, file)
    for path in choices:
        if paths.writable(path.parent):
            return path
    tried = ", ".join(str(path.parent) for path in choices)
    raise CheckpointError(
        f"What is found out about a model is kept in the first folder that may be written to; of {tried} none may. "
        f"Set VAE_CHECKPOINTS to a folder of your own."
    )
