"""Samples that exist already, from any generator: a folder of images, or arrays in an .npz."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from zoo.data import folder
from zoo.data.dataset import FOLDER
from zoo.errors import InputError, first_line
from zoo.files import expanded, sha256

ARRAYS = ".npz"
SAMPLES = "samples"  # the array of an .npz that is read, as `zoo sample --npz` writes it


class GivenSamples:
    """Existing samples, in place of a model: row i stands for the sample of seed i.

    Attributes:
        path: the folder or file that holds them.
        count: the number of samples.
        facts: which samples these are: "name", "version" (None), and the sha256 of the "files".
        card: empty.
        signatures: empty.
    """

    def __init__(self, path: Path, name: str, hashes: dict[str, str], rows: np.ndarray):
        self.path = path
        self.count = len(rows)
        self.facts = {"name": name, "version": None, "files": hashes}
        self.card: dict = {}
        self.signatures: dict = {}
        self._rows = rows

    def sample(self, seeds: np.ndarray) -> np.ndarray:
        """The rows with these numbers.

        Raises:
            InputError: there are fewer rows.
        """
        self.require(int(np.max(seeds)) + 1)
        return self._rows[seeds]

    def require(self, samples: int) -> None:
        """Raises an `InputError` if there are fewer than `samples`."""
        if samples > self.count:
            raise InputError(f"{self.path} holds {self.count:,} samples. Received: {samples:,} to be scored")


def is_given(name: str) -> bool:
    """Whether a name refers to samples rather than to a model."""
    return name.startswith(FOLDER) or name.endswith(ARRAYS)


def given_samples(
    name: str, data_shape: tuple[int, ...], image_size: int | None = None, skip_corrupt: bool = False
) -> GivenSamples:
    """Reads samples that exist already.

    Args:
        name: "folder:PATH", images in any sub-folders, as `zoo.data` reads them; or the path of an .npz, whose array
            "samples" `[n, *data_shape]` holds floats in [0, 1] or uint8, or vectors.
        data_shape: the shape of the data they are compared with. If it is grey, images with three equal channels are
            made grey too.
        image_size: crops the images of a folder to their centred square and resizes it to this many pixels per side.
        skip_corrupt: leaves out files of a folder that cannot be read.

    Raises:
        InputError: there are none, they cannot be read, or they have another shape.
    """
    if name.startswith(FOLDER):
        dataset = folder.load(name, image_size, skip_corrupt)
        rows = dataset.read("train+validation+test").images
        path, title = expanded(name.removeprefix(FOLDER)), dataset.slug
        hashes = {name: hashlib.sha256(rows).hexdigest()}
    else:
        path = expanded(name)
        rows, title = _array(path), path.stem
        hashes = {path.name: sha256(path)}
    if data_shape[2:] == (1,) and rows.shape[3:] == (3,) and (rows == rows[..., :1]).all():
        rows = rows[..., :1]
    if rows.shape[1:] != data_shape:
        raise InputError(f"{name}: expected samples of shape {list(data_shape)}. Received: {list(rows.shape[1:])}")
    return GivenSamples(path, title, hashes, rows)


def _array(path: Path) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if SAMPLES not in arrays:
                raise InputError(f"{path}: expected an array {SAMPLES!r}. Received: {', '.join(arrays) or 'none'}")
            rows = arrays[SAMPLES]
    except InputError:
        raise
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise InputError(f"{path}: cannot be read as an {ARRAYS}: {reason}") from error
    if rows.ndim < 2 or not len(rows) or rows.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected {SAMPLES} [n, ...] of numbers. Received: {rows.dtype} {list(rows.shape)}")
    return rows
