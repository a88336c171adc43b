import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import interpolate

DRAWS = np.random.default_rng(0)
FIRST, SECOND = DRAWS.normal(size=(2, 4, 100)).astype(np.float32)


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_a_path_starts_and_ends_at_its_ends(prior):
    path = interpolate(FIRST, SECOND, 7, prior)
    assert (path.shape, path.dtype) == ((7, 4, 100), np.float32)
    np.testing.assert_allclose(path[[0, -1]], [FIRST, SECOND], atol=1e-6)


def test_uniform_latents_move_straight():
    np.testing.assert_allclose(interpolate([0, 0], [1, 4], 3, "uniform"), [[0, 0], [0.5, 2], [1, 4]])


def test_normal_latents_move_along_the_arc():
    path = interpolate([2, 0], [0, 2], 4, "normal")
    angles = np.radians([0, 30, 60, 90])
    np.testing.assert_allclose(path, 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1), atol=1e-6)


def test_only_the_arc_keeps_the_length_of_normal_latents():
    lengths = {
        prior: np.linalg.norm(interpolate(FIRST, SECOND, 3, prior)[1], axis=1) for prior in ("normal", "uniform")
    }
    assert lengths["normal"] == pytest.approx(10, rel=0.2)
    assert lengths["uniform"] == pytest.approx(10 / np.sqrt(2), rel=0.2)


def test_an_arc_that_closes_is_straight():
    np.testing.assert_allclose(interpolate([1, 2], [2, 4], 3, "normal"), [[1, 2], [1.5, 3], [2, 4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FIRST, SECOND, 1, "normal"), "2 or more"),
        ((FIRST, SECOND[:, 1:], 3, "normal"), "one shape"),
        ((FIRST, SECOND, 3, "norml"), "Did you mean normal"),
        ((FIRST, -FIRST, 3, "normal"), "opposite"),
        ((FIRST, 0 * FIRST, 3, "normal"), "zero"),
        ((FIRST, np.nan * FIRST, 3, "uniform"), "finite"),
    ],
)
def test_paths_that_are_none_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        interpolate(*arguments)
