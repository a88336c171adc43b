"""Which version of a served model is the stable one: the label can be moved back and forth while the server runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from zoo.artefacts.catalogue import load
from zoo.errors import InputError, unknown
from zoo.serving import configuration
from zoo.serving.configuration import CANARY, STABLE, Served


def promote(out: Path, name: str, version: int | None = None) -> tuple[int, int]:
    """Makes a version the stable one, by default the highest; the highest that can be loaded becomes the canary.

    Args:
        out: the folder that `zoo serving config` wrote.
        name: the name of a served model.
        version: the version's number; None for the highest.

    Returns:
        The version that was stable, and the one that is stable now.

    Raises:
        InputError: no such folder, model or version, or a version that cannot be loaded or is not harmless.
    """
    served = _model(out, name)
    return _move(out, name, configuration.versions(served.folder)[-1] if version is None else version)


def rollback(out: Path, name: str, version: int | None = None) -> tuple[int, int]:
    """Makes an earlier version the stable one again, by default the one before; takes and returns what `promote` does.

    Raises:
        InputError: as `promote`; no version before the stable one.
    """
    served = _model(out, name)
    earlier = [number for number in configuration.versions(served.folder) if number < served.labels[STABLE]]
    if version is None and not earlier:
        raise InputError(f"{name}: no version before {served.labels[STABLE]}, the stable one, in {served.folder}.")
    return _move(out, name, earlier[-1] if version is None else version)


def _model(out: Path, name: str) -> Served:
    served = configuration.read(out)
    if name not in served:
        raise unknown("served model", name, served)
    if not configuration.versions(served[name].folder):
        raise InputError(f"{served[name].folder}: expected the versions of {name}. Received: none")
    return served[name]


def _move(out: Path, name: str, version: int) -> tuple[int, int]:
    served = configuration.read(out)
    model = served[name]
    found = configuration.versions(model.folder)
    if version not in found:
        raise InputError(f"{name}: expected one of the versions {', '.join(map(str, found))}. Received: {version}")
    load(model.folder / str(version))
    before = model.labels[STABLE]
    served[name] = replace(model, labels={STABLE: version, CANARY: _highest_that_loads(model.folder, found)})
    configuration.write(out, served)
    return before, version


def _highest_that_loads(folder: Path, versions: list[int]) -> int:
    """The canary's version: a server moves no label at all while one stands for a version that it cannot load."""
    for version in reversed(versions):
        with suppress(InputError):
            load(folder / str(version))
            return version
    raise InputError(f"{folder}: expected a version that can be loaded. Received: {', '.join(map(str, versions))}")
