import numpy as np
import pytest
from sklearn.datasets import make_swiss_roll

from zoo.data import mixtures
from zoo.errors import InputError


def test_the_ring_has_eight_distinct_means_on_a_circle():
    means = mixtures.centers(mixtures.ring())
    half = np.sqrt(2)
    expected = [(2, 0), (half, half), (0, 2), (-half, half), (-2, 0), (-half, -half), (0, -2), (half, -half)]
    np.testing.assert_allclose(means, expected, atol=1e-6, rtol=0)
    assert mixtures.sigma(mixtures.ring()) == pytest.approx(0.02)


def test_the_grid_has_its_means_at_even_places():
    means = mixtures.centers(mixtures.grid())
    axis = (-4, -2, 0, 2, 4)
    assert {tuple(mean) for mean in means.tolist()} == {(x, y) for x in axis for y in axis}
    assert mixtures.sigma(mixtures.grid()) == pytest.approx(0.05)


def test_the_density_is_the_mean_of_the_gaussians():
    mixture = mixtures.ring(modes=3, radius=1.0, sigma=0.5)
    point = np.array([0.3, -0.2])
    squares = ((point - mixtures.centers(mixture)) ** 2).sum(1)
    density = np.mean(np.exp(-squares / (2 * 0.25)) / (2 * np.pi * 0.25))
    assert float(mixture.log_prob(point.astype(np.float32))) == pytest.approx(np.log(density), abs=1e-5)


@pytest.mark.parametrize("name", mixtures.MIXTURES)
def test_samples_lie_around_the_mode_of_their_label(name):
    mixture = mixtures.MIXTURES[name]()
    means, sigma = mixtures.centers(mixture), mixtures.sigma(mixture)
    points, labels = mixtures.sample(mixture, 50_000)
    offsets = (points - means[labels]) / sigma
    # 100,000 standard normals: five standard errors of the mean and of the standard deviation.
    assert abs(offsets.mean()) < 5 / np.sqrt(1e5)
    assert abs(offsets.std() - 1) < 5 / np.sqrt(2e5)
    counts = np.bincount(labels, minlength=len(means))
    expected = 50_000 / len(means)
    assert np.all(abs(counts - expected) < 5 * np.sqrt(expected))


@pytest.mark.parametrize("name", mixtures.DATASETS)
def test_datasets_are_the_same_every_time(name):
    first, second = mixtures.DATASETS[name](), mixtures.DATASETS[name]()
    assert [len(split) for split in (first.train, first.validation, first.test)] == [100_000, 10_000, 10_000]
    assert (first.data_shape, first.train.images.dtype, first.train.labels.dtype) == ((2,), np.float32, np.int32)
    np.testing.assert_array_equal(first.train.images, second.train.images)
    np.testing.assert_array_equal(first.train.labels, second.train.labels)


def test_labels_are_modes_and_the_swiss_roll_has_none():
    assert [mixtures.DATASETS[name]().num_classes for name in ("ring", "grid", "swiss_roll")] == [8, 25, None]
    assert set(mixtures.DATASETS["swiss_roll"]().train.labels) == {-1}


def test_other_seeds_give_other_points():
    ring = mixtures.ring()
    assert not np.isin(mixtures.sample(ring, 100, seed=0)[0], mixtures.sample(ring, 100, seed=1)[0]).any()
    assert not np.isin(mixtures.swiss_roll(100, seed=0), mixtures.swiss_roll(100, seed=1)).any()


def test_the_swiss_roll_is_a_spiral_seen_from_its_end():
    # Without its noise the roll is (t cos t, t sin t) / 7.5; the noise has a standard deviation of 0.25 / 7.5.
    _, turns = make_swiss_roll(20_000, noise=0.25, random_state=0)
    spiral = np.stack([turns * np.cos(turns), turns * np.sin(turns)], axis=1) / 7.5
    noise = (mixtures.swiss_roll(20_000) - spiral) * 7.5 / 0.25
    assert abs(noise.std() - 1) < 5 / np.sqrt(2 * 40_000)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (mixtures.ring, {"modes": 0}, "0 modes"),
        (mixtures.ring, {"sigma": 0.0}, "sigma=0.0"),
        (mixtures.grid, {"side": 0}, "0 modes"),
        (mixtures.grid, {"sigma": -1.0}, "sigma=-1.0"),
    ],
)
def test_empty_and_flat_mixtures_are_refused(make, arguments, message):
    with pytest.raises(InputError, match=message):
        make(**arguments)


def test_modes_of_other_data_are_refused():
    with pytest.raises(InputError, match=r"Modes are known only for ring and grid\. Received: 'swiss_roll'"):
        mixtures.named("swiss_roll")


def test_the_density_of_the_swiss_roll_is_that_of_its_points():
    axis = np.linspace(-2.2, 2.2, 221)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(mixtures.swiss_roll_log_density(plane))
    assert density.sum() * 0.02**2 == pytest.approx(1, abs=1e-6)
    points = mixtures.swiss_roll(20_000)
    for axis, bound in ((0, 0.01), (1, 0.51)):  # between the points of the plane
        share = density[plane[:, axis] > bound].sum() * 0.02**2
        assert share == pytest.approx((points[:, axis] > bound).mean(), abs=4 * 0.5 / np.sqrt(len(points)))
