"""Stacked digits: what each channel holds, and what its label says."""

import numpy as np
import pytest

from zoo.data import load
from zoo.data.stacked import stacked
from zoo.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_channel_is_a_digit_and_the_label_is_written_with_them(digits, split):
    one, three = getattr(digits, split), getattr(stacked(digits), split)
    assert three.images.shape == (len(one), 16, 16, 3)
    assert three.labels.dtype == np.int32
    classes = {image.tobytes(): label for image, label in zip(one.images, one.labels, strict=True)}
    for image, label in zip(three.images, three.labels, strict=True):
        channels = np.moveaxis(image, -1, 0)
        assert "".join(str(classes[np.ascontiguousarray(channel).tobytes()]) for channel in channels) == f"{label:03}"


def test_the_three_digits_of_a_row_are_drawn_apart_and_the_same_every_time(digits):
    first, second, third = np.array([list(f"{label:03}") for label in stacked(digits).train.labels], int).T
    for one, other in ((first, second), (second, third), (first, third)):
        assert abs(np.mean(one == other) - 0.1) < 0.03  # four standard deviations for 1,437 rows
    np.testing.assert_array_equal(stacked(digits).train.images, stacked(digits).train.images)


def test_several_splits_are_the_rows_of_each(digits):
    both = stacked(digits).read("train+test")
    for name in ("images", "labels"):
        parts = [getattr(split, name) for split in (stacked(digits).train, stacked(digits).test)]
        np.testing.assert_array_equal(getattr(both, name), np.concatenate(parts))


def test_it_is_loaded_by_name(digits):
    loaded = load("stacked_digits")
    assert (loaded.name, loaded.data_shape, loaded.num_classes) == ("stacked_digits", (16, 16, 3), 1000)
    np.testing.assert_array_equal(loaded.test.images, stacked(digits).test.images)


def test_what_is_not_grey_or_has_not_ten_classes_is_refused(digits):
    with pytest.raises(InputError, match=r"'stacked_digits' of shape \[16, 16, 3\] with 1000 classes"):
        load("stacked_stacked_digits")
    with pytest.raises(InputError, match=r"'ring' of shape \[2\]"):
        load("stacked_ring")
