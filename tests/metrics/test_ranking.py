"""Generators that everyone would rank alike: for each failure some score sees it, whatever the others say."""

import numpy as np
import pytest

from zoo import metrics

DRAWS = np.random.default_rng(0)
MODES = 6 * DRAWS.normal(size=(10, 12))
COUNT = 1000


def draw(modes=MODES, count=COUNT):
    """Features of a good generator, or of the data: ten clusters."""
    return modes[DRAWS.integers(len(modes), size=count)] + DRAWS.normal(size=(count, 12))


TRAIN, TEST = draw(), draw()
GOOD = draw()
FAILURES = {
    "one image": np.tile(TRAIN[:1], (COUNT, 1)),
    "one mode": draw(MODES[:1]),
    "noise": DRAWS.normal(size=(COUNT, 12)) * TRAIN.std() + TRAIN.mean(),
}


@pytest.mark.parametrize("failure", FAILURES)
class TestAgainstAGoodGenerator:
    def test_frechet_distance(self, failure):
        good, bad = (metrics.frechet_distance(TEST, fake) for fake in (GOOD, FAILURES[failure]))
        assert bad > 5 * good

    def test_kernel_distance(self, failure):
        good, bad = (
            metrics.kernel_distance(TEST, fake, subsets=5, subset_size=500)[0] for fake in (GOOD, FAILURES[failure])
        )
        assert bad > 5 * abs(good)

    def test_coverage(self, failure):
        good, bad = (metrics.precision_recall(TEST, fake)["coverage"] for fake in (GOOD, FAILURES[failure]))
        assert bad < 0.2 < 0.8 < good

    def test_two_sample_accuracy(self, failure):
        good, bad = (metrics.two_sample_accuracy(TEST, fake)["accuracy"] for fake in (GOOD, FAILURES[failure]))
        assert abs(good - 0.5) < 0.1
        assert bad > 0.65


def test_precision_and_recall_tell_lost_modes_from_noise():
    lost, noise = (metrics.precision_recall(TEST, FAILURES[name]) for name in ("one mode", "noise"))
    assert lost["precision"] > 0.7
    assert lost["recall"] < 0.2
    assert noise["precision"] < 0.2


class TestCopiesOfTheTrainingData:
    """They score as well as the training data does on everything that compares with test data alone."""

    def test_do_not_show_in_distances_to_test_data(self):
        assert metrics.frechet_distance(TEST, TRAIN) == pytest.approx(metrics.frechet_distance(TEST, GOOD), rel=0.5)

    def test_lie_on_their_neighbours(self):
        copies, good = (metrics.nearest_neighbours(fake, TRAIN)[0] for fake in (TRAIN[::-1], GOOD))
        assert not copies.any()
        assert good.min() > 0

    def test_have_a_two_sample_accuracy_of_zero(self):
        assert metrics.two_sample_accuracy(TRAIN, TRAIN[::-1])["accuracy"] == 0
        assert metrics.two_sample_accuracy(TRAIN, GOOD)["accuracy"] > 0.4
