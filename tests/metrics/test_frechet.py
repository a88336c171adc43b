import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import FeatureStatistics, frechet, frechet_distance

DRAWS = np.random.default_rng(0)
FEATURES = DRAWS.normal(size=(500, 8))
MIXED = FEATURES @ DRAWS.normal(size=(8, 8)) + 1


def test_a_set_is_at_distance_zero_from_itself():
    assert frechet_distance(FEATURES, FEATURES) == pytest.approx(0, abs=1e-6)


def test_shifted_gaussians_are_the_squared_shift_apart():
    shift = np.arange(5.0)
    real = FeatureStatistics(np.zeros(5), np.eye(5), 1000)
    fake = FeatureStatistics(shift, np.eye(5), 1000)
    assert frechet_distance(real, fake) == pytest.approx(shift @ shift, abs=1e-9)


def test_covariances_that_do_not_commute():
    from scipy.linalg import sqrtm

    first, second = (np.cov(features, rowvar=False) for features in (FEATURES, MIXED))
    expected = np.trace(first + second - 2 * sqrtm(first @ second).real)
    sides = [FeatureStatistics(np.zeros(8), covariance, 500) for covariance in (first, second)]
    assert frechet_distance(*sides) == pytest.approx(expected, rel=1e-9)


def test_real_and_fake_may_be_swapped():
    assert frechet_distance(FEATURES, MIXED) == pytest.approx(frechet_distance(MIXED, FEATURES), rel=1e-9)


def test_features_that_never_vary_add_their_shift_alone():
    real = np.concatenate([FEATURES, np.zeros((500, 2))], axis=1)
    fake = np.concatenate([FEATURES, np.full((500, 2), 3.0)], axis=1)
    assert frechet_distance(real, fake) == pytest.approx(2 * 9, rel=1e-6)


def test_one_image_is_as_far_as_the_variance_and_the_shift():
    fake = np.full((500, 8), 2.0)
    expected = np.sum((FEATURES.mean(axis=0) - 2) ** 2) + np.trace(np.cov(FEATURES, rowvar=False))
    assert frechet_distance(FEATURES, fake) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_batches_add_up_to_the_statistics_of_all_rows(offset, monkeypatch):
    monkeypatch.setattr(frechet, "BLOCK", 64)
    features = FEATURES + offset
    statistics = FeatureStatistics.empty(8)
    for batch in np.array_split(features, [1, 2, 100, 101]):
        statistics.update(batch)
    assert statistics.count == 500
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(FEATURES, rowvar=False), rtol=1e-6, atol=1e-9)


def test_float32_features_are_added_in_float64():
    features = FEATURES.astype(np.float32) + np.float32(1000)
    exact = FeatureStatistics.empty(8)
    exact.update(features.astype(np.float64))
    assert frechet_distance(features, exact) == pytest.approx(0, abs=1e-9)


def test_statistics_survive_a_file(tmp_path):
    statistics = FeatureStatistics.empty(8)
    statistics.update(FEATURES)
    np.savez(tmp_path / "statistics.npz", **vars(statistics))
    assert frechet_distance(FeatureStatistics(**np.load(tmp_path / "statistics.npz")), FEATURES) < 1e-6


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (FEATURES, FEATURES[:8], "`fake_features` should have more rows than columns.*8 rows of 8"),
        (FeatureStatistics.empty(8), FEATURES, "`real_features` should have more rows.*0 rows of 8"),
        (FEATURES, FEATURES[:, :7], "same number of columns. Received: 8 and 7"),
        (FEATURES, np.where(FEATURES > 3, np.nan, FEATURES), "finite.*NaN"),
        (FEATURES.reshape(-1, 2, 4), FEATURES, r"\[n, d\].*\[500, 2, 4\]"),
    ],
)
def test_features_without_a_distance_are_refused(real, fake, message):
    with pytest.raises(InputError, match=message):
        frechet_distance(real, fake)


def test_statistics_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"shapes \[3\] and \[2, 2\]"):
        FeatureStatistics(np.zeros(3), np.eye(2), 10)
    with pytest.raises(InputError, match=r"features \[500, 8\], mean \[1, 3\]"):
        FeatureStatistics.empty(3).update(FEATURES)
