"""The folder of a run: the settings that it belongs to, the lock on it, and where an old one goes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from io import BufferedRandom
from pathlib import Path

from zoo.errors import InputError
from zoo.files import clear_temporary, make_folder, write_json

SETTINGS = "settings.json"
LOCK = ".lock"


def is_workdir(path: Path) -> bool:
    """Whether a run was started in this folder."""
    return os.path.isfile(path / SETTINGS)


def check(workdir: Path, settings: Mapping[str, object]) -> None:
    """Compares the settings of a run with those that its workdir was started with, if it was started.

    Raises:
        InputError: one of them differs, or the workdir's cannot be read.
    """
    path = workdir / SETTINGS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: expected a JSON object. Received: {type(found).__name__}")
    differences = [
        f"{name} is {found.get(name)!r} there and {value!r} here"
        for name, value in settings.items()
        if found.get(name) != value
    ]
    if differences:
        raise InputError(
            f"{workdir} belongs to another run: {', '.join(differences)}. "
            "Name another --workdir, or move this one aside with --noresume."
        )


def check_movable(workdir: Path) -> None:
    """Raises an `InputError` for a workdir that cannot be moved aside, since the current folder is inside it."""
    if Path.cwd().is_relative_to(workdir.resolve()):
        raise InputError(
            f"--noresume moves the workdir aside, so it cannot hold the current folder. Received: {workdir}"
        )


def move_aside(workdir: Path) -> None:
    """Renames a workdir, if there is one, to the first free of WORKDIR.1, WORKDIR.2, and so on.

    Raises:
        InputError: it cannot be renamed, or another run is at work in it.
    """
    if not workdir.exists():
        return
    lock(workdir).close()
    number = 1
    while (aside := workdir.with_name(f"{workdir.name}.{number}")).exists():
        number += 1
    try:
        workdir.rename(aside)
    except OSError as error:
        raise InputError(f"Cannot move {workdir} to {aside}: {error.strerror}.") from error
    print(f"Moved the old {workdir} to {aside}.", flush=True)


def start(workdir: Path, settings: Mapping[str, object]) -> BufferedRandom:
    """Makes a workdir, unless it is there, locks it, writes the settings that it belongs to and clears leftovers.

    Returns:
        The lock, as `lock` does.

    Raises:
        InputError: the workdir cannot be made or written to, or another run is at work in it.
    """
    make_folder(workdir)
    held = lock(workdir)
    for folder in (workdir, workdir / "samples"):
        clear_temporary(folder)
    write_json(workdir / SETTINGS, settings)
    return held


def lock(workdir: Path) -> BufferedRandom:
    """Locks a workdir for as long as the returned file stays open, at most until the process ends.

    On a file system without locks, this assumes that there is no other run.

    Raises:
        InputError: another run holds it, or its file cannot be opened.
    """
    try:
        file = (workdir / LOCK).open("a+b")
    except OSError as error:
        raise InputError(f"Cannot write {workdir / LOCK}: {error.strerror}.") from error
    try:
        _lock(file.fileno())
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise InputError(
            f"Another run is at work in {workdir}. Wait for its end, or name another --workdir."
        ) from error
    except OSError:
        pass
    return file


def is_locked(workdir: Path) -> bool:
    """Whether another run is at work in a workdir."""
    with contextlib.suppress(OSError), (workdir / LOCK).open("r+b") as file:
        try:
            _lock(file.fileno())
        except (BlockingIOError, PermissionError):
            return True
    return False


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
