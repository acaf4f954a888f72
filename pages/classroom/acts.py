"""All changes that pages make on disk: to training runs, models and data sets, each with a permission check.

Pages make such changes only here (`tests/test_architecture.py`), so that no button, callback or link can bypass the
check. Without a class, everything is allowed. In a class, the lecturer may do everything; a student may train, copy and
upload within the limits, and change what is marked as their own. Viewing is not restricted, because students are meant
to compare their models.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pages.classroom import limits, marks, roles
from pages.ui.language import _
from vae import Preset, jobs
from vae.data import imports, stored
from vae.errors import CheckpointError, VAEError
from vae.jobs import shelf
from vae.model import MODEL_FILE, check_name, folders

__all__ = [
    "NotAllowed", "bring_back", "change", "check_plan", "check_upload", "copy", "discard", "keep_set", "may_change",
    "may_remove", "new_models", "pause", "remove_set", "rename", "resume", "start", "step", "stop",
]  # fmt: skip

_UNPACKED = 20  # largest size of a data set on disk, as a multiple of the upload limit
_PATIENCE = 10.0  # seconds that a student's second tab waits for the first


class NotAllowed(VAEError):
    """A student requested something reserved for the owner or the lecturer, or beyond the limits."""


def may_change(name: str) -> bool:
    """Whether this session may change the model or training run of a name."""
    return _allowed(marks.of_model(name))


def may_remove(name: str) -> bool:
    """Whether this session may delete a data set."""
    return _allowed(marks.of_set(name))


def _allowed(mark: str | None) -> bool:
    owner = roles.owner()
    return owner is None or mark == owner


def _check(name: str) -> str:
    check_name(name)
    if not may_change(name):
        says = _("In a class you can change only your own models; {name} is not yours. Copy it under a new name.")
        raise NotAllowed(says.format(name=name))
    return name


@contextlib.contextmanager
def _alone(owner: str | None) -> Iterator[None]:
    """Serialises the changes of one student's tabs, also across server processes, so that limits hold.

    Raises:
        NotAllowed: another tab holds the lock for too long.
    """
    if owner is None:
        return (yield)
    lock = jobs.Lock(roles.folder() / "busy" / owner)
    if not lock.acquire(_PATIENCE):
        raise NotAllowed(_("Something else is still being saved for you. Try again in a moment."))
    try:
        yield
    finally:
        lock.release()


# training runs


def check_plan(plan: Preset) -> None:
    """Checks that this session may train a plan.

    Raises:
        ConfigError: a student's plan exceeds a limit of the class.
    """
    if roles.owner():
        limits.check(plan)


def start(name: str, plan: Preset, seeds: int = 1) -> str:
    """Starts a training run, or several with different seeds.

    Returns:
        The name of the model, or of the first one if there are several.

    Raises:
        VAEError: as for `jobs.start` and `jobs.start_seeds`, or a student exceeds the limits.
    """
    check_plan(plan)
    names = [name] if seeds == 1 else [f"{name}-s{plan.training.seed + i}" for i in range(seeds)]
    with new_models(names, trained=True):
        if seeds == 1:
            jobs.start(name, *plan, **_time())
        else:
            jobs.start_seeds(name, *plan, seeds, **_time())
    return names[0]


def resume(name: str) -> None:
    """Resumes a training run, see `jobs.resume`."""
    _check(name)
    job = jobs.status(name)
    owner = roles.owner()
    with _alone(owner):
        if owner and not (job and job.busy):
            check_plan(Preset(*jobs.read_plan(folders()[0] / name)[:2]))  # the limits may have changed
            _check_trainings(owner, 1)
        jobs.resume(name, **_time())


def stop(name: str) -> None:
    """Stops a training run, see `jobs.stop`."""
    jobs.stop(_check(name))


def pause(name: str) -> None:
    """Pauses a training run, see `jobs.pause`."""
    jobs.pause(_check(name))


def step(name: str) -> None:
    """Makes a paused training run take one step, see `jobs.step`."""
    jobs.step(_check(name))


def change(name: str, *, learning_rate: float | None = None, beta: float | None = None) -> None:
    """Changes the learning rate or KL weight of a training run, see `jobs.change`."""
    jobs.change(_check(name), learning_rate=learning_rate, beta=beta)


def _time() -> dict[str, Any]:
    return {"seconds": 60.0 * limits.get().minutes} if roles.owner() else {}


# models


@contextlib.contextmanager
def new_models(names: Sequence[str], *, trained: bool = False) -> Iterator[None]:
    """Reserves names for new models of this session, and marks their folders as its own before they are filled.

    Arguments:
        names: of the models that the `with` block creates.
        trained: whether they are created by training runs, which are then counted too.

    Raises:
        NotAllowed: a name belongs to someone else, or the student has reached the limit of models or training runs.
        CheckpointError: a name is invalid, or writing fails.
    """
    owner = roles.owner()
    for name in names:
        if roles.active() and os.path.lexists(folders()[0] / check_name(name)) and marks.of_model(name) != owner:
            raise _taken(name)
    if owner is None:
        return (yield)
    made: list[Path] = []
    try:
        with contextlib.ExitStack() as until_counted:
            until_counted.enter_context(_alone(owner))
            for name in names:
                place = folders()[0] / name
                with contextlib.suppress(FileExistsError):
                    place.mkdir(parents=True)
                    made.append(place)
                if place not in made and marks.of_model(name) != owner:
                    raise _taken(name)
                marks.put_on(place, owner)
            _check_models(owner)
            if trained:  # keep the lock until the runs have started and are counted
                _check_trainings(owner, len(names))
            else:
                until_counted.close()
            yield
    except OSError as error:
        says = _("The folder for a new model could not be created in {folder} ({why}). Tell the lecturer.")
        raise CheckpointError(says.format(folder=folders()[0], why=error.strerror or error)) from error
    finally:
        for place in made:
            if not (place / MODEL_FILE).exists() and not (place / "job.json").exists():
                shutil.rmtree(place, ignore_errors=True)


def copy(name: str, new: str) -> None:
    """Copies any model, see `shelf.copy`; the copy belongs to the student who makes it."""
    owner = roles.owner()
    with _alone(owner):
        if owner:
            _check_models(owner, 1)
        shelf.copy(name, new)
        if owner:
            marks.put_on(folders()[0] / new, owner)


def rename(name: str, new: str) -> None:
    """Renames a model, see `shelf.rename`; its mark is kept."""
    shelf.rename(_check(name), new)


def discard(name: str) -> str:
    """Deletes a model so that it can be restored, see `shelf.discard`; its mark is kept."""
    return shelf.discard(_check(name))


def bring_back(token: str) -> str:
    """Undoes `discard`, see `shelf.bring_back`."""
    name = token.partition("-")[2]
    if token in shelf.discarded() and not _allowed(marks.read(folders()[0] / shelf.DISCARDED / token / name)):
        raise NotAllowed(_("In a class you can restore only your own models; {name} is not yours.").format(name=name))
    owner = roles.owner()
    with _alone(owner):
        if owner:
            _check_models(owner, 1)
        return shelf.bring_back(token)


def _check_models(owner: str, more: int = 0) -> None:
    most, count = limits.get().models, len(marks.models(owner)) + more
    if count > most:
        says = _("A student of this class can have at most {most} models; this would be {count}. Delete one first.")
        raise NotAllowed(says.format(most=most, count=count))


def _check_trainings(owner: str, more: int) -> None:
    most, busy = limits.get().trainings, sum(marks.of_model(job.name) == owner for job in jobs.queue())
    if busy + more > most:
        says = _(
            "A student of this class can train at most {most} models at once; this would be {count}. Wait, or stop one."
        )
        raise NotAllowed(says.format(most=most, count=busy + more))


def _taken(name: str) -> NotAllowed:
    return NotAllowed(
        _("A model's name must be new, and {name} belongs to someone else. Choose another name.").format(name=name)
    )


# uploads and data sets


def check_upload(sizes: Sequence[int]) -> None:
    """Checks that this session may upload files together.

    Arguments:
        sizes: of the files, bytes.

    Raises:
        NotAllowed: the files of a student exceed the limit.
    """
    if roles.owner() and sum(sizes) > (most := limits.get().megabytes) * 2**20:
        says = _(
            "An upload is limited to {most} MB in this class; this is {size:.1f} MB. Choose fewer or smaller files."
        )
        raise NotAllowed(says.format(most=most, size=sum(sizes) / 2**20))


def keep_set(draft: imports.Draft, name: str, title: str, told: Callable[[int, int], None]) -> None:
    """Saves images as a data set, see `imports.keep`; it belongs to the student who makes it."""
    owner = roles.owner()
    with _alone(owner):
        if owner:
            _check_sets(owner, draft)
        imports.keep(draft, name, title, told)
        if owner:
            marks.put_on(marks.set_folder(name), owner)


def remove_set(name: str) -> None:
    """Deletes a data set, see `stored.remove`."""
    stored.check_kept(name)
    if not may_remove(name):
        raise NotAllowed(_("In a class you can delete only your own data sets; {name} is not yours.").format(name=name))
    stored.remove(name)


def _check_sets(owner: str, draft: imports.Draft) -> None:
    bounds, count = limits.get(), len(marks.sets(owner)) + 1
    if count > bounds.sets:
        says = _("A student of this class can have at most {most} data sets; this would be {count}. Delete one first.")
        raise NotAllowed(says.format(most=bounds.sets, count=count))
    size = sum(map(len, draft.places())) * int(np.prod(draft.image_shape)) / 2**20
    if size > (most := _UNPACKED * bounds.megabytes):
        says = _(
            "A data set is limited to {most} MB unpacked in this class; this is {size:.0f} MB. Choose fewer images."
        )
        raise NotAllowed(says.format(most=most, size=size))
