import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import ms_ssim_diversity


def smooth(count, side):
    """Images of random low frequencies, in [0, 1]."""
    return noise(count, side // 8).repeat(8, axis=1).repeat(8, axis=2)


def noise(count, side):
    return np.random.default_rng(0).uniform(size=(count, side, side, 1))


def test_one_image_is_entirely_similar():
    assert ms_ssim_diversity(np.tile(smooth(1, 32), (5, 1, 1, 1)))["ms_ssim"] == pytest.approx(1, abs=1e-6)


def test_constant_images_have_a_score():
    assert ms_ssim_diversity(np.zeros((5, 32, 32, 1)))["ms_ssim"] == pytest.approx(1, abs=1e-6)
    blank = np.stack([np.zeros((32, 32, 1)), np.ones((32, 32, 1))])
    assert ms_ssim_diversity(blank)["ms_ssim"] < 0.5


def test_variations_of_one_image_are_less_diverse_than_many_images():
    many = smooth(20, 32)
    few = 0.9 * many[:1] + 0.1 * many
    assert ms_ssim_diversity(few)["ms_ssim"] > ms_ssim_diversity(many)["ms_ssim"] + 0.3


def test_an_image_is_never_paired_with_itself():
    two = np.concatenate([np.zeros((1, 16, 16, 1)), noise(1, 16)])
    pair = ms_ssim_diversity(two, pairs=1)["ms_ssim"]
    assert ms_ssim_diversity(two, pairs=50)["ms_ssim"] == pytest.approx(pair, rel=1e-5)
    assert pair < 0.5


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (20, 1), (21, 2), (28, 2), (32, 2), (64, 3), (160, 4), (161, 5)])
def test_as_many_scales_as_fit(side, scales):
    score = ms_ssim_diversity(noise(2, side), pairs=1)
    assert score["scales"] == scales


def test_five_scales_are_tensorflows_own():
    import tensorflow as tf

    two = np.repeat(smooth(2, 168), 3, axis=-1).astype(np.float32)
    two[1] = 0.8 * two[0] + 0.2 * two[1]
    expected = float(tf.image.ssim_multiscale(two[0], two[1], 1.0))
    assert ms_ssim_diversity(two, pairs=1)["ms_ssim"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        (smooth(1, 32), {}, "at least 2 rows"),
        (np.zeros((5, 10, 32, 1)), {}, "11 pixels"),
        (np.zeros((5, 32, 32)), {}, "channels"),
        (2 * np.ones((5, 32, 32, 1)), {}, r"\[0, 1\]"),
        (np.full((5, 32, 32, 1), np.nan), {}, "finite"),
        (smooth(5, 32), {"pairs": 0}, "pairs=0"),
        (smooth(5, 32), {"seed": 1.5}, "`seed`.*1.5"),
    ],
)
def test_what_has_no_similarity_is_refused(images, arguments, message):
    with pytest.raises(InputError, match=message):
        ms_ssim_diversity(images, **arguments)
