"""Names of scores and of their values."""

import numpy as np
from scored import DIGITS, Blocks

from zoo import data, evaluation


def test_the_leading_value_of_every_score_is_the_first_that_it_measures():
    rows = np.random.default_rng(0).uniform(size=(1100, 16, 16, 1)).astype(np.float32)
    real = evaluation.RealData(DIGITS, Blocks())
    for name in set(evaluation.SCORES) - {"mode_coverage", "parzen_log_likelihood"}:
        values = evaluation.score(lambda seeds: rows[seeds], real, [name], 1100)
        assert next(iter(values)) == evaluation.leading_value(name)
    ring = evaluation.RealData(data.load("ring"))
    values = evaluation.score(lambda seeds: np.zeros((len(seeds), 2), np.float32), ring, ["mode_coverage"], 10)
    assert next(iter(values)) == evaluation.leading_value("mode_coverage")
