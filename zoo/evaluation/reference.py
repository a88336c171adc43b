"""What models of a dataset are compared with, kept from run to run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo import metrics
from zoo.data import Dataset
from zoo.errors import InputError
from zoo.evaluation.rows import ROWS, batches, unit
from zoo.evaluation.scores import SCORES, Measured, Rows
from zoo.features import Extractor, Features
from zoo.files import cache_dir, make_folder, replacing, sha256, write_json
from zoo.metrics import checks

FORMAT = 1  # of the cache: to be raised when its files or the protocol of a floor change
FEATURE_FILES = ("train.npy", "statistics.npz")  # whose hashes are in files.json, which is written last
PROBED = 2048  # rows of a split that identify it


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


class Reference:
    """What models of a dataset are compared with; computed when it is first needed, and kept for later runs.

    Args:
        dataset: the dataset.
        extractor: whose features are compared; None suffices for scores that read none.
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

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the shapes and of `PROBED` evenly spaced rows each of the training and the test split."""
        digest = hashlib.sha256()
        for split in (self.dataset.train, self.dataset.test):
            digest.update(f"{split.images.dtype} {split.images.shape}".encode())
            for row in np.linspace(0, len(split) - 1, min(PROBED, len(split))).astype(int):
                digest.update(split.images[row].tobytes())
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

    def floor(self, name: str, samples: int) -> Measured | None:
        """A score of real rows in the place of `samples` samples, or of as many as there are, `ROWS` at most.

        Returns:
            None if there are fewer rows than the score needs.
        """
        split = getattr(self.dataset, SCORES[name].stand_in)
        count = min(samples, len(split), ROWS)
        if count < self.rows_needed(name):
            return None
        key = f"{name}, {count} rows"
        if key not in self._floors:
            extracted = (None, None)
            if not SCORES[name].data_rows:
                extracted = (array[:count] for array in self.features.test)
            data = unit(split.images[: min(count, SCORES[name].data_rows)])
            self._floors[key] = SCORES[name].measure(self, Rows(count, *extracted, data))
            floors = {key: floor._asdict() for key, floor in self._floors.items()}
            write_json(self._made_folder / "floors.json", floors)
        return self._floors[key]

    def rows_needed(self, name: str) -> int:
        """How many samples, and how many rows of the data, a score takes at least."""
        return SCORES[name].least(self.extractor.dimensions if self.extractor else 0)

    @cached_property
    def _folder(self) -> Path:
        extractor = (self.extractor.name, self.extractor.sha256) if self.extractor else None
        key = hashlib.sha256(repr((FORMAT, self.dataset.name, self.fingerprint, extractor)).encode()).hexdigest()
        return cache_dir() / "scores" / f"{self.dataset.slug[:64]}-{key[:16]}"

    @property
    def _made_folder(self) -> Path:
        make_folder(self._folder)
        return self._folder

    @cached_property
    def _floors(self) -> dict[str, Measured]:
        path = self._folder / "floors.json"
        if not path.exists():
            return {}
        with _damage_reported(path):
            floors = json.loads(path.read_text(encoding="utf-8"), object_hook=_numbers)
            return {key: Measured(**floor) for key, floor in floors.items()}
        return {}

    def _is_whole(self) -> bool:
        """Whether the cache has the features, each file as it was when `_compute` wrote it."""
        path = self._folder / "files.json"
        if not path.exists():
            return False
        with _damage_reported(path.parent):
            hashes = json.loads(path.read_text(encoding="utf-8"))
            for name in FEATURE_FILES:
                if sha256(path.with_name(name)) != hashes[name]:
                    raise ValueError(f"{name} has changed since it was written")
            return True
        return False

    def _read(self, cached: bool) -> DataFeatures:
        with np.load(self._folder / "statistics.npz") as arrays:
            statistics = metrics.FeatureStatistics(**{name: arrays[name] for name in ("mean", "covariance", "count")})
            test = Features(arrays["test_features"], arrays["test_probabilities"])
        return DataFeatures(np.load(self._folder / "train.npy", mmap_mode="r"), statistics, test, cached)

    def _compute(self) -> DataFeatures:
        folder, train, test = self._made_folder, self.dataset.train, self.dataset.test
        statistics = metrics.FeatureStatistics.empty(self.extractor.dimensions)
        with replacing(folder / "train.npy") as path, path.open("wb") as file:
            shape = (len(train), self.extractor.dimensions)
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for data in batches(train, len(train), "features of train"):
                features = self.extract(data).features
                statistics.update(features)
                file.write(features.astype("<f4").tobytes())
        tested = [self.extract(data) for data in batches(test, ROWS, "features of test")]
        features, probabilities = (np.concatenate(parts) for parts in zip(*tested, strict=True))
        with replacing(folder / "statistics.npz") as path:
            np.savez(path, **vars(statistics), test_features=features, test_probabilities=probabilities)
        hashes = {name: sha256(folder / name) for name in FEATURE_FILES}
        write_json(folder / "files.json", hashes)
        return self._read(cached=False)


def _numbers(values: dict) -> dict:
    """Reads back the infinities that `write_json` wrote as strings; a floor holds no other strings."""
    return {name: float(value) if isinstance(value, str) else value for name, value in values.items()}


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    """Turns any error of reading the cache into a warning on stderr; the block goes no further."""
    try:
        yield
    except Exception as error:  # damage shows as errors of many types
        print(f"zoo: warning: {path} is damaged and will be computed again: {error}", file=sys.stderr)
