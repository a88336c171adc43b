"""Image folders, "folder:PATH": images, or one sub-folder of images for each class, or such folders for each split.

`zoo.data.layout` says which files count. The images are greyscale if every file is, otherwise RGB. All 16-bit greyscale
files are scaled alike, by the bits that the largest value needs: if all values fit 12 bits, as cameras and scanners
store them, 12 bits are the full scale.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL

from zoo.data import layout, pictures
from zoo.data.dataset import FOLDER, Dataset, Split, in_memory
from zoo.data.decoding import Undecoded, decode_once
from zoo.data.layout import shown
from zoo.errors import InputError
from zoo.files import expanded

AT_ONCE = 32  # files that are decoded in parallel and held in memory
NAMED = 3  # how many files a message names
T = TypeVar("T")


def load(name: str, image_size: int | None = None, skip_corrupt: bool = False) -> Dataset:
    """Decodes an image folder. If it has no split folders, a fixed permutation divides its images into splits.

    Args:
        name: "folder:PATH".
        image_size: crops the images to their central square and resizes it to this many pixels per side; None keeps
            the images as they are.
        skip_corrupt: leaves out files that cannot be read, with a warning.

    Returns:
        The dataset, decoded.

    Raises:
        InputError: the folder is missing, holds fewer than three images, or mixes images with class folders or splits
            with classes; a class has no training image; the images differ in size and there is no `image_size`; a file
            cannot be read and `skip_corrupt` is not set.
    """
    root = expanded(name.removeprefix(FOLDER))
    files, splits, labels, class_names = layout.find(root)
    _require_every_class(root, labels[splits == "train"], class_names)
    settings = {
        "folder": shown(root.resolve()),
        "files": _stamps(root, files),
        "image_size": image_size,
        "skip_corrupt": skip_corrupt,
        "pillow": PIL.__version__,
    }
    decoded = decode_once(root.resolve().name, settings, partial(_undecoded, root, files, image_size, skip_corrupt))
    images, rows = decoded.images, decoded.labels  # of the readable files; `rows` are the files' numbers
    splits, labels = splits[rows], labels[rows]
    _require_every_class(root, labels[splits == "train"], class_names)
    own = {}
    for split in dict.fromkeys(splits.tolist()):
        first, last = np.flatnonzero(splits == split)[[0, -1]]
        own[split] = Split(images[first : last + 1], labels[first : last + 1])
    if "train" not in own:
        raise InputError(f"{name}: none of the training images can be read.")
    train = own.pop("train")
    facts = (decoded.sha256, splits.tolist(), labels.tolist(), class_names)
    return Dataset(
        name=name,
        data_shape=images.shape[1:],
        num_classes=len(class_names) if class_names else None,
        class_names=class_names,
        licence="not stated: the images of a local folder",
        read=in_memory(name, train.images, train.labels, **own),
        fingerprint=hashlib.sha256(repr(facts).encode()).hexdigest(),
    )


def _undecoded(root: Path, files: list[Path], image_size: int | None, skip_corrupt: bool) -> Undecoded:
    """The images of a folder, with the numbers of their files instead of labels."""
    reasons: dict[Path, InputError] = {}
    headers = dict(_each(partial(pictures.header, upright=image_size is None), files, reasons))
    if not headers:
        raise InputError(_unreadable(root, reasons, len(files)))
    channels = 1 if all(header.is_grey for header in headers.values()) else 3
    width, height = (image_size, image_size) if image_size else _common_size(root, headers)
    decode = partial(pictures.pixels, channels=channels, bits=_bits(root, headers), square=image_size)

    def chunks() -> Iterator[tuple[np.ndarray, list[int]]]:
        numbers = {file: number for number, file in enumerate(files)}
        for file, image in _each(decode, headers, reasons):
            yield image[None], [numbers[file]]
        if reasons and not skip_corrupt:
            raise InputError(
                f"{_unreadable(root, reasons, len(files))}. "
                "Repair or remove them, or leave them out with skip_corrupt (--skip_corrupt)"
            )
        if reasons:
            _warn(f"left out: {_unreadable(root, reasons, len(files))}")

    return Undecoded(len(files), (height, width, channels), chunks())


def _each(
    read: Callable[[Path], T], files: Iterable[Path], reasons: dict[Path, InputError]
) -> Iterator[tuple[Path, T]]:
    """Each file, in order, with what `read` returns, using all cores; `reasons` gets the errors of unreadable files."""

    def result(file: Path) -> T | InputError:
        try:
            return read(file)
        except InputError as error:
            return error

    files = list(files)
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            for file, found in zip(some, pool.map(result, some), strict=True):
                if isinstance(found, InputError):
                    reasons[file] = found
                else:
                    yield file, found


def _bits(root: Path, headers: Mapping[Path, pictures.Header]) -> int:
    """How many bits the values of the 16-bit files need; logs a warning if these are fewer than 16."""
    deep = [header.largest for header in headers.values() if header.largest]
    bits = pictures.depth(max(deep, default=0))
    if deep and bits < 16:
        _warn(
            f"{len(deep)} files of 16 bits in {shown(root)} hold values up to {max(deep)}: scaled as {bits}-bit values"
        )
    return bits


def _common_size(root: Path, headers: Mapping[Path, pictures.Header]) -> tuple[int, int]:
    sizes = Counter(header.size for header in headers.values())
    (common, count), *others = sizes.most_common()
    if others:
        file, odd = next((file, header.size) for file, header in headers.items() if header.size != common)
        raise InputError(
            f"{FOLDER}{shown(root)} needs image_size (--image_size): {len(headers) - count} of its {len(headers)} "
            f"images are not {common[0]}x{common[1]}. Received: {shown(file.relative_to(root))} of {odd[0]}x{odd[1]}"
        )
    return common


def _require_every_class(root: Path, labels: np.ndarray, class_names: tuple[str, ...] | None) -> None:
    """Raises an `InputError` that names the classes without a training image."""
    missing = [name for label, name in enumerate(class_names or ()) if label not in labels]
    if missing:
        raise InputError(
            f"{FOLDER}{shown(root)} needs an image for each class. Received: no readable training image of "
            f"{', '.join(missing[:NAMED])}{', ...' * (len(missing) > NAMED)}"
        )


def _unreadable(root: Path, reasons: Mapping[Path, InputError], total: int) -> str:
    named = [f"{shown(file.relative_to(root))} ({reason})" for file, reason in sorted(reasons.items())[:NAMED]]
    more = ["..."] if len(reasons) > NAMED else []
    return f"{len(reasons)} of {total} image files in {shown(root)} cannot be read: {', '.join(named + more)}"


def _warn(text: str) -> None:
    logging.getLogger(__name__).warning(text)


def _stamps(root: Path, files: list[Path]) -> str:
    """A hash that changes with the names, the sizes and the times of the files."""
    digest = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
            stamp = f"{status.st_size} {status.st_mtime_ns}"
        except OSError as error:  # such as for a broken link
            stamp = str(error.errno)
        digest.update(f"{shown(file.relative_to(root))} {stamp}\n".encode())
    return digest.hexdigest()
