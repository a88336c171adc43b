"""Kernel distance between two sets of features: the KID where the features are those of the 2015 Inception graph.

Binkowski et al., "Demystifying MMD GANs", 2018, https://arxiv.org/abs/1801.01401.
"""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError, require_positive
from zoo.metrics import checks


def kernel_distance(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """The squared maximum mean discrepancy under the kernel (a.b / d + 1)^3, over random subsets.

    Lower is better. Unlike the Fréchet distance, it is unbiased for any number of rows, so equal distributions score 0
    on average, and below 0 half the time.

    Args:
        real_features: `[n, d]`.
        fake_features: `[m, d]`.
        subsets: the number of pairs of subsets; a row may be in several subsets, but only once in each.
        subset_size: the number of rows in a subset, at least 2.
        seed: the seed of the draws; `torch-fidelity` draws the same subsets from the same seed.

    Returns:
        Mean and standard deviation over the subsets.

    Raises:
        InputError: another shape, values that are not finite, or fewer rows than a subset needs.
    """
    real, fake = checks.rows(real_features=real_features, fake_features=fake_features)
    require_positive(subsets=subsets, subset_size=subset_size)
    if subset_size < 2:
        raise InputError(f"`subset_size` should be 2 or more. Received: {subset_size}")
    checks.require_rows(subset_size, "a subset takes so many", real_features=real, fake_features=fake)
    draws = checks.random_state(seed)
    estimates = [
        _squared_discrepancy(*(side[draws.choice(len(side), subset_size, replace=False)] for side in (real, fake)))
        for _ in range(subsets)
    ]
    return float(np.mean(estimates)), float(np.std(estimates))


def _squared_discrepancy(real: np.ndarray, fake: np.ndarray) -> float:
    """Gretton et al. (2012), eq. 3, whose means over one side leave out each row's kernel with itself."""
    real, fake = _extended(real), _extended(fake)
    within = sum(_kernel_sum(side, side) - (np.einsum("ij,ij->i", side, side) ** 3).sum() for side in (real, fake))
    n = len(real)
    return within / (n * (n - 1)) - 2 * _kernel_sum(real, fake) / n**2


def _extended(rows: np.ndarray) -> np.ndarray:
    """Rows in float64 whose products are a.b / d + 1."""
    scaled = rows.astype(np.float64) / np.sqrt(rows.shape[1])
    return np.concatenate([scaled, np.ones((len(rows), 1))], axis=1)


def _kernel_sum(a: np.ndarray, b: np.ndarray) -> float:
    products = a @ b.T
    return float(np.vdot(products * products, products))  # NumPy's ** 3 calls pow, many times slower
