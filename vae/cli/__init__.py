"""The command line, `vae`.

The wing depends on all floors below it, and nothing in `vae` depends on it. Listing, help and rejecting bad input work
without PyTorch, which takes seconds to import: whatever needs it is accessed through the package
(`vae.evidence.table`), which imports a wing on first use, and input is checked before that.

    flags      the fields of a config as flags of a command
    terminal   a progress bar
    commands   main: train, sample, models
    sets       data, which lists, fetches, imports and removes data sets
    app        app, which opens the explorer
    classroom  classroom, which serves it to a class
    evidence   evaluate and compare
    models     model: import, export, rename, copy, remove, restore
    report     report, which writes a report on a model as one HTML file
    uses       codes, features and classifier
"""

from vae.cli.commands import main

__all__ = ["main"]
