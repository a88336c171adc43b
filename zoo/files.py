"""Where the zoo's own folders lie, how a file is written whole or not at all, and its hash."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import InputError

PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder "recipes" or "pretrained": inside the package where it is installed, beside it in a checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


def cache_dir() -> Path:
    """Where decoded images and downloads are kept: `$GAN_ZOO_CACHE`, or `~/.cache/gan-zoo`."""
    return Path(os.environ.get("GAN_ZOO_CACHE") or Path.home() / ".cache" / "gan-zoo")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path with the same ending beside `path`; it becomes `path` if the block succeeds, else it goes.

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_json(path: str | Path, value: object) -> None:
    """Writes a value as strict JSON, whole or not at all.

    JSON has no infinity and no NaN; they become the strings "inf", "-inf" and "nan", which `float` reads.

    Raises:
        InputError: the file cannot be written.
    """
    text = json.dumps(_strict(value), indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _strict(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless they are there.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path}: {error.strerror or error}.") from error


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
