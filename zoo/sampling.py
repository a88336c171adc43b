"""The arguments that every `sample` takes: one seed and one label for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.errors import InputError
from zoo.labels import NO_LABEL

MOST = 10_000_000  # samples of one command


def check_seeds_and_labels(
    seeds: int | Sequence[int] | np.ndarray,
    labels: int | Sequence[int] | np.ndarray | None,
    num_classes: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """One seed and one label for each row, checked before anything runs.

    Args:
        seeds: a number of rows n, which stands for the seeds 0 to n - 1, or the n seeds themselves, in int64's range.
        labels: a class for all rows, or n of them, each in [-1, num_classes - 1]; -1, and None for all rows, leaves
            the class to the seed.
        num_classes: None for an unconditional model, which ignores its labels: any int32 will do.

    Returns:
        Seeds int64 [n] and labels int32 [n].

    Raises:
        InputError: a wrong type, shape, number or range; no rows.
    """
    seeds = _integers("seeds", seeds, np.int64)
    if seeds.ndim == 0:
        if seeds < 1:
            raise InputError(f"`seeds` should be 1 or more rows, or the seeds themselves. Received: {seeds}")
        seeds = np.arange(seeds)
    if len(seeds) == 0:
        raise InputError("`seeds` should hold at least one seed. Received: none")

    labels = _integers("labels", NO_LABEL if labels is None else labels, np.int32)
    if labels.ndim == 0:
        labels = np.full(len(seeds), labels)
    if len(labels) != len(seeds):
        raise InputError(f"`labels` should hold one label per seed, {len(seeds)}. Received: {len(labels)}")
    if num_classes is not None:
        wrong = labels[(labels < NO_LABEL) | (labels >= num_classes)]
        if len(wrong):
            raise InputError(f"`labels` should lie in [{NO_LABEL}, {num_classes - 1}]. Received: {wrong[0]}")
    return seeds, labels


def pictured(num_classes: int | None) -> tuple[int | np.ndarray, np.ndarray | None, int]:
    """Which samples stand for a model in a picture.

    Args:
        num_classes: None for an unconditional model.

    Returns:
        Seeds and labels, as `sample` takes them, and the columns of a grid: the seeds 0 to 7 of every class, a row a
        class; of an unconditional model, and of more than 16 classes, the seeds 0 to 63.
    """
    if num_classes is None or num_classes > 16:
        return 64, None, 8
    return np.tile(np.arange(8), num_classes), np.repeat(np.arange(num_classes), 8), 8


def _integers(name: str, values: object, dtype: type[np.signedinteger]) -> np.ndarray:
    """`values` as an array of `dtype` with no axis or one, unless they are something else."""
    limits = np.iinfo(dtype)
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal lengths
        array = np.asarray(values, dtype=object)
    if array.ndim > 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"`{name}` should be an int or a 1-D sequence of ints that fit {limits.dtype}. "
            f"Received: {array.dtype} of shape {list(array.shape)}"
        )
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise InputError(f"`{name}` should fit {limits.dtype}. Received: values in [{array.min()}, {array.max()}]")
    return array.astype(dtype)
