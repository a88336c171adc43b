"""Datasets by name: digits of scikit-learn, triangles, 2-D toys, image folders, TensorFlow Datasets, stacked digits."""

from __future__ import annotations

import os

from zoo.data import digits, folder, mixtures, stacked, tfds_images, triangles
from zoo.data.dataset import FOLDER, Dataset, Split
from zoo.errors import InputError

__all__ = ["Dataset", "Split", "load", "names"]

EMBEDDED = {"digits": digits.load, triangles.NAME: triangles.load} | mixtures.DATASETS


def names() -> list[str]:
    """The embedded datasets and the best-known ones of TFDS; `load` also takes every other TFDS dataset of images."""
    return [*EMBEDDED, *tfds_images.FAMILIAR]


def load(
    name: str, data_dir: str | os.PathLike | None = None, image_size: int | None = None, skip_corrupt: bool = False
) -> Dataset:
    """Loads a dataset; the first use of a TFDS dataset downloads and prepares it.

    Args:
        name: "digits", "triangles", "ring", "grid" or "swiss_roll"; "folder:PATH", a folder of images
            (`zoo.data.folder`); the name of a TFDS dataset of images, such as "mnist" or "lsun/bedroom"
            (`zoo.data.tfds_images`); or one of these after "stacked_", such as "stacked_mnist" (`zoo.data.stacked`).
        data_dir: where TFDS keeps its datasets; None is TFDS's own default, which `$TFDS_DATA_DIR` changes.
        image_size: crops the images of a folder or of TFDS to their central square and resizes it to this many pixels
            per side. None keeps the images as they are, which requires that all have the same size.
        skip_corrupt: leaves out files of a folder that cannot be read, with a warning, instead of refusing the folder.

    Returns:
        The dataset. Each split is decoded once, on its first use (a folder already when it is loaded), into files under
        `$GAN_ZOO_CACHE` (`~/.cache/gan-zoo`) that later runs map into memory.

    Raises:
        InputError: there is no such dataset, its data cannot be obtained or read, or `image_size` is missing or not
            applicable.
    """
    if image_size is not None and image_size < 1:
        raise InputError(f"image_size must be positive. Received: image_size={image_size}")
    if name.startswith(stacked.PREFIX):
        return stacked.stacked(load(name.removeprefix(stacked.PREFIX), data_dir, image_size, skip_corrupt))
    if name in EMBEDDED:
        if image_size is not None:
            raise InputError(f"image_size: dataset {name!r} comes in one shape only. Received: image_size={image_size}")
        return EMBEDDED[name]()
    if name.startswith(FOLDER):
        return folder.load(name, image_size, skip_corrupt)
    return tfds_images.load(name, data_dir, image_size, known=names())
