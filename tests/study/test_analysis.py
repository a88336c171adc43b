"""The numbers of the report, against other formulas for them and against simulated subjects of known chances."""

import math

import numpy as np
import pytest
from scipy import stats

from zoo.study import analysis, protocol, simulation
from zoo.study.analysis import Count
from zoo.study.pictures import Kind

LAPGAN = protocol.load("lapgan")
CHANCES = {
    "real": lambda ms: 0.6 + 0.3 * ms / 2000,
    "good": lambda ms: 0.55 - 0.15 * ms / 2000,
    "bad": lambda ms: 0.5 - 0.45 * ms / 2000,
}


def record(**changes):
    only = simulation.answers(protocol.load("improved_gan"), {"real": 1.0, "good": 0.0}, 1, 0)[0]
    return only._replace(**changes)


@pytest.mark.parametrize(("taken", "n"), [(0, 5), (5, 5), (3, 7), (900, 1000), (1, 1)])
def test_wilson_is_scipy_s(taken, n):
    expected = stats.binomtest(taken, n).proportion_ci(method="wilson")
    assert analysis.wilson(Count(taken, n)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_without_answers_says_nothing():
    assert analysis.wilson(Count(0, 0)) == (0, 1)
    assert math.isnan(Count(0, 0).share)


def test_the_interval_of_a_difference_is_newcombe_s_example():
    """Newcombe 1998, Statistics in Medicine 17, table II: 56/70 - 48/80 by method 10."""
    assert analysis.difference_interval(Count(56, 70), Count(48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_p_value_is_that_of_the_chi_squared_test():
    expected = stats.chi2_contingency([[56, 14], [48, 32]], correction=False).pvalue
    assert analysis.p_value(Count(56, 70), Count(48, 80)) == pytest.approx(expected)
    assert analysis.p_value(Count(3, 3), Count(5, 5)) == 1


def test_d_prime_is_the_distance_between_two_normals():
    chance = np.random.default_rng(0)
    n = 200_000
    real = int((chance.normal(1.3, 1, n) > 0.4).sum())
    model = int((chance.normal(0.0, 1, n) > 0.4).sum())
    value, interval = analysis.d_prime(Count(real, n), Count(model, n))
    assert value == pytest.approx(1.3, abs=0.02)
    assert interval.low < 1.3 < interval.high
    value, interval = analysis.d_prime(Count(5, 5), Count(0, 5))
    assert all(map(math.isfinite, (value, *interval)))


def test_d_prime_s_interval_holds_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(1)
    truth = stats.norm.ppf(0.8) - stats.norm.ppf(0.4)
    hits = 0
    for real, model in chance.binomial(200, [0.8, 0.4], size=(1000, 2)):
        low, high = analysis.d_prime(Count(int(real), 200), Count(int(model), 200))[1]
        hits += low <= truth <= high
    assert 930 <= hits <= 970


def test_the_report_recovers_the_curves_of_simulated_subjects():
    """In 100 studies, the whole curve of each source lies in its bands in 95 or more, and each point in its interval
    about 95 times in 100.
    """
    whole, points, hits = dict.fromkeys(CHANCES, 0), 0, 0
    for seed in range(100):
        answers = simulation.answers(LAPGAN, CHANCES, subjects=15, seed=seed)
        held = dict.fromkeys(CHANCES, True)
        for point in analysis.curve(answers, list(CHANCES), LAPGAN.exposures_ms):
            truth = CHANCES[point.source](point.exposure_ms)
            held[point.source] &= point.band.low <= truth <= point.band.high
            hits += point.interval.low <= truth <= point.interval.high
            points += 1
        whole = {source: whole[source] + held[source] for source in CHANCES}
    assert min(whole.values()) >= 95
    assert hits / points == pytest.approx(0.95, abs=0.015)


def test_a_point_counts_its_own_answers():
    answers = [
        record(subject="a", source="real", exposure_ms=50, taken_for_real=True),
        record(subject="a", source="real", exposure_ms=50, taken_for_real=False),
        record(subject="b", source="real", exposure_ms=50, taken_for_real=True),
        record(subject="b", source="real", exposure_ms=75, taken_for_real=True),
        record(subject="b", source="good", exposure_ms=50, taken_for_real=True),
    ]
    first, second, _, empty = analysis.curve(answers, ["real", "good"], (50, 75))
    assert (first.source, first.exposure_ms, first.count) == ("real", 50, (2, 3))
    assert first.spread == pytest.approx(np.std([0.5, 1], ddof=1))
    assert second.count == (1, 1)
    assert math.isnan(second.spread)
    assert empty.count == (0, 0)
    assert first.band.low < first.interval.low
    assert first.band.high > first.interval.high


def test_right_answers_count_real_and_generated_alike():
    answers = [record(source="real", kind="real", taken_for_real=i < 9) for i in range(10)]
    answers += [record(source="good", kind="model", taken_for_real=i < 16) for i in range(40)]
    (found,) = analysis.sensitivities(answers, ["good"], (None,))
    assert found.right == pytest.approx((0.9 + 0.6) / 2)
    low, high = analysis.difference_interval(Count(9, 10), Count(16, 40))
    assert found.right_interval == pytest.approx(((1 + low) / 2, (1 + high) / 2))
    assert analysis.sensitivities(answers, ["absent"], (None,)) == []


def test_sensitivity_is_stated_for_each_exposure_too():
    answers = simulation.answers(LAPGAN, {"real": 0.9, "good": 0.4}, 4, 0)
    found = analysis.sensitivities(answers, ["good"], LAPGAN.exposures_ms)
    assert [one.exposure_ms for one in found] == [None, *LAPGAN.exposures_ms]


def test_differences_are_between_every_two_models():
    answers = simulation.answers(LAPGAN, {"real": 0.9, "a": 0.6, "b": 0.3, "c": 0.3}, 20, 0)
    found = {(one.first, one.second): one for one in analysis.differences(answers, ["a", "b", "c", "absent"])}
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found["a", "b"].p_value < 1e-6
    assert found["a", "b"].interval.low > 0.2
    low, high = found["b", "c"].interval
    assert low < 0 < high


def test_a_subject_who_takes_shuffled_pixels_for_real_is_not_attentive():
    said = {"careful": (False, False, False, True), "careless": (True, True, False, False)}
    checks = [
        record(kind=Kind.CHECK, source=Kind.CHECK, subject=name, taken_for_real=taken)
        for name, answers in said.items()
        for taken in answers
    ]
    others = [record(subject="careless", kind="real", taken_for_real=True, reaction_ms=ms) for ms in (300, 900, 1000)]
    careful, careless = analysis.attention(checks + others)
    assert (careful.checks_passed, careful.checks, careful.attentive) == (3, 4, True)
    assert math.isnan(careful.taken_for_real)
    assert (careless.checks_passed, careless.attentive, careless.answers) == (2, False, 7)
    assert (careless.taken_for_real, careless.right) == (1, 1)
    assert careless.longest_run == 3


def test_an_exposure_is_kept_if_it_is_a_frame_off_at_most():
    answers = [record(exposure_ms=50, achieved_ms=ms, frame_ms=16.7) for ms in (33.3, 50, 66.7, 83.4)]
    assert analysis.within_a_frame([*answers, record(exposure_ms=None)]) == (3, 4)
