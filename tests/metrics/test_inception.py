import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import inception_score


def test_certain_and_even_predictions_score_the_number_of_classes():
    assert inception_score(np.tile(np.eye(7), (30, 1)), splits=3) == pytest.approx((7, 0), abs=1e-9)


@pytest.mark.parametrize("row", [np.eye(7)[2], np.full(7, 1 / 7)])
def test_predictions_that_are_all_alike_score_one(row):
    assert inception_score(np.tile(row, (30, 1))) == pytest.approx((1, 0), abs=1e-9)


def test_each_split_has_its_own_marginal():
    rows = np.repeat(np.eye(2), 5, axis=0)
    assert inception_score(rows, splits=1)[0] == pytest.approx(2)
    assert inception_score(rows, splits=2)[0] == pytest.approx(1)


def test_the_deviation_is_that_of_the_splits():
    rows = np.concatenate([np.tile(np.eye(2), (5, 1)), np.tile([[1.0, 0.0]], (10, 1))])
    assert inception_score(rows, splits=2) == pytest.approx((1.5, 0.5))


def test_float32_probabilities_are_a_distribution():
    logits = np.random.default_rng(0).normal(size=(100, 1008)).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert inception_score(probabilities)[0] > 1


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.eye(5), "at least 10 rows.*5"),
        (np.ones((20, 1)), "two classes.*1"),
        (np.full((20, 2), 0.4), r"sum to 1\. Received: sums in \[0.8"),
        (np.tile([2.0, -1.0], (20, 1)), r"\[0, 1\]"),
        (np.full((20, 2), np.nan), "finite"),
        (np.full(20, 0.5), r"\[n, d\]"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities, message):
    with pytest.raises(InputError, match=message):
        inception_score(probabilities)
