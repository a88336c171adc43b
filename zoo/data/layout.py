"""What a folder of images holds: its files, with their splits and classes.

Files count if their names end in one of `pictures.SUFFIXES`; a warning says how many other pictures there are, and
names that start with a dot are ignored. Symbolic links are followed. If all sub-folders have names of splits
(`SPLITS`), they are the splits, each with its own images or class folders. Sub-folders of a class folder belong to its
class, and numbers in the names of classes sort as numbers.
"""

from __future__ import annotations

import logging
import mimetypes
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data.dataset import FOLDER, shuffled_rows
from zoo.data.pictures import SUFFIXES
from zoo.errors import InputError
from zoo.labels import NO_LABEL

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


class Layout(NamedTuple):
    """The image files of a folder.

    Args:
        files: all files in a fixed order, those of each split together and shuffled.
        splits: the split of each file, `[n]`; "train" for all in a folder without splits.
        labels: the label of each file, int32 `[n]`; -1 without classes.
        class_names: the name of each label, or None without classes.
    """

    files: list[Path]
    splits: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...] | None


def find(root: Path) -> Layout:
    """Searches a folder for images, splits and classes.

    Raises:
        InputError: `root` is not a folder or holds no images, or it mixes images with class folders, or splits with
            classes.
    """
    if not os.path.isdir(root):  # unlike `Path.is_dir`, no error for a name that is too long
        raise InputError(f"{FOLDER}PATH needs a folder of images. Received: {root}, which is not a folder")
    everything = list(_walk(root))
    folders = [path for path, is_folder in everything if is_folder]
    files = sorted(path for path, is_folder in everything if not is_folder)
    images = [file for file in files if file.suffix.lower() in SUFFIXES]
    _warn_of_other_pictures(root, files)
    if not images:
        raise InputError(f"{FOLDER}{root} holds no images; their names end in {', '.join(sorted(SUFFIXES))}")

    ordered: list[Path] = []
    splits: list[str] = []
    classes: list[str | None] = []
    names: set[str] = set()
    for split, place in _splits(root, images).items():
        inside = [image for image in images if image.is_relative_to(place)]
        inside = [inside[row] for row in shuffled_rows(len(inside))]
        in_split = _class_names(place, inside, folders)
        names.update(in_split)
        ordered += inside
        splits += [split] * len(inside)
        classes += [image.relative_to(place).parts[0] if in_split else None for image in inside]
    if names and None in classes:
        without = splits[classes.index(None)]
        raise InputError(
            f"{FOLDER}{shown(root)} must hold class folders in every split or in none. Received: none in {without}"
        )
    sorted_names = sorted(names, key=_numbers_as_numbers)
    label_of = {None: NO_LABEL} | {name: label for label, name in enumerate(sorted_names)}
    labels = np.array([label_of[name] for name in classes], np.int32)
    return Layout(ordered, np.array(splits), labels, tuple(map(shown, sorted_names)) or None)


def shown(path: Path | str) -> str:
    r"""A path as text for any terminal and for JSON: bytes that are not UTF-8 become escapes such as `\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: Path, above: tuple[str, ...] = ()) -> Iterator[tuple[Path, bool]]:
    """Each path under a folder and whether it is a folder, without hidden paths and links to folders above."""
    here = (*above, os.path.realpath(folder))
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise InputError(f"Cannot list {shown(folder)}: {error.strerror or error}.") from error
    for path in paths:
        if path.name.startswith("."):
            continue
        if not os.path.isdir(path):  # Path.is_dir raises for a loop of links
            yield path, False
        elif os.path.realpath(path) not in here:
            yield path, True
            yield from _walk(path, here)


def _splits(root: Path, images: list[Path]) -> dict[str, Path]:
    """The folder of each split that exists; `root` is that of "train" if it has class folders or no folders."""
    tops = sorted({image.relative_to(root).parts[0] for image in images if image.parent != root})
    named = [top for top in tops if top.lower() in SPLITS]
    # One folder with the name of a split among others is a class, such as "train" among "car" and "plane".
    if not named or len(named) == 1 < len(tops):
        return {"train": root}
    places = {SPLITS[top.lower()]: root / top for top in named}
    if len(named) < len(tops) or len(places) < len(named) or "train" not in places:
        raise InputError(
            f"{FOLDER}{shown(root)} must hold one folder for each class, or one for each split: train, and perhaps "
            f"validation and test. Received: {', '.join(map(shown, tops))}"
        )
    if beside := [image for image in images if image.parent == root]:
        raise InputError(
            f"{FOLDER}{shown(root)} must hold all its images in the folders {', '.join(map(shown, tops))}. "
            f"Received: {shown(beside[0])} beside them"
        )
    return {split: places[split] for split in dict.fromkeys(SPLITS.values()) if split in places}


def _class_names(place: Path, images: list[Path], folders: list[Path]) -> list[str]:
    """The names of the class folders in the folder of a split; empty if it holds images directly."""
    beside = sorted(image.name for image in images if image.parent == place)
    names = sorted(folder.name for folder in folders if folder.parent == place)
    if not beside:
        return names
    if len(beside) < len(images):
        raise InputError(
            f"{FOLDER}{shown(place)} must hold either images or one folder for each class. "
            f"Received: {len(beside)} images such as {shown(beside[0])} beside folders such as {shown(names[0])}"
        )
    return []


def _numbers_as_numbers(name: str) -> tuple[list[str | int], str]:
    """A key that sorts "2" before "10" and "fold2" before "fold10"."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)], name


def _warn_of_other_pictures(root: Path, files: Iterable[Path]) -> None:
    others = Counter(
        file.suffix.lower()
        for file in files
        if file.suffix.lower() not in SUFFIXES and (mimetypes.guess_type(file.name)[0] or "").startswith("image/")
    )
    if others:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common())
        logging.getLogger(__name__).warning(
            "ignored: pictures in %s of formats that are not read: %s", shown(root), kinds
        )
