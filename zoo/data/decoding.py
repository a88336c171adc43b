"""Decoding images once: arrays are kept on disk with the settings that made them, and later runs memory-map them."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zoo.errors import InputError, first_line
from zoo.files import cache_dir, make_folder, write_json

if TYPE_CHECKING:
    import tensorflow as tf

FORMAT = 1  # of the cache; raise it when its files change, or the pixels that the same settings give
IMAGES, LABELS, SETTINGS = "images.raw", "labels.npy", "settings.json"


class Undecoded(NamedTuple):
    """Rows that are yet to be decoded.

    Args:
        rows: how many rows `chunks` yields at most.
        shape: the shape of one image.
        chunks: pairs of uint8 `[k, *shape]` images and their k labels.
    """

    rows: int
    shape: tuple[int, ...]
    chunks: Iterable[tuple[np.ndarray, Iterable[int]]]


class Decoded(NamedTuple):
    """Rows from the cache.

    Args:
        images: uint8 `[n, *shape]`, memory-mapped.
        labels: int32 `[n]`.
        sha256: the hash of the bytes of both.
    """

    images: np.ndarray
    labels: np.ndarray
    sha256: str


def centre_square(image: tf.Tensor, size: int) -> tf.Tensor:
    """The largest central square of an image, resized by averaging areas.

    Args:
        image: uint8 `[height, width, channels]`.
        size: the side of the result in pixels.

    Returns:
        uint8 `[size, size, channels]`.
    """
    import tensorflow as tf

    height, width = tf.unstack(tf.shape(image)[:2])
    side = tf.minimum(height, width)
    square = tf.image.crop_to_bounding_box(image, (height - side) // 2, (width - side) // 2, side, side)
    return tf.cast(tf.round(tf.image.resize(square, (size, size), method="area")), tf.uint8)


def decode_once(name: str, settings: Mapping[str, object], undecoded: Callable[[], Undecoded]) -> Decoded:
    """Decodes rows into a folder of `cache_dir()`, unless one with the same name and settings exists.

    Args:
        name: the name of the data, for people to read.
        settings: everything that determines the rows: numbers, strings, lists of these, and None.
        undecoded: is called if the rows are not in the cache.

    Returns:
        The rows, read from the cache.

    Raises:
        InputError: the cache is damaged or cannot be written, or its disk has too little space.
    """
    settings = {"format": FORMAT, **settings}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
    cached = cache_dir() / "decoded" / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)[:64]}-{digest[:16]}"
    if not cached.exists():
        make_folder(cached.parent)
        _write(cached, settings, *undecoded())
    try:
        made = json.loads((cached / SETTINGS).read_text(encoding="utf-8"))
        images = np.memmap(cached / IMAGES, np.uint8, mode="r", shape=(made["rows"], *made["shape"]))
        return Decoded(images, np.load(cached / LABELS), made["sha256"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{cached} is damaged: {first_line(error)}. Remove it, and it is made again") from error


def _write(cached: Path, settings: dict, rows: int, shape: tuple[int, ...], chunks: Iterable) -> None:
    """Writes a folder of three files, which appears whole or not at all."""
    size, free = rows * math.prod(shape), shutil.disk_usage(cached.parent).free
    if size > free:
        raise InputError(
            f"{cached.name} needs {size / 2**30:.1f} GiB decoded; {cached.parent} has {free / 2**30:.1f} GiB free. "
            "Set GAN_ZOO_CACHE to a folder with room"
        )
    try:
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".decoding-") as scratch:
            unfinished = Path(scratch, cached.name)
            unfinished.mkdir()
            labels, sha256 = _write_rows(unfinished / IMAGES, rows, chunks, cached.name)
            np.save(unfinished / LABELS, labels)
            made = {**settings, "rows": len(labels), "shape": shape, "sha256": sha256}
            write_json(unfinished / SETTINGS, made)
            if not cached.exists():  # otherwise another process has just written the same rows
                unfinished.rename(cached)
    except OSError as error:
        if not cached.exists():
            raise InputError(f"Cannot write {cached}: {error.strerror or error}.") from error


def _write_rows(path: Path, rows: int, chunks: Iterable, title: str) -> tuple[np.ndarray, str]:
    """Writes the bytes of the images one after another, and returns the labels and the hash of both."""
    from tqdm import tqdm

    labels: list[int] = []
    digest = hashlib.sha256()
    with (
        path.open("wb") as file,
        tqdm(total=rows, desc=f"decoding {title}", unit=" images", delay=2, leave=False, disable=None) as bar,
    ):
        for chunk, chunk_labels in chunks:
            contents = np.ascontiguousarray(chunk).data
            file.write(contents)
            digest.update(contents)
            labels.extend(chunk_labels)
            bar.update(len(chunk))
    if not labels:
        raise InputError(f"{title} holds no images")
    kept = np.array(labels, np.int32)
    digest.update(kept.data)
    return kept, digest.hexdigest()
