"""The folder of a run: the settings that it belongs to, and where an old one goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from zoo.errors import InputError
from zoo.files import write_json

SETTINGS = "settings.json"


def check(workdir: Path, settings: Mapping[str, object]) -> None:
    """Compares the settings of a run with those that its workdir was started with, if it was.

    Raises:
        InputError: one of them differs, or the workdir's cannot be read.
    """
    path = workdir / SETTINGS
    if not path.exists():
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}.") from error
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


def move_aside(workdir: Path) -> None:
    """Renames a workdir, if there is one, to the first free of WORKDIR.1, WORKDIR.2, and so on."""
    if not workdir.exists():
        return
    number = 1
    while (aside := workdir.with_name(f"{workdir.name}.{number}")).exists():
        number += 1
    workdir.rename(aside)
    print(f"Moved the old {workdir} to {aside}.", flush=True)


def start(workdir: Path, settings: Mapping[str, object]) -> None:
    """Makes a workdir, unless it is there, and writes the settings that it belongs to."""
    workdir.mkdir(parents=True, exist_ok=True)
    write_json(workdir / SETTINGS, settings)
