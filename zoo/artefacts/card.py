"""The card of a trained model, `card.json`: what it is, how it was trained, its scores, the hashes of its files."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

from zoo.errors import InputError
from zoo.files import sha256

CARD = "card.json"
LARGEST = 2**24  # bytes of a card
# The values of the field "precision"; `zoo.artefacts.precision` says what they mean.
FLOAT32, BFLOAT16, BFLOAT16_WEIGHTS = PRECISIONS = ("float32", "bfloat16", "bfloat16_weights")
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
        InputError: the file cannot be read, it is not a JSON object, or a field that the zoo reads is missing or of the
            wrong type.
    """
    try:
        with open(path, "rb", opener=_open_plain_file) as file:
            contents = file.read(LARGEST + 1)
        if len(contents) > LARGEST:
            raise InputError(f"{path}: expected a card of at most {LARGEST:,} bytes. Received: a longer one")
        card = json.loads(contents.decode("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except RecursionError as error:
        raise InputError(f"{path}: not a card: it is nested too deeply.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:  # not JSON, not UTF-8
        raise InputError(f"{path}: not JSON: {error}.") from error
    if not isinstance(card, dict):
        raise InputError(f"{path}: expected a JSON object. Received: {type(card).__name__}")
    for field, kind in FIELDS.items():
        if not isinstance(card.get(field), kind):
            raise InputError(f"{path}: {field} is missing or of the wrong type. Received: {card.get(field)!r}")
    if not _is_name(card["name"]):
        raise InputError(f"{path}: name should be that of a folder, not a path. Received: {card['name']!r}")
    return card


def _open_plain_file(path: str, flags: int) -> int:
    """Opens a file without following a link or waiting for a pipe."""
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "expected a file")
    return descriptor


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and name.isprintable() and not {"/", "\\"} & set(name)


def file_hashes(version: Path) -> dict[str, str]:
    """The sha256 of every file in a version's folder, by its path in the artefact's folder ("1/saved_model.pb")."""
    return {
        path.relative_to(version.parent).as_posix(): sha256(path)
        for path in sorted(version.rglob("*"))
        if path.is_file()
    }


def verify(version: Path, card: dict) -> None:
    """Raises an `InputError` that lists every file of `version` that differs from what `card` says, if any does."""
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
