"""The zoo's own folders, writing a file whole or not at all, JSON, and a file's hash."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import InputError

PACKAGE = Path(__file__).parent
TEMPORARY = re.compile(r"\..+\.\d+\.(gif|json|jsonl|npy|onnx|png|py|tflite)")  # as `replacing` names files
SURROGATE = re.compile("[\ud800-\udfff]")  # Python's form of a byte in a file's name that is not UTF-8
PATTERN = set("[]*?\\") - {os.sep}  # characters of a path that TensorFlow reads as a pattern


def folder(name: str) -> Path:
    """The folder "recipes" or "pretrained": inside the installed package, or next to it in a checkout."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


def cache_dir() -> Path:
    """Where decoded images and downloads are kept: `$GAN_ZOO_CACHE`, or `~/.cache/gan-zoo`."""
    return expanded(os.environ.get("GAN_ZOO_CACHE") or Path.home() / ".cache" / "gan-zoo")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path next to `path`, with the same suffix; it replaces `path` if the block succeeds, or is removed.

    Raises:
        InputError: the file cannot be written.
    """
    path = expanded(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def clear_temporary(directory: Path) -> None:
    """Removes the temporary files of `replacing` that killed processes left in one of the zoo's own folders."""
    for path in list(directory.glob(".*")):
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_json(path: str | Path, value: object) -> None:
    """Writes a value as strict JSON, whole or not at all.

    JSON has no infinity and no NaN; they become the strings "inf", "-inf" and "nan", which `float` reads.

    Raises:
        InputError: the file cannot be written.
    """
    text = json_text(value)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_text(value: object) -> str:
    """The text that `write_json` writes; bytes of file names that are not UTF-8 become escapes that can be read back.

    Raises:
        InputError: the value holds something that JSON cannot represent.
    """
    try:
        text = json.dumps(_strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except TypeError as error:
        raise InputError(f"Expected what JSON can hold. Received: {error}") from error
    return SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _strict(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read_rows(path: Path) -> list[dict]:
    """The objects in a file of JSON lines, without lines that are incomplete; empty if there is no such file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = []
    for line in lines:
        with suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless they exist.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path}: {error.strerror or error}.") from error


def expanded(path: str | Path) -> Path:
    """A path whose leading `~` or `~user` is replaced by that user's home.

    Raises:
        InputError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: there is no such user.") from error


def require_literal(path: str | Path) -> Path:
    """Returns the path if TensorFlow will not read it as a pattern.

    Raises:
        InputError: the path has one of the characters of patterns.
    """
    if found := sorted(PATTERN & set(str(path))):
        raise InputError(f"TensorFlow reads {' and '.join(found)} in a path as a pattern. Received: {path}")
    return Path(path)


def require_possible_folder(path: Path) -> None:
    """Raises an `InputError` if a path is not a writable folder and cannot become one; creates nothing."""
    try:
        existing = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
        if not stat.S_ISDIR(existing.stat().st_mode):
            raise InputError(f"{path}: expected a folder. Received: {existing}, which is none")
        for part in path.absolute().parts[len(existing.absolute().parts) :]:
            with suppress(FileNotFoundError):
                (existing / part).lstat()  # fails if the name is too long
    except (OSError, ValueError) as error:  # ValueError: a null character
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be a folder: {getattr(error, 'strerror', None) or error}.") from error
    if not os.access(existing, os.W_OK):
        raise InputError(f"{path}: {existing} cannot be written to.")


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
