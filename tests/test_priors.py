"""Priors by their quantile functions, which is all that draws use."""

import numpy as np
import pytest
from scipy import stats

from zoo import priors

SHARES = ((np.arange(10_000, dtype=np.float32) + 0.5) / 10_000)[:, None]


@pytest.mark.parametrize(("prior", "limit"), [(priors.uniform(2), 1), (priors.uniform(2, limit=2.5), 2.5)])
def test_uniform_runs_from_minus_the_limit_to_the_limit(prior, limit):
    quantiles = prior.quantile(np.float32([[0.0], [0.25], [0.5], [1.0]]))
    np.testing.assert_allclose(quantiles, np.outer([-limit, -limit / 2, 0, limit], [1, 1]), rtol=1e-6)


def test_uniform_in_root_three_has_mean_zero_and_variance_one():
    values = priors.uniform(2, 3**0.5).quantile(SHARES).numpy()
    np.testing.assert_allclose(values.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose((values.astype(np.float64) ** 2).mean(0), 1, rtol=1e-5)


def test_a_box_runs_from_low_to_high():
    quantiles = priors.box(2, -1, 3).quantile(np.float32([[0.0], [0.25], [1.0]]))
    np.testing.assert_array_equal(quantiles, [[-1, -1], [0, 0], [3, 3]])


def test_normal_has_the_quantiles_and_variance_of_the_table():
    prior = priors.normal(2)
    np.testing.assert_allclose(
        prior.quantile(np.float32([[0.5], [0.841344746], [0.975]])), np.outer([0, 1, 1.959963985], [1, 1]), atol=1e-5
    )
    np.testing.assert_allclose((prior.quantile(SHARES).numpy().astype(np.float64) ** 2).mean(0), 1, rtol=1e-3)


@pytest.mark.parametrize("share", [2.0**-24, 1 - 2.0**-24])
def test_the_most_extreme_draws_are_finite_normals(share):
    assert priors.normal(1).quantile(np.float32([share])).numpy() == pytest.approx(stats.norm.ppf(share), rel=1e-5)


@pytest.mark.parametrize("prior", [priors.uniform(3), priors.box(3, 0, 1), priors.normal(3)])
def test_components_are_a_batch(prior):
    assert prior.batch_shape == (3,)
    assert prior.event_shape == ()


def test_a_description_names_the_distribution_and_its_parameters():
    assert priors.description(priors.uniform((2, 3), limit=2.0)) == {
        "name": "Uniform", "shape": [2, 3], "low": -2.0, "high": 2.0,
    }  # fmt: skip
    assert priors.description(priors.normal(4)) == {"name": "Normal", "shape": [4], "loc": 0.0, "scale": 1.0}
    assert priors.description(None) is None
