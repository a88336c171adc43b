import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import kernel_distance

DRAWS = np.random.default_rng(0)
FEATURES = DRAWS.normal(size=(4000, 8))


def test_every_pair_of_rows_counts_once():
    real, fake = FEATURES[:5], FEATURES[5:10] + 1

    def kernel(a, b):
        return (a @ b / 8 + 1) ** 3

    pairs = [(i, j) for i in range(5) for j in range(5)]
    within = np.mean([kernel(side[i], side[j]) for side in (real, fake) for i, j in pairs if i != j]) * 2
    across = np.mean([kernel(real[i], fake[j]) for i, j in pairs])
    assert kernel_distance(real, fake, subsets=1, subset_size=5)[0] == pytest.approx(within - 2 * across, rel=1e-9)


def test_halves_of_one_sample_score_zero_on_average_and_often_less():
    halves = [kernel_distance(*np.split(rows, 2), subsets=1, subset_size=100)[0] for rows in np.split(FEATURES, 20)]
    assert abs(np.mean(halves)) < 5 * np.std(halves) / np.sqrt(20)
    assert 0 < sum(distance < 0 for distance in halves) < 20


def test_a_shift_scores_above_its_error():
    mean, deviation = kernel_distance(FEATURES[:2000], FEATURES[2000:] + 0.5, subsets=10)
    assert mean > 5 * deviation > 0


def test_the_seed_chooses_the_subsets():
    scores = [
        kernel_distance(FEATURES[:500], FEATURES[500:], subsets=2, subset_size=50, seed=seed) for seed in (0, 0, 1)
    ]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"real_features": FEATURES[:999]}, "`real_features` should have at least 1000 rows.*999"),
        ({"fake_features": FEATURES[:999]}, "`fake_features` should have at least 1000 rows.*999"),
        ({"fake_features": FEATURES[:, :3]}, r"same number of columns.*fake_features \[4000, 3\]"),
        ({"fake_features": np.full_like(FEATURES, np.inf)}, "finite"),
        ({"subset_size": 1}, "2 or more"),
        ({"subsets": 0}, "subsets=0"),
        ({"seed": -1}, "`seed`.*-1"),
    ],
)
def test_what_cannot_be_scored_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        kernel_distance(**({"real_features": FEATURES, "fake_features": FEATURES} | arguments))
