"""Rows of data and of samples, as every part of an evaluation reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from zoo.artefacts.signatures import ROWS_AT_ONCE
from zoo.console import progress
from zoo.data import Dataset, Split
from zoo.errors import InputError
from zoo.metrics import checks

ROWS = 10_000  # how many rows of a split, its first ones, are compared one by one with samples at most

Sampler = Callable[[np.ndarray], np.ndarray]  # seeds int64 [n] to float32 [n, *data_shape], images in [0, 1]


def draw(sample: Sampler, seeds: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Checked samples in the form of a `Split`'s rows: images are rounded to 256 levels, like those of the data.

    Returns:
        uint8 `[n, height, width, channels]`, or, for vectors, what `sample` returned.

    Raises:
        InputError: samples of another shape or range, or that are not finite.
    """
    data = np.asarray(sample(seeds))
    expected = (len(seeds), *dataset.data_shape)
    if data.shape != expected:
        raise InputError(
            f"the samples should be {list(expected)}, {len(seeds)} of the shape of dataset {dataset.name!r}. "
            f"Received: {list(data.shape)}"
        )
    if len(dataset.data_shape) != 3:
        return checks.finite("samples", data)
    if data.dtype == np.uint8:
        return data
    return np.rint(np.clip(checks.in_unit_interval("samples", data), 0, 1) * 255).astype(np.uint8)


def batches(split: Split, count: int, title: str) -> Iterator[np.ndarray]:
    """The first `count` rows of a split, `ROWS_AT_ONCE` at a time, as float32, images in [0, 1]."""
    count = min(count, len(split))
    for start in progress(range(0, count, ROWS_AT_ONCE), title, "batches"):
        yield unit(split.images[start : min(start + ROWS_AT_ONCE, count)])


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of a `Split` or of `draw` as float32, images in [0, 1]."""
    return rows / np.float32(255) if rows.dtype == np.uint8 else rows
