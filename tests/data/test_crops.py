"""Corner crops: each image four times, cut where it says, in memory or memory-mapped."""

import numpy as np
import pytest

from zoo.data.crops import CornerCrops
from zoo.errors import InputError

IMAGES = np.arange(3 * 6 * 5 * 2, dtype=np.uint8).reshape(3, 6, 5, 2)
LABELS = np.int32([2, 0, 1])
PIXELS = IMAGES / np.float32(255)
CROPS = [PIXELS[i, top : top + 4, left : left + 4] for i in range(3) for top in (0, 2) for left in (0, 1)]


@pytest.fixture(params=["array", "memmap"])
def crops(request, tmp_path):
    images = IMAGES
    if request.param == "memmap":
        IMAGES.tofile(tmp_path / "images")
        images = np.memmap(tmp_path / "images", np.uint8, "r", shape=IMAGES.shape)
    return CornerCrops(images, LABELS, 4)


def test_every_row_is_there_in_four_corners_with_its_label(crops):
    assert len(crops) == 12
    batches = list(crops.batches(5).as_numpy_iterator())
    np.testing.assert_allclose(np.concatenate([batch["image"] for batch in batches]), CROPS, atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([batch["label"] for batch in batches]), np.repeat(LABELS, 4))


def test_an_epoch_of_the_stream_is_every_crop_once(crops):
    streamed = np.concatenate([batch["image"] for batch in crops.stream(4).take(3).as_numpy_iterator()])
    order = [int(np.argmin([np.abs(crop - image).max() for crop in CROPS])) for image in streamed]
    assert sorted(order) == list(range(12))
    assert order != sorted(order)


@pytest.mark.parametrize("size", [0, 6])
def test_a_crop_that_is_not_in_the_image_is_refused(size):
    with pytest.raises(InputError, match=rf"Received: size={size} and rows of shape \(6, 5, 2\)"):
        CornerCrops(IMAGES, LABELS, size)


def test_vectors_have_no_corners():
    with pytest.raises(InputError, match=r"rows of shape \(2,\)"):
        CornerCrops(np.zeros((3, 2), np.float32), LABELS, 1)
