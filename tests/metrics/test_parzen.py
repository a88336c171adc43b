import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import parzen_log_likelihood

DRAWS = np.random.default_rng(0)
SAMPLES = DRAWS.uniform(size=(400, 5))
TEST = DRAWS.uniform(size=(100, 5))
NORMAL = DRAWS.normal(size=(1000, 2))


def test_one_sample_at_the_data_is_the_density_of_a_normal_at_its_mean():
    x = np.full((1, 784), 0.5)
    expected = {"mean": -784 / 2 * np.log(2 * np.pi), "stderr": 0, "sigma": 1}
    assert parzen_log_likelihood(x, x, x, sigmas=[1]) == pytest.approx(expected, rel=1e-12)


def test_the_density_is_the_mean_over_the_samples():
    from scipy.stats import multivariate_normal

    densities = [np.mean([multivariate_normal.pdf(x, s, 0.25) for s in SAMPLES[:20]]) for x in TEST[:10]]
    score = parzen_log_likelihood(SAMPLES[:20], TEST, TEST[:10], sigmas=[0.5])
    assert score["mean"] == pytest.approx(np.log(densities).mean(), rel=1e-9)
    assert score["stderr"] == pytest.approx(np.log(densities).std() / np.sqrt(10), rel=1e-9)


def test_far_data_neither_underflow_nor_overflow():
    score = parzen_log_likelihood(np.zeros((2, 3)), np.zeros((1, 3)), np.full((1, 3), 1e4), sigmas=[0.1])
    assert score["mean"] == pytest.approx(-3e8 / 0.02, rel=1e-6)


def test_sigma_is_chosen_on_the_first_thousand_validation_rows():
    validation = np.concatenate([NORMAL, np.zeros((9000, 2))])
    chosen = parzen_log_likelihood(np.zeros((1, 2)), validation, validation)["sigma"]
    assert chosen == pytest.approx(1)
    assert parzen_log_likelihood(np.zeros((1, 2)), validation[1000:], validation)["sigma"] == pytest.approx(0.1)


def test_the_protocols_sigmas_are_ten_at_equal_ratios():
    # Data at a distance of sigma a dimension are likeliest under sigma.
    for exponent in range(10):
        sigma = 10 ** (-1 + exponent / 9)
        data = np.full((2, 5), sigma)
        assert parzen_log_likelihood(np.zeros((1, 5)), data, data)["sigma"] == pytest.approx(sigma)


def test_the_test_rows_do_not_choose():
    scores = [parzen_log_likelihood(SAMPLES, TEST, test)["sigma"] for test in (TEST, TEST * 0 + 9)]
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test": TEST[:, :4]}, r"same number of columns.*test \[100, 4\]"),
        ({"samples": np.full((3, 5), np.nan)}, "finite"),
        ({"samples": np.zeros((0, 5))}, r"\[0, 5\]"),
        ({"samples": np.zeros((10, 28, 28, 1))}, r"\[n, d\]"),
        ({"sigmas": [0.1, 0.0]}, "positive"),
    ],
)
def test_what_has_no_likelihood_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        parzen_log_likelihood(**({"samples": SAMPLES, "validation": TEST, "test": TEST} | arguments))
