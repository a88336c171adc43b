"""Whether two sets of samples differ by more than chance."""

import numpy as np
import pytest
from scored import DIGITS, Blocks

from zoo import data
from zoo.evaluation import RealData, differences
from zoo.evaluation.scores import Rows

SCORES = ["inception_score", "frechet_distance", "precision_recall"]


def rows(images):
    features, probabilities = Blocks()(images)
    return Rows(len(images), features, probabilities, images[:0])


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return DIGITS.train.images[rng.permutation(len(DIGITS.train))[:1400]] / np.float32(255)


def test_two_halves_of_the_same_images_do_not_differ(real, images):
    found = differences(real, SCORES, {"one": rows(images[:700]), "other": rows(images[700:])})
    assert [(one.score, one.winner) for one in found] == [("block score", None), ("Fréchet block distance", None)]
    assert all(one.low < 0 < one.high and one.low < one.difference < one.high for one in found)


def test_darker_images_lose_whatever_their_place(real, images):
    models = {"dark": rows(0.8 * images[:700]), "same": rows(images[700:]), "black": rows(0.1 * images[:700])}
    found = [one for one in differences(real, SCORES, models) if one.score == "Fréchet block distance"]
    assert [(one.first, one.second, one.winner) for one in found] == [
        ("dark", "same", "same"),
        ("dark", "black", "dark"),
        ("same", "black", "same"),
    ]


def test_the_interval_is_that_of_a_share():
    """The high-quality share of points of which p lie on a mode has the variance p (1 - p) / n."""
    real = RealData(data.load("ring"))
    on_mode, far = np.array([[2.0, 0.0]], np.float32), np.array([[9.0, 9.0]], np.float32)
    points = {share: np.concatenate([on_mode.repeat(share, 0), far.repeat(100 - share, 0)]) for share in (50, 90)}
    models = {str(share): Rows(100, None, None, found) for share, found in points.items()}
    share = next(one for one in differences(real, ["mode_coverage"], models) if one.score == "high-quality share")
    spread = 1.96 * np.sqrt(0.5 * 0.5 / 100 + 0.9 * 0.1 / 100)
    np.testing.assert_allclose(
        [share.low, share.difference, share.high], [-0.4 - spread, -0.4, -0.4 + spread], atol=0.04
    )
    assert share.winner == "90"


def test_an_interval_without_finite_bounds_has_no_winner():
    """A model without a good sample has an infinite reverse divergence, and so have some resamples of one with few."""
    real = RealData(data.load("ring"))
    on_modes, far = np.array([[2.0, 0.0], [-2.0, 0.0]], np.float32), np.array([[9.0, 9.0]], np.float32)
    models = {
        str(good): Rows(2500, None, None, np.concatenate([on_modes[:good], far.repeat(2500 - good, 0)]))
        for good in (1, 2)
    }
    unbounded = [one for one in differences(real, ["mode_coverage"], models) if np.isnan([one.low, one.high]).any()]
    assert unbounded
    assert {one.winner for one in unbounded} == {None}


def test_what_tables_show_as_equal_has_no_winner():
    real = RealData(data.load("ring"))
    models = {str(y): Rows(10, None, None, np.full((10, 2), [2.0, y], np.float32)) for y in (0.0, 1e-6)}
    assert {one.winner for one in differences(real, ["mode_coverage"], models)} == {None}
