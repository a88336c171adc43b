import itertools

import numpy as np
import pytest
from scipy import optimize, stats

from zoo.errors import InputError
from zoo.metrics import earth_movers_distance, jensen_shannon_divergence

FIRST, SECOND = np.random.default_rng(0).normal(size=(2, 6, 3))


class TestEarthMoversDistance:
    def test_it_is_the_best_of_all_permutations(self):
        permutations = [SECOND[list(order)] for order in itertools.permutations(range(6))]
        best = min(np.linalg.norm(FIRST - moved, axis=1).mean() for moved in permutations)
        assert earth_movers_distance(FIRST, SECOND) == pytest.approx(best, rel=1e-12)

    def test_it_is_the_value_of_the_linear_programme(self):
        costs = np.linalg.norm(FIRST[:, None] - SECOND, axis=2)
        rows, columns = np.kron(np.eye(6), np.ones(6)), np.kron(np.ones(6), np.eye(6))
        plan = optimize.linprog(costs.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.full(12, 1 / 6))
        assert earth_movers_distance(FIRST, SECOND) == pytest.approx(plan.fun, rel=1e-9)

    def test_in_one_dimension_it_is_scipys(self):
        expected = stats.wasserstein_distance(FIRST[:, 0], SECOND[:, 0])
        assert earth_movers_distance(FIRST[:, :1], SECOND[:, :1]) == pytest.approx(expected, rel=1e-12)

    def test_a_shift_is_as_far_as_it_is_long(self):
        assert earth_movers_distance(FIRST, FIRST[::-1] + np.array([3.0, 0.0, 4.0])) == pytest.approx(5, rel=1e-12)

    def test_samples_of_unequal_length_are_refused(self):
        with pytest.raises(InputError, match=r"same number of rows\. Received: 6 and 5"):
            earth_movers_distance(FIRST, SECOND[:5])


class TestJensenShannonDivergence:
    def test_disjoint_samples_are_log_2_apart_however_near(self):
        assert jensen_shannon_divergence(FIRST, SECOND) == pytest.approx(np.log(2), rel=1e-12)
        assert jensen_shannon_divergence(FIRST, FIRST + 1e-9) == pytest.approx(np.log(2), rel=1e-12)

    def test_samples_of_equal_rows_are_not_apart(self):
        assert jensen_shannon_divergence(FIRST, np.tile(FIRST[::-1], (2, 1))) == pytest.approx(0, abs=1e-15)

    def test_it_is_that_of_the_histograms(self):
        p, q = np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.75, 0.25])
        middle = (p + q) / 2
        expected = (stats.entropy(p, middle) + stats.entropy(q, middle)) / 2
        found = jensen_shannon_divergence([[0], [0], [1], [2]], [[1], [1], [1], [2]])
        assert found == pytest.approx(expected, rel=1e-12)


class TestParallelLines:
    """Arjovsky et al. 2017, Example 1: the lines (0, z) and (theta, z) with z uniform in [0, 1]."""

    HEIGHTS = (np.arange(50) + 0.5) / 50

    def line(self, theta):
        return np.stack([np.full(50, theta), self.HEIGHTS], axis=1)

    @pytest.mark.parametrize("theta", [-1.5, -0.01, 0.0, 0.3, 2.0])
    def test_one_distance_is_theta_and_the_other_knows_none(self, theta):
        lines = self.line(0.0), self.line(theta)
        assert earth_movers_distance(*lines) == pytest.approx(abs(theta), abs=1e-12)
        assert jensen_shannon_divergence(*lines) == pytest.approx(np.log(2) if theta else 0, abs=1e-12)

    def test_the_gradient_of_one_is_constant_and_the_others_vanishes(self):
        for distance, slope in ((earth_movers_distance, 1), (jensen_shannon_divergence, 0)):
            for theta in (-1.5, -0.2, 0.2, 1.5):
                sides = [distance(self.line(0.0), self.line(theta + change)) for change in (1e-3, -1e-3)]
                assert (sides[0] - sides[1]) / 2e-3 == pytest.approx(np.sign(theta) * slope, abs=1e-9)
