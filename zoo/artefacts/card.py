"""The card of a trained model, `card.json`: what it is, how it was trained, its scores, the hashes of its files."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.errors import InputError
from zoo.files import sha256

CARD = "card.json"
FIELDS = {
    "name": str,
    "model": str,
    "dataset": str,
    "version": int,
    "data_shape": list,
    "num_classes": int | None,
    "class_names": list | None,
    "parameters": dict,
    "scores": list,
    "files": dict,
}


def read_card(path: Path) -> dict:
    """Reads a `card.json`.

    Raises:
        InputError: it is not a JSON object, or a field that the zoo reads is missing or of another type.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, not UTF-8
        raise InputError(f"{path}: not JSON: {error}.") from error
    if not isinstance(card, dict):
        raise InputError(f"{path}: expected a JSON object. Received: {type(card).__name__}")
    for field, kind in FIELDS.items():
        if not isinstance(card.get(field), kind):
            raise InputError(f"{path}: {field} is missing or of the wrong type. Received: {card.get(field)!r}")
    return card


def file_hashes(version: Path) -> dict[str, str]:
    """sha256 of every file of a version folder, by its path from the artefact's folder ("1/saved_model.pb")."""
    return {
        path.relative_to(version.parent).as_posix(): sha256(path)
        for path in sorted(version.rglob("*"))
        if path.is_file()
    }


def verify(version: Path, card: dict) -> None:
    """Raises an `InputError` that lists every file of `version` that is not what `card` says."""
    expected, found = card["files"], file_hashes(version)
    problems = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    problems += [f"{name}: not listed in {CARD}" for name in sorted(found.keys() - expected.keys())]
    problems += [
        f"{name}: sha256 differs from {CARD}: expected {expected[name]!s:.12}…, found {found[name]:.12}…"
        for name in sorted(expected.keys() & found.keys())
        if expected[name] != found[name]
    ]
    if problems:
        raise InputError(f"{version.parent}: {'; '.join(problems)}.")
