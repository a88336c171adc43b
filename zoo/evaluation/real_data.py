"""A dataset as scores read it: its features and what follows from them, kept from run to run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo import metrics
from zoo.data import Dataset
from zoo.errors import InputError
from zoo.evaluation.rows import ROWS, batches
from zoo.features import Extractor, Features
from zoo.files import PACKAGE, cache_dir, make_folder, replacing, sha256, write_json
from zoo.metrics import checks

FEATURE_FILES = ("train.npy", "statistics.npz")  # whose hashes are in files.json, which is written last
# The source files that turn rows into features and scores.
CODE = (
    "metrics/*.py",
    "features/*.py",
    *(f"evaluation/{name}.py" for name in ("rows", "real_data", "scores", "floors")),
    "data/triangles.py",  # the manifold distance
)
BLOCK = 4096  # rows whose bytes are hashed at once


class DataFeatures(NamedTuple):
    """A dataset as an extractor sees it.

    Args:
        train: float32 `[n, dimensions]`, memory-mapped.
        statistics: of all of `train`.
        test: of the first rows of the test split, `ROWS` at most.
        cached: whether all this was found in the cache, or computed just now.
    """

    train: np.ndarray
    statistics: metrics.FeatureStatistics
    test: Features
    cached: bool


class RealData:
    """What samples are compared with; computed when it is first needed, and kept for later runs.

    Args:
        dataset: the dataset.
        extractor: computes the features that are compared; None suffices for scores that read no features.
    """

    def __init__(self, dataset: Dataset, extractor: Extractor | None = None):
        self.dataset = dataset
        self.extractor = extractor

    @cached_property
    def features(self) -> DataFeatures:
        """The dataset's features, from the cache if it has them.

        Raises:
            InputError: features of another shape than the extractor states, or that are not finite; a cache that cannot
                be written.
        """
        return self._read(cached=True) if self._is_whole() else self._compute()

    def squared_radii(self, *ks: int) -> np.ndarray:
        """`metrics.squared_radii` of the first `ROWS` training rows, from the cache if it has them.

        Raises:
            InputError: as `features`.
        """
        path = self.folder / f"radii-{'-'.join(map(str, ks))}.npz"
        if path.exists():
            with damage_reported(path), np.load(path) as arrays:  # reading compares checksums
                return arrays["squared_radii"]
        radii = metrics.squared_radii(self.features.train[:ROWS], *ks)
        with replacing(path) as temporary:
            np.savez(temporary, squared_radii=radii)
        return radii

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of every byte of the training, the validation and the test split, with their shapes."""
        digest = hashlib.sha256()
        for name in ("train", "validation", "test"):
            images = getattr(self.dataset, name).images
            digest.update(f"{name} {images.dtype} {images.shape}".encode())
            for start in range(0, len(images), BLOCK):
                digest.update(np.ascontiguousarray(images[start : start + BLOCK]))
        return digest.hexdigest()

    def extract(self, data: np.ndarray) -> Features:
        """What the extractor says of images float32 `[n, *data_shape]` in [0, 1].

        Raises:
            InputError: images that the extractor does not take, or features of another shape than it states or that are
                not finite.
        """
        extracted = self.extractor(data)
        expected = (len(data), self.extractor.dimensions)
        if extracted.features.shape != expected:
            raise InputError(
                f"{self.extractor.name} should return features {list(expected)}. "
                f"Received: {list(extracted.features.shape)}"
            )
        checks.finite(f"features of {self.extractor.name}", extracted.features)
        return extracted

    @cached_property
    def folder(self) -> Path:
        """Where all this is kept: a folder for exactly these rows, this extractor and this code.

        Raises:
            InputError: it cannot be made.
        """
        extractor = (self.extractor.name, self.extractor.sha256) if self.extractor else None
        key = hashlib.sha256(repr((code_version(), self.dataset.name, self.fingerprint, extractor)).encode())
        folder = cache_dir() / "scores" / f"{self.dataset.slug[:64]}-{key.hexdigest()[:16]}"
        make_folder(folder)
        return folder

    def _is_whole(self) -> bool:
        """Whether the cache has the features, each file as it was when `_compute` wrote it."""
        path = self.folder / "files.json"
        if not path.exists():
            return False
        with damage_reported(path.parent):
            hashes = json.loads(path.read_text(encoding="utf-8"))
            for name in FEATURE_FILES:
                if sha256(path.with_name(name)) != hashes[name]:
                    raise ValueError(f"{name} has changed since it was written")
            return True
        return False

    def _read(self, cached: bool) -> DataFeatures:
        with np.load(self.folder / "statistics.npz") as arrays:
            statistics = metrics.FeatureStatistics(**{name: arrays[name] for name in ("mean", "covariance", "count")})
            test = Features(arrays["test_features"], arrays["test_probabilities"])
        return DataFeatures(np.load(self.folder / "train.npy", mmap_mode="r"), statistics, test, cached)

    def _compute(self) -> DataFeatures:
        train, test = self.dataset.train, self.dataset.test
        statistics = metrics.FeatureStatistics.empty(self.extractor.dimensions)
        with replacing(self.folder / "train.npy") as path, path.open("wb") as file:
            shape = (len(train), self.extractor.dimensions)
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for data in batches(train, len(train), "features of train"):
                features = self.extract(data).features
                statistics.update(features)
                file.write(features.astype("<f4").tobytes())
        tested = [self.extract(data) for data in batches(test, ROWS, "features of test")]
        features, probabilities = (np.concatenate(parts) for parts in zip(*tested, strict=True))
        with replacing(self.folder / "statistics.npz") as path:
            np.savez(path, **vars(statistics), test_features=features, test_probabilities=probabilities)
        write_json(self.folder / "files.json", {name: sha256(self.folder / name) for name in FEATURE_FILES})
        return self._read(cached=False)


@cache
def code_version() -> str:
    """sha256 of the source that turns rows into features and scores; what other code cached is not read."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in CODE for path in PACKAGE.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turns any error in reading the cache into a warning on stderr, and leaves the block."""
    try:
        yield
    except Exception as error:  # damage shows as errors of many types
        print(f"zoo: warning: {path} is damaged and will be computed again: {error}", file=sys.stderr)
