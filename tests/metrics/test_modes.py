import itertools

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import mode_coverage, stacked_modes

CENTERS = np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)])


class TestModeCoverage:
    def test_of_the_distribution_itself(self):
        noise = np.random.default_rng(0).normal(size=(25_000, 2)) * 0.05
        score = mode_coverage(np.tile(CENTERS, (1000, 1)) + noise, CENTERS, sigma=0.05)
        inside = 1 - np.exp(-9 / 2)  # of a two-dimensional normal within three standard deviations
        assert score["modes"] == 25
        assert abs(score["high_quality"] - inside) < 5 * np.sqrt(inside * (1 - inside) / 25_000)
        assert 0 <= score["reverse_kl"] < 1e-4

    def test_counts_what_is_near_enough(self):
        samples = CENTERS[[3, 3, 7, 9]] + np.array([[0.299, 0], [0, -0.1], [0.301, 0], [0, 0]])
        score = mode_coverage(samples, CENTERS, sigma=0.1)
        divergence = 2 / 3 * np.log(2 / 3 * 25) + 1 / 3 * np.log(1 / 3 * 25)
        assert score == pytest.approx({"modes": 2, "high_quality": 0.75, "reverse_kl": divergence})

    def test_one_mode_is_the_logarithm_of_all(self):
        assert mode_coverage(CENTERS[:1], CENTERS, 0.1)["reverse_kl"] == pytest.approx(np.log(25))

    def test_noise_reaches_no_mode(self):
        assert mode_coverage(CENTERS + 1, CENTERS, 0.1) == {"modes": 0, "high_quality": 0, "reverse_kl": np.inf}

    @pytest.mark.parametrize(
        ("samples", "sigma", "message"),
        [
            (CENTERS, 0, "`sigma`.*0"),
            (CENTERS, np.nan, "`sigma`.*nan"),
            (CENTERS[:, :1], 0.1, "same number of columns"),
            (CENTERS * np.nan, 0.1, "finite"),
        ],
    )
    def test_refuses_what_has_no_modes(self, samples, sigma, message):
        with pytest.raises(InputError, match=message):
            mode_coverage(samples, CENTERS, sigma)


class TestStackedModes:
    def test_all_combinations_once(self):
        score = stacked_modes(np.array(list(itertools.product(range(10), repeat=3))))
        assert score == pytest.approx({"modes": 1000, "reverse_kl": 0}, abs=1e-12)

    def test_the_order_of_the_channels_counts(self):
        score = stacked_modes(np.array(list(itertools.permutations([1, 2, 3])), np.uint8))
        assert score == pytest.approx({"modes": 6, "reverse_kl": np.log(1000 / 6)})

    @pytest.mark.parametrize(
        "digits", [[[0, 1]], [[0, 1, 10]], [[0, 1, -1]], [[0.0, 1.0, 2.0]], [0, 1, 2], [[0], [1, 2]]]
    )
    def test_refuses_anything_else(self, digits):
        with pytest.raises(InputError, match="Received"):
            stacked_modes(digits)
