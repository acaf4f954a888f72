"""Where results about a model are stored: comparisons, projections and accuracies, each in a file of its own.

Shipped models may be in a folder that cannot be written to; their results then go to the user's own folder of models,
under the same name. The results of a model given by the path of its file are stored beside it; those of
`bob.safetensors` are in `bob`.
"""

from pathlib import Path

from vae import paths
from vae.errors import CheckpointError
from vae.settings import MODEL_FILE, folders, locate

__all__ = ["kept_results", "place_for", "result_file", "results"]


def results(name_or_path: str | Path, file: str) -> list[Path]:
    """Returns all places where a result may be, in order of preference, whether or not it exists.

    Arguments:
        name_or_path: of the model.
        file: name of the file of the result.

    Raises:
        CheckpointError: there is no such model.
    """
    path = locate(name_or_path)
    place = path.parent if path.name == MODEL_FILE else path.with_suffix("")  # a folder with the model's name
    if str(name_or_path) == place.name and place.parent in folders():
        return [folder / place.name / file for folder in folders()]
    return [place / file]


def kept_results(name_or_path: str | Path, pattern: str) -> list[Path]:
    """Returns the stored results about a model, sorted by name; of several with the same name, the first one found.

    Arguments:
        name_or_path: of the model.
        pattern: that the name of the file matches, such as `report-*.json`.

    Raises:
        CheckpointError: there is no such model.
    """
    found: dict[str, Path] = {}
    for place in results(name_or_path, pattern):
        for path in place.parent.glob(pattern):
            found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


def result_file(name_or_path: str | Path, file: str) -> Path:
    """Returns the file of a result or, if it does not exist yet, the file that it would be written to.

    Raises:
        CheckpointError: there is no such model.
    """
    choices = results(name_or_path, file)
    there = next((path for path in choices if path.is_file()), None)
    return there or next((path for path in choices if paths.writable(path.parent)), choices[0])


def place_for(name_or_path: str | Path, file: str) -> Path:
    """Returns the file to write a result to; call it before computing the result.

    Raises:
        CheckpointError: there is no such model, or none of the folders can be written to.
    """
    choices = results(name_or_path, file)
    for path in choices:
        if paths.writable(path.parent):
            return path
    tried = ", ".join(str(path.parent) for path in choices)
    raise CheckpointError(
        f"Results about a model are stored in the first folder that can be written to; of {tried}, none can. "
        f"Set VAE_CHECKPOINTS to a folder that you can write to."
    )
