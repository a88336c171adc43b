"""Whether a score tells two models apart: the bootstrap interval of its difference, over the choice of the samples."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from zoo.console import progress
from zoo.evaluation.real_data import RealData
from zoo.evaluation.scores import SCORES, VALUES, Rows

RESAMPLES = 200
INTERVAL = (0.025, 0.975)  # quantiles between which 95 % of the resamples lie
MOST_DIMENSIONS = 512  # of features: in Inception's 2,048, each of the `RESAMPLES` Fréchet distances takes a minute


class Difference(NamedTuple):
    """The difference between two models in one value of a score.

    Args:
        score: what tables call the value.
        first: the name of one model.
        second: the name of the other.
        difference: the first model's value minus the second's.
        low: the lower end of the 95 % confidence interval of the difference.
        high: its upper end.
        winner: the model that is better across the whole interval; None if 0 lies in it, or if both have the same value
            to the four digits that tables show.
    """

    score: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    winner: str | None


def differences(real: RealData, scores: Iterable[str], models: Mapping[str, Rows]) -> list[Difference]:
    """The differences of every pair of models, in the scores that allow resampling (`Score.resampled`).

    The interval is that of the basic bootstrap: what resampling adds to a difference is subtracted from it, which also
    removes a bias that grows with fewer rows, such as that of the Fréchet distance. The real rows are not resampled.

    Args:
        real: what the samples are compared with.
        scores: names in `SCORES`; those that do not allow resampling are left out.
        models: what the scores read of each model's samples, by the model's name.
    """
    found = []
    for name in scores:
        score = SCORES[name]
        if not score.resampled or (score.reads_features and real.extractor.dimensions > MOST_DIMENSIONS):
            continue
        with threadpool_limits(1):  # the matrices are small: threads that wait for each other take most of the time
            exact = {model: _values(real, name, rows) for model, rows in models.items()}
            resampled = {
                model: [_values(real, name, chosen) for chosen in _resamples(rows, seed, f"{name} of {model}")]
                for seed, (model, rows) in enumerate(models.items())
            }
        values = [value for value in next(iter(exact.values())) if VALUES[value].better in ("higher", "lower")]
        for value, (first, second) in itertools.product(values, itertools.combinations(models, 2)):
            one, other = exact[first][value], exact[second][value]
            moved = [a[value] - b[value] for a, b in zip(resampled[first], resampled[second], strict=True)]
            high, low = 2 * (one - other) - np.quantile(moved, INTERVAL)
            winner = None
            if (low > 0 or high < 0) and f"{one:.4g}" != f"{other:.4g}":  # never where a bound is NaN
                winner = first if (one > other) == (VALUES[value].better == "higher") else second
            title = VALUES[value].title or real.extractor.score_names[value]
            found.append(Difference(title, first, second, one - other, float(low), float(high), winner))
    return found


def _values(real: RealData, name: str, rows: Rows) -> dict[str, float]:
    return {value: found["value"] for value, found in SCORES[name].measure(real, rows).values.items()}


def _resamples(rows: Rows, seed: int, title: str) -> Iterable[Rows]:
    """Yields `RESAMPLES` resamples: equally many rows, drawn with replacement."""
    rng = np.random.default_rng(seed)
    for _ in progress(range(RESAMPLES), title, "resamples"):
        chosen = rng.integers(rows.count, size=rows.count)
        features, probabilities, data = (
            None if part is None or len(part) < rows.count else part[chosen]
            for part in (rows.features, rows.probabilities, rows.data)
        )
        yield Rows(rows.count, features, probabilities, data)
