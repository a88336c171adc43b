"""Samples next to the training images nearest to them, which show whether a model copies."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from zoo import images, metrics
from zoo.evaluation.real_data import RealData
from zoo.evaluation.rows import Sampler, draw, unit

PICTURED = 8  # samples that are shown next to their neighbours: the seeds 0 to 7
NEAREST = 3  # neighbours of each
BLOCK = 2**22  # numbers in a block of training data that is searched at once: 32 MiB in float64


class Neighbours(NamedTuple):
    """Samples and the training images nearest to them.

    Args:
        picture: uint8 `[height, width, channels]`, one row for each sample: first the sample, then its nearest images
            in pixels, then its nearest in features.
        found: one dict for each sample: "seed", and under "pixels" and "features" the "rows" of the training split and
            their "distances", nearest first, 0 for a copy.
        seconds: how long the search took.
    """

    picture: np.ndarray
    found: list[dict]
    seconds: float


def nearest_training_images(sample: Sampler, real: RealData) -> Neighbours:
    """Searches the whole training split, block by block, for the images nearest to the samples of the seeds 0 to 7.

    Args:
        sample: as `evaluate` takes it.
        real: data of images with 1 or 3 channels; without an extractor, only pixels are compared.

    Raises:
        InputError: as `evaluate`, or images that cannot be drawn.
    """
    start = time.perf_counter()
    train = real.dataset.train
    samples = unit(draw(sample, np.arange(PICTURED), real.dataset))
    spaces = {"pixels": (samples, lambda block: unit(train.images[block]))}
    if real.extractor:
        spaces["features"] = (real.extract(samples).features, lambda block: real.features.train[block])
    found: list[dict] = [{"seed": seed} for seed in range(PICTURED)]
    columns = [samples[:, None]]
    for space, (queries, read) in spaces.items():
        distances, rows = _nearest(queries.reshape(PICTURED, -1), read, len(train))
        columns.append(unit(train.images[rows]))
        for one, near, where in zip(found, distances, rows, strict=True):
            one[space] = {"rows": where.tolist(), "distances": near.tolist()}
    tiles = np.concatenate(columns, axis=1)
    picture = images.grid(tiles.reshape(-1, *samples.shape[1:]), columns=tiles.shape[1])
    return Neighbours(picture, found, time.perf_counter() - start)


def _nearest(queries: np.ndarray, read: Callable[[slice], np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows `[n, NEAREST]` of the nearest to `queries` `[n, d]` among `count` rows that `read` returns."""
    distances, rows = np.empty((len(queries), 0)), np.empty((len(queries), 0), np.int64)
    size = max(1, BLOCK // queries.shape[1])
    for start in range(0, count, size):
        block = read(slice(start, start + size))
        block = block.reshape(len(block), -1)
        near, where = metrics.nearest_neighbours(queries, block, min(NEAREST, len(block)))
        distances, rows = np.concatenate([distances, near], axis=1), np.concatenate([rows, where + start], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
        distances, rows = (np.take_along_axis(array, order, axis=1) for array in (distances, rows))
    return distances, rows
