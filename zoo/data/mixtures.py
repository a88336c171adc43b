"""Two-dimensional toy data: mixtures whose modes can be counted, and a swiss roll."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.dataset import Dataset, in_memory
from zoo.errors import InputError
from zoo.labels import NO_LABEL

if TYPE_CHECKING:
    from tensorflow_probability import distributions as tfd

# `partition` gives 100,000 of these to the training split, and 10,000 to each of the others.
POINTS = 120_000
# As in WGAN-GP's code, https://github.com/igul222/improved_wgan_training: the deviation of the normal noise that is
# added to scikit-learn's swiss roll, with radii of up to 14, and the number by which the sum is divided.
ROLL_NOISE, ROLL_SCALE = 0.25, 7.5


def ring(modes: int = 8, radius: float = 2.0, sigma: float = 0.02) -> tfd.MixtureSameFamily:
    """Equal Gaussians on a circle, at the angles 2 pi i / modes (Metz et al., 2017, https://arxiv.org/abs/1611.02163).

    Raises:
        InputError: `modes` or `sigma` is not positive.
    """
    angles = 2 * np.pi * np.arange(modes) / modes
    return _equal_gaussians(radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1), sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> tfd.MixtureSameFamily:
    """side * side equal Gaussians on a square grid around the origin (VEEGAN, https://arxiv.org/abs/1705.07761).

    Raises:
        InputError: `side` or `sigma` is not positive.
    """
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    return _equal_gaussians(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2), sigma)


MIXTURES = {"ring": ring, "grid": grid}


def named(name: str) -> tfd.MixtureSameFamily:
    """The mixture from which a dataset's rows are drawn.

    Raises:
        InputError: the dataset is not one of `MIXTURES`.
    """
    if name not in MIXTURES:
        raise InputError(f"Modes are known only for {' and '.join(MIXTURES)}. Received: {name!r}")
    return MIXTURES[name]()


def centers(mixture: tfd.MixtureSameFamily) -> np.ndarray:
    """The means of the modes, float32 `[modes, 2]`."""
    return mixture.components_distribution.mean().numpy()


def sigma(mixture: tfd.MixtureSameFamily) -> float:
    """The standard deviation that all modes share."""
    return float(mixture.components_distribution.stddev()[0, 0])


def sample(mixture: tfd.MixtureSameFamily, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`count` points, float32 `[count, 2]`, and the mode from which each was drawn, int32 `[count]`."""
    import tensorflow as tf

    modes = mixture.mixture_distribution.sample(count, seed=tf.constant([seed, 0]))
    points = mixture.components_distribution.sample(count, seed=tf.constant([seed, 1]))
    return tf.gather(points, modes, axis=1, batch_dims=1).numpy(), modes.numpy()


def swiss_roll(count: int, seed: int = 0) -> np.ndarray:
    """`count` points of a swiss roll seen from its end, float32 `[count, 2]`, as in the code of WGAN-GP."""
    from sklearn.datasets import make_swiss_roll

    points, _ = make_swiss_roll(count, noise=ROLL_NOISE, random_state=seed)
    return (points[:, [0, 2]] / ROLL_SCALE).astype(np.float32)


def swiss_roll_log_density(points: np.ndarray) -> np.ndarray:
    """The log density of `swiss_roll` at points `[n, 2]`, in nats: float64 `[n]`.

    The angle is uniform in [3 pi / 2, 9 pi / 2]; the integral over it is computed as a mean over 2,000 midpoints.
    """
    from scipy.spatial.distance import cdist

    angles = np.pi * (1.5 + 3 * (np.arange(2_000) + 0.5) / 2_000)
    spiral = np.stack([angles * np.cos(angles), angles * np.sin(angles)], axis=-1) / ROLL_SCALE
    variance = (ROLL_NOISE / ROLL_SCALE) ** 2

    def log_sums(part):
        exponents = cdist(part, spiral, "sqeuclidean")
        exponents /= -2 * variance
        greatest = exponents.max(axis=1)
        exponents -= greatest[:, None]
        return np.log(np.exp(exponents, out=exponents).sum(axis=1)) + greatest

    parts = np.array_split(points, -(-len(points) // 200))  # 3 MB at a time, which fit a core's cache
    return np.concatenate([log_sums(part) for part in parts]) - np.log(len(angles) * 2 * np.pi * variance)


def _equal_gaussians(means: np.ndarray, sigma: float) -> tfd.MixtureSameFamily:
    from tensorflow_probability import distributions as tfd

    if not len(means) or sigma <= 0:
        raise InputError(
            f"a mixture needs at least one mode and a positive sigma. Received: {len(means)} modes, sigma={sigma}"
        )
    means = means.astype(np.float32)
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=np.zeros(len(means), np.float32)),
        tfd.MultivariateNormalDiag(means, np.full_like(means, sigma)),
    )


def _load_mixture(name: str) -> Dataset:
    mixture = named(name)
    points, modes = sample(mixture, POINTS)
    return _dataset(name, points, modes, num_classes=len(centers(mixture)))


def _load_swiss_roll() -> Dataset:
    return _dataset("swiss_roll", swiss_roll(POINTS), np.full(POINTS, NO_LABEL, np.int32), num_classes=None)


def _dataset(name: str, points: np.ndarray, labels: np.ndarray, num_classes: int | None) -> Dataset:
    return Dataset(
        name=name,
        data_shape=(2,),
        num_classes=num_classes,
        class_names=None,
        licence="none needed: computed points",
        read=in_memory(name, points, labels),
    )


DATASETS: dict[str, Callable[[], Dataset]] = {name: partial(_load_mixture, name) for name in MIXTURES}
DATASETS["swiss_roll"] = _load_swiss_roll
