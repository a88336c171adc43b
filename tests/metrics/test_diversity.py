import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import diversity as diversity_module
from zoo.metrics import ms_ssim_diversity


def smooth(count, side):
    """Images of random low frequencies, in [0, 1]."""
    return noise(count, side // 8).repeat(8, axis=1).repeat(8, axis=2)


def noise(count, side):
    return np.random.default_rng(0).uniform(size=(count, side, side, 1))


def one_class(images):
    return np.zeros(len(images), int)


def diversity(images, **arguments):
    return ms_ssim_diversity(images, one_class(images), **arguments)


def test_one_image_is_entirely_similar():
    assert diversity(np.tile(smooth(1, 32), (6, 1, 1, 1)))["ms_ssim"] == pytest.approx(1, abs=1e-6)


def test_constant_images_have_a_score():
    assert diversity(np.zeros((5, 32, 32, 1)))["ms_ssim"] == pytest.approx(1, abs=1e-6)
    blank = np.stack([np.zeros((32, 32, 1)), np.ones((32, 32, 1))])
    assert diversity(blank)["ms_ssim"] < 0.5


def test_variations_of_one_image_are_less_diverse_than_many_images():
    many = smooth(20, 32)
    few = 0.9 * many[:1] + 0.1 * many
    assert diversity(few)["ms_ssim"] > diversity(many)["ms_ssim"] + 0.3


def test_bytes_are_read_as_levels():
    levels = np.rint(255 * smooth(6, 32)).astype(np.uint8)
    assert diversity(levels) == diversity(levels / np.float32(255))


def test_pairs_are_of_one_class_and_no_row_is_in_two(monkeypatch):
    labels = np.array([3, 1, 3, 1, 1, 3, 7, 3, 3])
    seen = []
    monkeypatch.setattr(
        diversity_module,
        "_similarities",
        lambda first, second, scales: seen.append((first, second)) or first[:, 0, 0, 0],
    )
    images = np.tile(np.arange(9.0)[:, None, None, None] / 9, (1, 16, 16, 1))
    score = ms_ssim_diversity(images, labels)
    first, second = ((rows[:, 0, 0, 0] * 9).round().astype(int) for rows in seen[0])
    np.testing.assert_array_equal(labels[first], labels[second])
    assert len({*first, *second}) == 2 * len(first) == 6
    assert score["pairs"] == 3
    assert [(one["label"], one["pairs"]) for one in score["classes"]] == [(1, 1), (3, 2)]


def test_standard_error_is_that_of_a_mean_of_independent_pairs():
    rows = noise(4000, 16)
    scores = [diversity(rows[start : start + 100], seed=start) for start in range(0, 4000, 100)]
    means = [score["ms_ssim"] for score in scores]
    assert np.mean([score["stderr"] for score in scores]) == pytest.approx(np.std(means, ddof=1), rel=0.3)
    assert np.isnan(diversity(rows[:2])["stderr"])


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (20, 1), (21, 2), (28, 2), (32, 2), (64, 3), (160, 4), (161, 5)])
def test_as_many_scales_as_fit(side, scales):
    score = diversity(noise(2, side))
    assert score["scales"] == scales


def test_five_scales_are_tensorflows_own():
    import tensorflow as tf

    two = np.repeat(smooth(2, 168), 3, axis=-1).astype(np.float32)
    two[1] = 0.8 * two[0] + 0.2 * two[1]
    expected = float(tf.image.ssim_multiscale(two[0], two[1], 1.0))
    assert diversity(two)["ms_ssim"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        (smooth(1, 32), {}, "two of one class. Received: 1 images"),
        (np.zeros((5, 10, 32, 1)), {}, "11 pixels"),
        (np.zeros((5, 32, 32)), {}, "channels"),
        (2 * np.ones((5, 32, 32, 1)), {}, r"\[0, 1\]"),
        (np.full((5, 32, 32, 1), np.nan), {}, "finite"),
        (smooth(5, 32), {"labels": [0, 1, 2, 3, 4]}, "two of one class"),
        (smooth(5, 32), {"labels": [0, 0]}, r"`labels` should be 5 integers. Received: int64 \[2\]"),
        (smooth(5, 32), {"seed": 1.5}, "`seed`.*1.5"),
    ],
)
def test_what_has_no_similarity_is_refused(images, arguments, message):
    with pytest.raises(InputError, match=message):
        ms_ssim_diversity(images, **{"labels": one_class(images), **arguments})
