"""The pictures of a study: real ones, those of models, examples and checks, all encoded to the same number of bytes.

A PNG of level 0 holds the uncompressed pixels and nothing else: its length follows from the shape alone. So
neither its size nor its metadata nor the time it takes to send tells where a picture came from.
"""

from __future__ import annotations

import enum
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from zoo import data
from zoo.artefacts.card import file_hashes
from zoo.artefacts.catalogue import LoadedModel, find
from zoo.artefacts.catalogue import load as load_model
from zoo.errors import InputError, unknown
from zoo.images import SLACK
from zoo.labels import NO_LABEL


class Kind(enum.StrEnum):
    """The role of a source in the study."""

    REAL = "real"
    MODEL = "model"
    EXAMPLE = "example"  # a real picture that is shown before the first trial and in no trial
    CHECK = "check"  # a real picture whose pixels are shuffled


RESERVED = (Kind.REAL, Kind.EXAMPLE, Kind.CHECK)  # names of the sources that are not models


class Picture(NamedTuple):
    """One picture: the source's name, the seed (or the row of the test split), the label, the PNG."""

    source: str
    seed: int
    label: int
    png: bytes


def encoded(image: np.ndarray) -> bytes:
    """A PNG of uint8 `[height, width, 1 or 3]`, whose number of bytes depends on the shape alone."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(file, format="PNG", compress_level=0)
    return file.getvalue()


def decoded(png: bytes) -> np.ndarray:
    """The pixels that `encoded` was given, uint8 `[height, width, 1 or 3]`."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def described(names: Sequence[str]) -> list[dict]:
    """Which models take part: the name, version and file hashes of each, verified against its card.

    Args:
        names: as `zoo.load` takes them.

    Raises:
        InputError: a model that is given twice, or one that cannot be found or is damaged.
    """
    models = []
    for name in names:
        version, card = find(name)
        called = card.get("name") or (version.parent.name if version.name.isdecimal() else version.name)
        models.append({"name": called, "version": version.name, "files": card.get("files") or file_hashes(version)})
    called = [model["name"] for model in models]
    if len({*called, *RESERVED}) < len(called) + len(RESERVED):
        raise InputError(
            "--models should be models of different names, none of them "
            f"{', '.join(RESERVED)}. Received: {', '.join(called)}"
        )
    return models


class Material:
    """All that the pictures of a study are made of.

    Args:
        dataset: the data whose test split gives the real pictures.
        models: paths or names, as `zoo.load` takes them, by the names that the study gives them.
        seeds: int64 `[n]`, the seeds of every model's n pictures; n real ones are taken too.
        label: the class of all pictures, by name or number; None for all classes.

    Raises:
        InputError: data that are not images, or a class that does not exist or has no images.
    """

    def __init__(self, dataset: data.Dataset, models: dict[str, str], seeds: np.ndarray, label: str | None):
        if len(dataset.data_shape) != 3 or dataset.data_shape[-1] not in (1, 3):
            raise InputError(
                "a study needs images of 1 or 3 channels. "
                f"Received: dataset {dataset.name!r} of shape {list(dataset.data_shape)}"
            )
        self.dataset = dataset
        self.models = models
        self.seeds = seeds
        self.label = None if label is None else _class(dataset, label)

    def pictures(self, examples: int, checks: int) -> Iterator[Picture]:
        """Every picture of the study, source by source.

        Args:
            examples: real pictures to show before the first trial.
            checks: pictures with shuffled pixels.

        Raises:
            InputError: too few real pictures; a model of another shape, without that class, or refused by `zoo.load`.
        """
        models = {name: load_model(path) for name, path in self.models.items()}
        for name, model in models.items():
            self._require_fitting(name, model)
        rows = self._real_rows(len(self.seeds) + examples + checks)
        split = self.dataset.test
        kinds = [Kind.REAL] * len(self.seeds) + [Kind.EXAMPLE] * examples + [Kind.CHECK] * checks
        for kind, row in zip(kinds, rows, strict=True):
            image = np.asarray(split.images[row])
            if kind is Kind.CHECK:
                pixels = image.reshape(-1, image.shape[-1])
                image = np.random.default_rng(int(row)).permutation(pixels).reshape(image.shape)
            yield Picture(kind, int(row), int(split.labels[row]), encoded(image))
        label = NO_LABEL if self.label is None else self.label
        for name, model in models.items():
            samples = model.sample(self.seeds, label)
            self._require_samples(name, samples)
            for seed, image in zip(self.seeds, np.rint(np.clip(samples, 0, 1) * 255).astype(np.uint8), strict=True):
                yield Picture(name, int(seed), label, encoded(image))

    def _real_rows(self, count: int) -> np.ndarray:
        labels = self.dataset.test.labels
        rows = np.arange(len(labels)) if self.label is None else np.flatnonzero(labels == self.label)
        if len(rows) < count:
            of = "" if self.label is None else f" of class {self.label}"
            raise InputError(
                f"the test split of {self.dataset.name!r} should have {count} images{of}: one for each seed, each "
                f"example and each check. Received: {len(rows)}"
            )
        return np.random.default_rng(0).permutation(rows)[:count]

    def _require_fitting(self, name: str, model: LoadedModel) -> None:
        if self.label is not None and not (model.card.get("num_classes") and model.card.get("conditional", True)):
            raise InputError(f"--label: a model should know classes to be asked for one. Received: {name}")
        self._require_samples(name, model.sample([0]))

    def _require_samples(self, name: str, samples: np.ndarray) -> None:
        if samples.shape[1:] != self.dataset.data_shape:
            raise InputError(
                "a model and its data should have one shape. Received: "
                f"{list(samples.shape[1:])} of {name} and {list(self.dataset.data_shape)} of {self.dataset.name!r}"
            )
        if not (samples.min() >= -SLACK and samples.max() <= 1 + SLACK):
            raise InputError(f"samples should lie in [0, 1]. Received: [{samples.min()}, {samples.max()}] of {name}")


def _class(dataset: data.Dataset, label: str) -> int:
    """The number of a class, given by its name or its number."""
    classes = {str(number): number for number in range(dataset.num_classes or 0)}
    classes |= {name: number for number, name in enumerate(dataset.class_names or ())}
    if label not in classes:
        raise unknown(f"class of {dataset.name}", label, classes)
    return classes[label]
