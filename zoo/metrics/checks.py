"""Checks of arguments that several scores take; each raises an `InputError` that names the argument."""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError

SLACK = 1e-3  # how far rounding may carry a value out of [0, 1], or a sum of probabilities away from 1


def finite(name: str, values: object) -> np.ndarray:
    """`values` as an array; raises if it is empty or holds anything but finite real numbers."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of unequal lengths
        raise InputError(f"`{name}` should be an array of numbers. Received: {error}") from None
    if array.dtype.kind not in "fiu" or array.size == 0:
        raise InputError(f"`{name}` should hold real numbers. Received: {array.dtype} of shape {list(array.shape)}")
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` should be finite. Received: {np.sum(~np.isfinite(array))} NaN or infinite values")
    return array


def in_unit_interval(name: str, values: object) -> np.ndarray:
    """As `finite`, of values in [0, 1]."""
    array = finite(name, values)
    if array.min() < -SLACK or array.max() > 1 + SLACK:
        raise InputError(f"`{name}` should lie in [0, 1]. Received: values in [{array.min()}, {array.max()}]")
    return array


def rows(**arrays: object) -> list[np.ndarray]:
    """As `finite`, of arrays of shape `[n, d]` with the same d."""
    checked = [finite(name, values) for name, values in arrays.items()]
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in zip(arrays, checked, strict=True))
    if any(array.ndim != 2 for array in checked):
        raise InputError(f"rows of numbers should have shape [n, d]. Received: {shapes}")
    if len({array.shape[1] for array in checked}) > 1:
        raise InputError(f"rows to compare should have the same number of columns. Received: {shapes}")
    return checked


def require_rows(needed: int, reason: str, **arrays: np.ndarray) -> None:
    """Raises for the first array with fewer than `needed` rows."""
    for name, array in arrays.items():
        if len(array) < needed:
            raise InputError(f"`{name}` should have at least {needed} rows: {reason}. Received: {len(array)}")


def random_state(seed: int) -> np.random.RandomState:
    """A random generator with this seed, whose stream NumPy keeps the same from version to version."""
    try:
        return np.random.RandomState(seed)
    except (TypeError, ValueError):
        raise InputError(f"`seed` should be an integer in [0, 2**32 - 1]. Received: {seed!r}") from None
