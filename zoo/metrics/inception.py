"""Inception score: what a classifier's predictions say about samples.

Salimans et al., "Improved Techniques for Training GANs", 2016, https://arxiv.org/abs/1606.03498.
"""

from __future__ import annotations

import itertools

import numpy as np

from zoo.errors import InputError, require_positive
from zoo.metrics import checks


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
    """exp E_x KL(p(y|x) || p(y)), for consecutive splits of the samples (Sec. 4).

    It ranges from 1, if all predictions are alike, to the number of classes, if each prediction is certain and all
    classes are equally frequent. It never sees the data: copies of training images, or one perfect image per class,
    reach the maximum. The convention is 50,000 samples in 10 splits; fewer samples per split score lower.

    Args:
        probabilities: p(y|x), `[n, classes]` in [0, 1], each row summing to 1, the rows in random order.
        splits: the number of parts for which the score is computed, each with its own p(y).

    Returns:
        Mean and standard deviation over the splits.

    Raises:
        InputError: another shape, fewer than two classes, fewer rows than splits, or rows that are not distributions.
    """
    from scipy.special import rel_entr

    require_positive(splits=splits)
    (rows,) = checks.rows(probabilities=checks.in_unit_interval("probabilities", probabilities))
    checks.require_rows(splits, "a split takes at least one", probabilities=rows)
    if rows.shape[1] < 2:
        raise InputError(f"`probabilities` should have at least two classes. Received: {rows.shape[1]}")
    rows = np.clip(rows.astype(np.float64), 0, 1)
    sums = rows.sum(axis=1)
    if abs(sums - 1).max() > checks.SLACK:
        raise InputError(f"each row of `probabilities` should sum to 1. Received: sums in [{sums.min()}, {sums.max()}]")
    bounds = [split * len(rows) // splits for split in range(splits + 1)]
    scores = []
    for start, stop in itertools.pairwise(bounds):
        conditional = rows[start:stop]
        scores.append(np.exp(rel_entr(conditional, conditional.mean(axis=0)).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
