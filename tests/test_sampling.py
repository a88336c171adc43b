"""Seeds and labels: what is accepted, and what the refusal of the rest says."""

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.sampling import check_seeds_and_labels, pictured


@pytest.mark.parametrize(
    ("seeds", "labels", "expected_seeds", "expected_labels"),
    [
        (3, None, [0, 1, 2], [-1, -1, -1]),
        ([7, -5], 2, [7, -5], [2, 2]),
        (range(2), [0, -1], [0, 1], [0, -1]),
        (np.array([2**63 - 1]), np.array([9], np.uint8), [2**63 - 1], [9]),
        (np.int32(1), np.int64(4), [0], [4]),
    ],
)
def test_accepted(seeds, labels, expected_seeds, expected_labels):
    seeds, labels = check_seeds_and_labels(seeds, labels, num_classes=10)
    assert (seeds.dtype, labels.dtype) == (np.int64, np.int32)
    assert seeds.tolist() == expected_seeds
    assert labels.tolist() == expected_labels


def test_an_unconditional_model_ignores_labels():
    assert check_seeds_and_labels(1, 99, num_classes=None)[1].tolist() == [99]


@pytest.mark.parametrize(
    ("seeds", "labels", "message"),
    [
        (0, None, "`seeds`.*1 or more rows.*Received: 0"),
        (-4, None, "`seeds`.*Received: -4"),
        ([], None, "`seeds`.*at least one"),
        (2.0, None, "`seeds`.*int64.*Received: float64"),
        ([0.5], None, "`seeds`.*Received: float64"),
        (True, None, "`seeds`.*Received: bool"),
        ("12", None, "`seeds`.*Received: <U2"),
        (None, None, "`seeds`.*Received: object"),
        ([[1, 2]], None, r"`seeds`.*shape \[1, 2\]"),
        ([[1], [2, 3]], None, "`seeds`.*Received: object"),
        ([2**63], None, "`seeds` should fit int64.*9223372036854775808"),
        ([2**70], None, "`seeds`.*fit int64.*Received: object"),
        (2, [1], "`labels`.*one label per seed, 2.*Received: 1"),
        (2, [], "`labels`.*Received: 0"),
        (2, [1.0, 2.0], "`labels`.*int32.*Received: float64"),
        (2, [True, False], "`labels`.*Received: bool"),
        (2, [[1, 2]], r"`labels`.*shape \[1, 2\]"),
        (1, 10, r"`labels` should lie in \[-1, 9\]. Received: 10"),
        (2, [0, -2], r"`labels` should lie in \[-1, 9\]. Received: -2"),
        (1, 2**40, "`labels` should fit int32"),
    ],
)
def test_refused(seeds, labels, message):
    with pytest.raises(InputError, match=message):
        check_seeds_and_labels(seeds, labels, num_classes=10)


def test_a_picture_has_a_row_of_8_seeds_a_class():
    seeds, labels, columns = pictured(3)
    assert columns == 8
    assert seeds.reshape(3, columns).tolist() == [list(range(8))] * 3
    assert labels.reshape(3, columns).tolist() == [[0] * 8, [1] * 8, [2] * 8]
    assert len(pictured(16)[0]) == 16 * 8


@pytest.mark.parametrize("num_classes", [None, 17])
def test_a_picture_without_classes_or_of_many_has_64_seeds(num_classes):
    assert pictured(num_classes) == (64, None, 8)
