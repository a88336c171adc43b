import numpy as np
from sklearn.datasets import load_digits

from zoo.data import digits


def test_digits_are_every_scan_once_with_its_label():
    data = digits.load()
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == [1437, 180, 180]
    assert (data.data_shape, data.num_classes) == ((16, 16, 1), 10)
    # Means over 2x2 blocks give the 8x8 scans back, so that each row can be recognised.
    images = np.concatenate([split.images for split in splits])
    assert (images.shape, images.dtype) == ((1797, 16, 16, 1), np.uint8)
    small = images[..., 0].reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)).reshape(-1, 64)
    source = load_digits()
    scans = source.data * (255 / 16)
    distances = (small**2).sum(1)[:, None] - 2 * small @ scans.T + (scans**2).sum(1)
    nearest = distances.argmin(1)
    assert len(set(nearest)) == 1797
    np.testing.assert_array_equal(np.concatenate([split.labels for split in splits]), source.target[nearest])


def test_every_split_has_every_digit():
    data = digits.load()
    for split in (data.train, data.validation, data.test):
        assert set(split.labels) == set(range(10))
