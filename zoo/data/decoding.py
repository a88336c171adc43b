"""Decoding images once: into memory, or, where they do not fit, into a memory-mapped file that later runs reuse."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import InputError
from zoo.files import cache_dir

if TYPE_CHECKING:
    import tensorflow as tf

# Bytes of one array of decoded images that may be held in memory.
MEMORY_LIMIT = 2**30


def centre_square(image: tf.Tensor, size: int) -> tf.Tensor:
    """The largest centred square of an image, resized by averaging areas.

    Args:
        image: uint8 `[height, width, channels]`.
        size: the side of the result.

    Returns:
        uint8 `[size, size, channels]`.
    """
    import tensorflow as tf

    height, width = tf.unstack(tf.shape(image)[:2])
    side = tf.minimum(height, width)
    square = tf.image.crop_to_bounding_box(image, (height - side) // 2, (width - side) // 2, side, side)
    return tf.cast(tf.round(tf.image.resize(square, (size, size), method="area")), tf.uint8)


def decode_once(
    key: str, rows: int, shape: tuple[int, ...], chunks: Iterable[tuple[np.ndarray, Iterable[int]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Collects `chunks` into arrays; an array over `MEMORY_LIMIT` is kept in `cache_dir()` under `key`.

    Args:
        key: a file name that differs where the rows differ.
        rows: as many rows as `chunks` may yield; fewer are allowed.
        shape: of one image.
        chunks: pairs of uint8 `[k, *shape]` images and their k labels; not read if the rows are in the cache.

    Returns:
        The images, uint8 `[n, *shape]`, and the labels, int32 `[n]`.

    Raises:
        InputError: the cache's disk has no room.
    """
    size = rows * math.prod(shape)
    if size <= MEMORY_LIMIT:
        images = np.empty((rows, *shape), np.uint8)
        labels = _fill(images, chunks, key)
        return images[: len(labels)], labels
    cached = cache_dir() / key
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cached.parent).free
        if size > free:
            raise InputError(
                f"{key} needs {size / 2**30:.1f} GiB decoded; {cached.parent} has {free / 2**30:.1f} GiB free. "
                "Set GAN_ZOO_CACHE to a folder with room"
            )
        _write(cached, (rows, *shape), chunks)
    labels = np.load(cached / "labels.npy")
    return np.memmap(cached / "images.raw", np.uint8, mode="r", shape=(rows, *shape))[: len(labels)], labels


def _write(cached: Path, shape: tuple[int, ...], chunks: Iterable) -> None:
    """Writes a folder of `images.raw` (the bytes alone) and `labels.npy` that appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".decoding-") as scratch:
        unfinished = Path(scratch, cached.name)
        unfinished.mkdir()
        images = np.memmap(unfinished / "images.raw", np.uint8, mode="w+", shape=shape)
        np.save(unfinished / "labels.npy", _fill(images, chunks, cached.name))
        images.flush()
        try:
            unfinished.rename(cached)
        except OSError:
            if not cached.exists():  # else another process has just written the same rows
                raise


def _fill(images: np.ndarray, chunks: Iterable, title: str) -> np.ndarray:
    """Copies the chunks into the first rows of `images`, and returns their labels."""
    from tqdm import tqdm

    labels: list[int] = []
    with tqdm(total=len(images), desc=f"decoding {title}", unit=" images", delay=2, leave=False, disable=None) as bar:
        for chunk, chunk_labels in chunks:
            images[len(labels) : len(labels) + len(chunk)] = chunk
            labels.extend(chunk_labels)
            bar.update(len(chunk))
    return np.array(labels, np.int32)
