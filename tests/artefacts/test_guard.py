"""Bad rows are marked in their own outputs, and no good row is touched."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.artefacts.guard import guarded
from zoo.artefacts.signatures import IMAGE, LABEL, LATENT, SEED, bad_rows, rows

NAN = np.float32(np.nan)


def outputs(first, label):
    """A total of each row, its text, and the label that arrived."""
    total = tf.reduce_sum(tf.reshape(tf.cast(first, tf.float32), [tf.shape(first)[0], -1]), axis=1)
    return {"total": total, "text": tf.strings.as_string(label), "label": label}


def answers(function, *inputs):
    return [values.numpy().tolist() for values in function(*map(tf.constant, inputs)).values()]


def test_a_seed_may_come_with_minus_one_and_nothing_below():
    function = guarded(outputs, [rows(SEED), rows(LABEL)], classes=3)
    total, text, label = answers(function, np.arange(5, 10), [-1, 2, 3, -2, 0])
    assert np.isnan(total).tolist() == [False, False, True, True, False]
    assert [total[row] for row in (0, 1, 4)] == [5, 6, 9]
    assert text == [b"-1", b"2", b"", b"", b"0"]
    assert label == [-1, 2, -1, -1, 0]


def test_what_has_no_seed_needs_a_class():
    function = guarded(outputs, [rows(LATENT, 2), rows(LABEL)], classes=3)
    total, *_ = answers(function, np.ones([3, 2], np.float32), [-1, 0, 3])
    assert np.isnan(total).tolist() == [True, False, True]


def test_where_labels_are_ignored_any_will_do():
    function = guarded(outputs, [rows(LATENT, 2), rows(LABEL)], classes=None)
    total, *_ = answers(function, np.ones([3, 2], np.float32), [-7, 0, 99])
    assert total == [2, 2, 2]


@pytest.mark.parametrize(
    ("value", "good"),
    [(0, 1), (1, 1), (1.00005, 1), (1.01, 0), (-0.01, 0), (255, 0), (NAN, 0)],
)
def test_images_lie_in_the_unit_range_but_for_rounding(value, good):
    images = np.zeros((2, 2, 2, 1), np.float32)
    images[1, 1, 0, 0] = value
    function = guarded(lambda image: {"image": image}, [rows(IMAGE, 2, 2, 1)], classes=None)
    marked = function(tf.constant(images))["image"].numpy()
    assert bad_rows(marked).tolist() == ([] if good else [1])


def test_vectors_have_no_range_but_are_finite():
    function = guarded(lambda image: {"image": image}, [rows(IMAGE, 2)], classes=None)
    marked = function(tf.constant([[500, -3], [np.inf, 0], [0, np.nan]], tf.float32))["image"].numpy()
    assert marked[0].tolist() == [500, -3]
    assert bad_rows(marked).tolist() == [1, 2]


def test_a_function_that_mixes_rows_sees_zeros_in_place_of_bad_ones():
    function = guarded(lambda image: {"score": image + tf.reduce_sum(image)}, [rows(IMAGE, 1)], classes=None)
    assert function(tf.constant([[1.0], [np.nan], [2.0]]))["score"][0].numpy() == 4


def test_unequal_lengths_are_an_error_even_where_the_label_is_ignored():
    function = guarded(lambda seed, label: {"seed": seed}, [rows(SEED), rows(LABEL)], classes=None)
    graph = tf.function(function, input_signature=[rows(SEED), rows(LABEL)], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`seed` and `label` must have as many rows"):
        graph(tf.constant([1, 2], tf.int64), tf.constant([1]))
    assert graph(tf.constant([5], tf.int64))["seed"].numpy().tolist() == [5]


def test_only_rows_that_are_marked_throughout_are_bad():
    assert bad_rows(np.array([[NAN, 1], [NAN, NAN]])).tolist() == [1]
    assert bad_rows(np.array([b"", b"png"], object)).tolist() == [0]
    assert bad_rows(np.array([-1, 0])).tolist() == []
