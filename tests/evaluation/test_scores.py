"""Names of scores and of their values."""

import numpy as np
from scored import DIGITS, Blocks

from zoo import data, evaluation


def test_the_leading_value_of_every_score_is_the_first_that_it_measures():
    rows = np.random.default_rng(0).uniform(size=(1100, 16, 16, 1)).astype(np.float32)
    real = evaluation.RealData(DIGITS, Blocks())
    for name in set(evaluation.SCORES) - {"mode_coverage", "parzen_log_likelihood", "manifold_distance"}:
        values = evaluation.score(lambda seeds: rows[seeds], real, [name], 1100)
        assert next(iter(values)) == evaluation.leading_value(name)
    ring = evaluation.RealData(data.load("ring"))
    values = evaluation.score(lambda seeds: np.zeros((len(seeds), 2), np.float32), ring, ["mode_coverage"], 10)
    assert next(iter(values)) == evaluation.leading_value("mode_coverage")


def test_samples_that_are_triangles_lie_on_their_manifold():
    triangles = data.load("triangles")
    real = evaluation.RealData(triangles)
    half = np.concatenate([triangles.test.images[:10] / np.float32(255), np.full((10, 28, 28, 1), 0.5, np.float32)])
    assert evaluation.default_scores(triangles) == ["manifold_distance"]
    values = evaluation.score(lambda seeds: half[seeds], real, ["manifold_distance"], 20)
    assert next(iter(values)) == evaluation.leading_value("manifold_distance")
    assert values["manifold_precision"] == 0.5
    assert 6 < values["manifold_distance"] < 8  # between 0 and 14
