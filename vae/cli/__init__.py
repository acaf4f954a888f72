"""The library from a shell, `python -m vae`.

The wing stands on all floors below it; nothing in `vae` stands on it. A shell lists, helps and refuses without PyTorch,
which takes seconds to import: what needs it is taken from the package (`vae.evidence.table`), which imports a wing when
it is first asked for, and what may be refused is looked at before.

    flags      the fields of a config as flags of a command
    terminal   a progress bar
    commands   main: train, sample, models
    sets       data, which lists, fetches, imports and removes data sets
    app        app, which opens the explorer
    classroom  classroom, which serves it to a class
    evidence   evaluate and compare
    models     model: import, export, rename, copy, remove, restore
    report     report, which writes what is inside a model as one HTML file
    uses       codes, features and classifier
"""

from vae.cli.commands import main

__all__ = ["main"]
