"""The arguments that every `sample` takes: one seed and one label for each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.errors import InputError
from zoo.labels import NO_LABEL

MOST = 10_000_000  # the most samples that one command draws


def check_seeds_and_labels(
    seeds: int | Sequence[int] | np.ndarray,
    labels: int | Sequence[int] | np.ndarray | None,
    num_classes: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """One seed and one label for each row, checked before anything runs.

    Args:
        seeds: a number of rows n, which stands for the seeds 0 to n - 1, or the n seeds themselves, in int64's range.
        labels: one class for all rows, or n classes, each in [-1, num_classes - 1]; -1, or None for all rows, lets the
            seed choose the class.
        num_classes: None for an unconditional model, which ignores its labels: any int32 will do.

    Returns:
        Seeds int64 [n] and labels int32 [n].

    Raises:
        InputError: the type, shape, number or range of seeds or labels is wrong, or there are no rows.
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
    """Which samples represent a model in a picture.

    Args:
        num_classes: None for an unconditional model.

    Returns:
        Seeds and labels, as `sample` takes them, and the number of columns of a grid: the seeds 0 to 7 of every class,
        one row per class; for an unconditional model, or more than 16 classes, the seeds 0 to 63.
    """
    if num_classes is None or num_classes > 16:
        return 64, None, 8
    return np.tile(np.arange(8), num_classes), np.repeat(np.arange(num_classes), 8), 8


def _integers(name: str, values: object, dtype: type[np.signedinteger]) -> np.ndarray:
    """`values` as an array of `dtype` with no axis or one; raises an `InputError` if they are something else."""
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
