"""Scores of nearest neighbours, exact and blockwise: the matrix of all distances is never in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo.errors import InputError, require_positive
from zoo.metrics import checks

BLOCK = 2**23  # numbers in a block, of distances or of rows: 64 MiB in float64
CENTRAL = 1000  # rows, evenly spaced, whose median is the centre
ROUNDING = 1e-12  # share of the squared norms by which a squared distance may be off: 4,000 times float64's precision


def nearest_neighbours(queries: np.ndarray, references: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The k references nearest to each query, in Euclidean distance.

    Args:
        queries: `[n, d]`.
        references: `[m, d]`.
        k: the number of neighbours of each query.

    Returns:
        Distances, float64 `[n, k]`, nearest first and exactly 0 for a copy; and the indices of the neighbours in
        `references`, int64 `[n, k]`.

    Raises:
        InputError: another shape, values that are not finite, or fewer references than k.
    """
    queries, references = checks.rows(queries=queries, references=references)
    require_positive(k=k)
    checks.require_rows(k, "a query has k neighbours", references=references)
    return _nearest(queries, references, k)


def precision_recall(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    k: int = 3,
    density_k: int = 5,
    real_radii: np.ndarray | None = None,
) -> dict[str, float]:
    """How much of each set of features lies where the other does: quality and variety, measured separately.

    The ball around a feature reaches to its k-th nearest neighbour in its own set. Higher is better for all four.

    - precision: the share of fake features in any real feature's ball; recall: the share of real features in any fake
      feature's ball (Kynkäänniemi et al., 2019, https://arxiv.org/abs/1904.06991, eq. 2; k = 3, 50,000 features each).
    - density: the mean number of real balls that hold a fake feature, over k, which may exceed 1; coverage: the share
      of real balls that hold any (Naeem et al., 2020, https://arxiv.org/abs/2002.09797, eqs. 4 and 5; k = 5). Neither
      uses balls around fake features, so outliers among them widen no ball.

    Balls are closed: copies of the data have a precision of 1.

    Args:
        real_features: `[n, d]`.
        fake_features: `[m, d]`.
        k: which neighbour the balls of precision and recall reach to.
        density_k: which neighbour those of density and coverage reach to.
        real_radii: `[2, n]`, `squared_radii(real_features, k, density_k)` if that is known already.

    Returns:
        "precision", "recall" and "coverage" in [0, 1]; "density", 0 or more.

    Raises:
        InputError: another shape, values that are not finite, or a side without k neighbours for each of its rows.
    """
    real, fake = checks.rows(real_features=real_features, fake_features=fake_features)
    require_positive(k=k, density_k=density_k)
    checks.require_rows(max(k, density_k) + 1, "a row has k others", real_features=real)
    checks.require_rows(k + 1, "a row has k others", fake_features=fake)
    (fake_radii,) = squared_radii(fake, k)
    if real_radii is None:
        real_radii = squared_radii(real, k, density_k)
    if real_radii.shape != (2, len(real)):
        raise InputError(f"`real_radii` should be {[2, len(real)]}. Received: {list(real_radii.shape)}")

    precise = np.zeros(len(fake), bool)
    held = np.zeros(len(fake))  # by how many real balls of the second kind
    recalled = covered = 0
    for block, squared in squared_distances(real, fake):
        radii, wide_radii = real_radii[:, block, None]
        precise |= (squared <= radii).any(axis=0)
        recalled += (squared <= fake_radii).any(axis=1).sum()
        in_real = squared <= wide_radii
        held += in_real.sum(axis=0)
        covered += in_real.any(axis=1).sum()
    return {
        "precision": float(precise.mean()),
        "recall": float(recalled / len(real)),
        "density": float(held.mean() / density_k),
        "coverage": float(covered / len(real)),
    }


def two_sample_accuracy(real_features: np.ndarray, fake_features: np.ndarray) -> dict[str, float]:
    """How often a row's nearest neighbour among all other rows, real and fake, is from its own side.

    The leave-one-out accuracy of a 1-NN classifier (Lopez-Paz and Oquab, 2017, https://arxiv.org/abs/1610.06545; Xu et
    al., 2018, https://arxiv.org/abs/1806.07755). Equal distributions score 0.5, distinct ones 1, and fake rows that are
    copies of the real ones 0. Samples in the middle of each mode, without its variety, give a high "fake" and a low
    "real" accuracy.

    Args:
        real_features: `[n, d]`.
        fake_features: `[n, d]`; equal distributions score 0.5 only if both sides have the same number of rows.

    Returns:
        "accuracy", and "real" and "fake", the accuracies on the two sides, in [0, 1].

    Raises:
        InputError: another shape, values that are not finite, or unequal numbers of rows.
    """
    real, fake = checks.rows(real_features=real_features, fake_features=fake_features)
    if len(real) != len(fake):
        raise InputError(
            f"real and fake features should have the same number of rows. Received: {len(real)} and {len(fake)}"
        )
    nearest = _nearest(np.concatenate([real, fake]), None, 1)[1][:, 0]
    real_accuracy = float((nearest[: len(real)] < len(real)).mean())
    fake_accuracy = float((nearest[len(real) :] >= len(real)).mean())
    return {"accuracy": (real_accuracy + fake_accuracy) / 2, "real": real_accuracy, "fake": fake_accuracy}


def squared_radii(features: np.ndarray, *ks: int) -> np.ndarray:
    """The squared distances from each row to its k-th nearest others, rounded up so that balls include these.

    Args:
        features: `[n, d]`, with more rows than any k.
        *ks: which neighbours, 1 for the nearest.

    Returns:
        float64 `[len(ks), n]`.
    """
    radii = np.empty((len(ks), len(features)))
    for block, squared in squared_distances(features):
        squared.partition([k - 1 for k in ks], axis=1)
        radii[:, block] = squared[:, [k - 1 for k in ks]].T
    return radii + ROUNDING * (radii + _squared_norms(features - _center(features)))


def squared_distances(queries: np.ndarray, references: np.ndarray | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances from rows `[n, d]` to rows `[m, d]`, a block of queries at a time.

    Args:
        references: None for the queries themselves, each infinitely far from itself.

    Yields:
        Which queries, and their distances, float64 `[block, m]`, which the caller may overwrite.
    """
    others = queries if references is None else references
    # |a|^2 + |b|^2 - 2 a.b cancels far from the origin, so the origin is moved among the references.
    center = _center(others)
    others = others - center
    norms = _squared_norms(others)
    size = max(1, BLOCK // max(others.shape))
    for start in range(0, len(queries), size):
        block = queries[start : start + size] - center
        squared = block @ others.T
        squared *= -2
        squared += norms
        squared += _squared_norms(block)[:, None]
        np.maximum(squared, 0, out=squared)
        if references is None:
            squared[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        yield slice(start, start + size), squared


def _nearest(queries: np.ndarray, references: np.ndarray | None, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As `nearest_neighbours`; without references, among the other queries.

    Distances computed by products choose the candidates, including all rows that rounding leaves in doubt. Distances
    computed by differences decide among the candidates.
    """
    others = queries if references is None else references
    center = _center(others)
    norms = _squared_norms(others - center)
    distances, indices = np.empty((len(queries), k)), np.empty((len(queries), k), np.int64)
    for block, squared in squared_distances(queries, references):
        rows = queries[block].astype(np.float64)
        doubt = ROUNDING * (norms + _squared_norms(rows - center)[:, None])
        farthest = np.partition(squared + doubt, k - 1, axis=1)[:, k - 1 : k]
        candidates = squared - doubt <= farthest
        certain = candidates.sum(axis=1) == k
        places = np.empty((len(rows), k), np.int64)
        places[certain] = candidates[certain].nonzero()[1].reshape(-1, k)
        for row in np.flatnonzero(~certain):
            (doubtful,) = candidates[row].nonzero()
            exact = np.linalg.norm(rows[row] - others[doubtful], axis=1)
            places[row] = doubtful[np.argsort(exact, kind="stable")[:k]]
        exact = np.stack([np.linalg.norm(rows - others[column], axis=1) for column in places.T], axis=1)
        order = np.argsort(exact, axis=1, kind="stable")
        distances[block] = np.take_along_axis(exact, order, axis=1)
        indices[block] = np.take_along_axis(places, order, axis=1)
    return distances, indices


def _center(rows: np.ndarray) -> np.ndarray:
    """A point amid rows `[n, d]`, which a few rows far away do not move."""
    return np.median(rows[:: max(1, len(rows) // CENTRAL)], axis=0).astype(np.float64)


def _squared_norms(rows: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", rows, rows)
