"""Fréchet distance between two sets of features: the FID where the features are those of the 2015 Inception graph.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017,
https://arxiv.org/abs/1706.08500.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks

BLOCK = 4096  # rows that are held in float64 at a time


@dataclass(eq=False)
class FeatureStatistics:
    """What the Fréchet distance needs to know of features `[count, d]`, gathered batch by batch in float64.

    Args:
        mean: `[d]`.
        covariance: `[d, d]`, the unbiased estimate (divided by count - 1).
        count: the number of rows that both come from.

    Raises:
        InputError: shapes that do not fit each other, or values that are not finite.

    Example:

        statistics = FeatureStatistics.empty(2048)
        for batch in batches:
            statistics.update(batch)
        np.savez(path, **vars(statistics))
        statistics = FeatureStatistics(**np.load(path))
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int

    def __post_init__(self):
        self.mean = checks.finite("mean", self.mean).astype(np.float64)
        self.covariance = checks.finite("covariance", self.covariance).astype(np.float64)
        self.count = int(self.count)
        if self.mean.ndim != 1 or self.covariance.shape != (len(self.mean), len(self.mean)):
            raise InputError(
                "statistics should hold a mean [d] and a covariance [d, d]. "
                f"Received: shapes {list(self.mean.shape)} and {list(self.covariance.shape)}"
            )

    @classmethod
    def empty(cls, dimensions: int) -> FeatureStatistics:
        """The statistics of no features, for `update` to add to."""
        return cls(np.zeros(dimensions), np.zeros((dimensions, dimensions)), 0)

    def update(self, features: np.ndarray) -> None:
        """Adds features `[n, d]`.

        Raises:
            InputError: another shape, or values that are not finite.
        """
        features, _ = checks.rows(features=features, mean=self.mean[None])
        for start in range(0, len(features), BLOCK):
            self._add(features[start : start + BLOCK].astype(np.float64))

    def _add(self, block: np.ndarray) -> None:
        """The pairwise update of Chan, Golub and LeVeque (1979), which does not cancel far from the origin."""
        mean = block.mean(axis=0)
        centred = block - mean
        shift = mean - self.mean
        total = self.count + len(block)
        scatter = self.covariance * max(self.count - 1, 0) + centred.T @ centred
        scatter += np.outer(shift, shift) * (self.count * len(block) / total)
        self.mean = self.mean + shift * (len(block) / total)
        self.covariance = scatter / max(total - 1, 1)
        self.count = total


def frechet_distance(
    real_features: np.ndarray | FeatureStatistics, fake_features: np.ndarray | FeatureStatistics
) -> float:
    """|m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2)), between Gaussians fitted to both sides (eq. 6).

    Lower is better, and 0 is the minimum. The estimate is biased upwards, more so with fewer rows: the convention is
    50,000 or 10,000 rows on each side.

    Args:
        real_features: `[n, d]`, or their statistics.
        fake_features: the same, with the same d.

    Raises:
        InputError: another shape, values that are not finite, or a side with d rows or fewer, whose covariance is
            singular whatever the features.
    """
    real, fake = _statistics("real_features", real_features), _statistics("fake_features", fake_features)
    if real.mean.shape != fake.mean.shape:
        raise InputError(
            f"real and fake features should have the same number of columns. "
            f"Received: {len(real.mean)} and {len(fake.mean)}"
        )
    shift = real.mean - fake.mean
    # tr (C_r C_f)^(1/2) is the sum of the singular values of F_r F_f', where C = F'F: real numbers throughout.
    overlap = np.linalg.svd(_factor(real.covariance) @ _factor(fake.covariance).T, compute_uv=False).sum()
    distance = shift @ shift + np.trace(real.covariance) + np.trace(fake.covariance) - 2 * overlap
    return max(float(distance), 0.0)


def _statistics(name: str, features: np.ndarray | FeatureStatistics) -> FeatureStatistics:
    if isinstance(features, FeatureStatistics):
        statistics = features
    else:
        (features,) = checks.rows(**{name: features})
        statistics = FeatureStatistics.empty(features.shape[1])
        statistics.update(features)
    if statistics.count <= len(statistics.mean):
        raise InputError(
            f"`{name}` should have more rows than columns, or their covariance is singular. "
            f"Received: {statistics.count} rows of {len(statistics.mean)}"
        )
    return statistics


def _factor(covariance: np.ndarray) -> np.ndarray:
    """F with F'F = `covariance`, even if that is singular (a feature that never varies)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
