"""Splits with few labels: which rows keep theirs, and in what order batches bring them."""

import numpy as np
import pytest

from zoo.data.dataset import Split
from zoo.data.semi_supervised import SemiSupervisedSplit
from zoo.errors import InputError
from zoo.labels import NO_LABEL

ROWS, CLASSES = 60, 3


@pytest.fixture
def split():
    """Row i holds the vector [i]; classes have 30, 20 and 10 rows."""
    labels = np.repeat([0, 1, 2], [30, 20, 10]).astype(np.int32)
    return Split(np.arange(ROWS, dtype=np.float32)[:, None], np.random.default_rng(0).permutation(labels))


def stream(rows, batches, *args, **sharing):
    elements = list(rows.stream(*args, **sharing).take(batches).as_numpy_iterator())
    return (np.concatenate([element[name] for element in elements]) for name in ("image", "label"))


def test_each_class_keeps_as_many_labels_and_they_are_its_own(split):
    rows = SemiSupervisedSplit(split, 6, CLASSES)
    assert np.bincount(rows.labelled.labels).tolist() == [2, 2, 2]
    numbers = rows.labelled.images[:, 0].astype(int)
    assert len(set(numbers)) == 6
    np.testing.assert_array_equal(split.labels[numbers], rows.labelled.labels)
    kept = np.full(ROWS, NO_LABEL)
    kept[numbers] = split.labels[numbers]
    np.testing.assert_array_equal(rows.labels, kept)
    assert len(rows) == ROWS


def test_the_seed_chooses_the_rows(split):
    chosen = [SemiSupervisedSplit(split, 6, CLASSES, seed).labelled.images[:, 0].tolist() for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_every_third_row_has_a_label_and_each_third_is_permuted_by_itself(split):
    rows = SemiSupervisedSplit(split, 6, CLASSES)
    images, labels = stream(rows, 20, 9)
    numbers = images[:, 0].astype(int)
    np.testing.assert_array_equal(labels[0::3], split.labels[numbers[0::3]])
    for epoch in numbers[0::3].reshape(10, 6):  # tiled: ten epochs of the labelled rows in one of the others
        assert set(epoch) == set(rows.labelled.images[:, 0])
    for part in (1, 2):
        assert (labels[part::3] == NO_LABEL).all()
        np.testing.assert_array_equal(np.sort(numbers[part::3]), np.arange(ROWS))
    assert (numbers[1::3] != numbers[2::3]).any()


def test_a_restarted_stream_continues_and_two_replicas_share_a_batch(split):
    rows = SemiSupervisedSplit(split, 6, CLASSES)
    whole = [part.reshape(10, 12) for part in stream(rows, 10, 12, 5)]
    for left, right in zip(whole, stream(rows, 6, 12, 5, 4), strict=True):
        np.testing.assert_array_equal(left[4:].ravel(), right.ravel())
    for left, right in zip(whole, stream(rows, 20, 12, 5, replicas=2), strict=True):
        np.testing.assert_array_equal(left.ravel(), right.ravel())


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (2, "a positive multiple of 3. Received: 2 labels"),
        (0, "a positive multiple of 3. Received: 0 labels"),
        (33, "33 labels need 11 rows of each class. Received: 10 of class 2"),
    ],
)
def test_labels_that_the_classes_cannot_share_are_refused(split, count, message):
    with pytest.raises(InputError, match=message):
        SemiSupervisedSplit(split, count, CLASSES)


def test_a_batch_that_three_parts_cannot_share_is_refused(split):
    with pytest.raises(InputError, match=r"a multiple of 3\. Received: batch_size=10"):
        SemiSupervisedSplit(split, 6, CLASSES).stream(10)
