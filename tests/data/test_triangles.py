"""Triangles: their areas and corners in closed form, and distances to them that are known."""

import numpy as np
import pytest

from zoo.data import load, triangles
from zoo.errors import InputError

SOME = triangles.parameters(slice(60_000, 60_020))  # of the test split, which the search does not start from


@pytest.fixture(scope="module")
def some_images():
    return triangles.draw(triangles.corners(SOME))


def test_corners_lie_on_a_circle_apart_from_each_other_around_the_middle_of_the_image():
    corners = triangles.corners(triangles.parameters(slice(1000)))
    np.testing.assert_allclose(corners.mean(axis=1), np.full((1000, 2), 14.0), atol=1e-9)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1)
    area = np.abs(np.linalg.det(np.diff(corners, axis=1))) / 2
    np.testing.assert_allclose(sides.prod(axis=1) / (4 * area), np.full(1000, 10.5), rtol=1e-6)  # the circumradius
    assert sides.min() >= 2 * 10.5 * np.sin(np.radians(10 / 2)) - 1e-9


def test_an_image_is_as_dark_as_its_triangle_is_large(some_images):
    area = np.abs(np.linalg.det(np.diff(triangles.corners(SOME), axis=1))) / 2
    np.testing.assert_allclose((1 - some_images).sum(axis=(1, 2, 3)), area, rtol=5e-3)
    assert 0 <= some_images.min() <= some_images.max() <= 1


def test_pixels_of_a_triangle_with_a_corner_in_the_upper_left_are_half_covered_on_its_long_side():
    image = triangles.draw(np.array([[[0.0, 0.0], [0.0, 28.0], [28.0, 0.0]]]))[0, ..., 0]
    expected = np.where(np.add.outer(np.arange(28), np.arange(28)) < 27, 0.0, 1.0)
    np.testing.assert_array_equal(image[~np.eye(28, dtype=bool)[::-1]], expected[~np.eye(28, dtype=bool)[::-1]])
    np.testing.assert_allclose(np.diag(image[::-1]), np.full(28, 0.5), atol=1e-6)


def test_the_direction_of_travel_around_a_triangle_does_not_matter():
    corners = triangles.corners(SOME)
    np.testing.assert_array_equal(triangles.draw(corners), triangles.draw(corners[:, ::-1]))


def test_a_triangle_is_at_a_distance_of_zero_and_a_small_change_at_its_own_length(some_images):
    np.testing.assert_allclose(triangles.distances(some_images), np.zeros(20), atol=1e-5)
    noise = 0.02 * np.random.default_rng(0).normal(size=some_images.shape)
    length = np.sqrt((noise**2).sum(axis=(1, 2, 3)))
    found = triangles.distances(some_images + noise)
    # Of 784 directions the manifold fills 3: all but a few thousandths of the noise lead away from it.
    np.testing.assert_allclose(found, length, rtol=0.02)
    assert (found <= length + 1e-6).all()


def test_what_is_no_triangle_is_far_from_all():
    white, grey = np.ones((1, 28, 28, 1)), np.full((1, 28, 28, 1), 0.5)
    # The smallest triangle has three corners as near to each other as they may be.
    assert 1 < triangles.distances(white)[0] < 5
    assert triangles.distances(grey)[0] == pytest.approx(14, abs=0.5)  # each pixel is half away from black and white


def test_images_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"shape \[28, 28, 1\]. Received: \[16, 16, 1\]"):
        triangles.distances(np.zeros((1, 16, 16, 1)))


def test_the_splits_are_the_papers_and_share_no_triangle():
    assert {split: len(range(*rows.indices(80_000))) for split, rows in triangles.ROWS.items()} == {
        "train": 60_000, "test": 10_000, "validation": 10_000,
    }  # fmt: skip
    assert len(np.unique(triangles.parameters(slice(80_000)), axis=0)) == 80_000
    test = load("triangles").test
    assert (test.images.shape, test.images.dtype, set(test.labels)) == ((10_000, 28, 28, 1), np.uint8, {-1})
    np.testing.assert_array_equal(test.images[:20], np.round(255 * triangles.draw(triangles.corners(SOME))))
