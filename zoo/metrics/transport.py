"""Distances between two samples that are exact for the samples themselves: no features, no critic, no density."""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks


def earth_movers_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The Wasserstein distance between two samples with the same number of rows: what a critic of slope 1 estimates.

    Equal weights make this an assignment problem: each row moves as a whole to one row of the other sample. It takes a
    second for 1,000 rows, and the time grows with the third power of their number. The distance between two samples of
    one distribution is not 0, but falls as they grow.

    Args:
        first: `[n, d]`.
        second: `[n, d]`.

    Returns:
        The mean Euclidean distance that a row is moved, at its minimum.

    Raises:
        InputError: another shape, values that are not finite, or unequal numbers of rows.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    first, second = checks.rows(first=first, second=second)
    if len(first) != len(second):
        raise InputError(
            f"samples to compare should have the same number of rows. Received: {len(first)} and {len(second)}"
        )
    distances = cdist(first, second)
    return float(distances[linear_sum_assignment(distances)].mean())


def jensen_shannon_divergence(first: np.ndarray, second: np.ndarray) -> float:
    """The Jensen-Shannon divergence of two samples, as distributions on their rows: what the first GAN minimises.

    Only equal rows overlap, so samples of continuous distributions are log 2 apart, however near they lie.

    Args:
        first: `[n, d]`.
        second: `[m, d]`.

    Returns:
        The divergence in nats, in [0, log 2].

    Raises:
        InputError: another shape, or values that are not finite.
    """
    from scipy.special import rel_entr

    first, second = checks.rows(first=first, second=second)
    _, places = np.unique(np.concatenate([first, second]), axis=0, return_inverse=True)
    p, q = (
        np.bincount(part, minlength=places.max() + 1) / len(part) for part in np.split(places.ravel(), [len(first)])
    )
    return float((rel_entr(p, (p + q) / 2) + rel_entr(q, (p + q) / 2)).sum() / 2)
