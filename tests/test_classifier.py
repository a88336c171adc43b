"""The classifier: its network, how it moves its images, what it reports."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import data
from zoo.classifier import Classifier, classifier_network
from zoo.errors import InputError

SHAPE = (8, 8, 1)


def make(**settings):
    keras.utils.set_random_seed(0)
    model = Classifier(SHAPE, num_classes=3, **({"filters": 4} | settings))
    model.compile()
    return model


def images(count=6, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype("float32")


@pytest.mark.parametrize("filters", [4, 8])
def test_the_network_has_the_parameters_of_its_description(filters):
    """3x3 kernels without biases, two numbers trained a channel and normalisation, a dense layer."""
    widths = [1, filters, filters, 2 * filters, 2 * filters, 4 * filters, 4 * filters]
    kernels = sum(9 * before * after for before, after in itertools.pairwise(widths))
    network = classifier_network(SHAPE, 3, filters)
    trained = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    assert trained == kernels + 2 * sum(widths[1:]) + (4 * filters + 1) * 3


def test_features_are_what_the_logits_are_linear_in():
    model = make()
    outputs = model.classify_signature(tf.constant(images() / 2 + 0.5))
    kernel, bias = model.classifier.layers[-1].get_weights()
    logits = outputs["features"].numpy().astype(np.float64) @ kernel + bias
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(outputs["probabilities"], exponents / exponents.sum(axis=1, keepdims=True), atol=1e-6)
    assert outputs["features"].shape == (6, 16)
    assert (outputs["features"].numpy() >= 0).all()


def test_a_step_goes_down_the_cross_entropy_of_its_labels():
    model = make()
    batch = {"image": tf.constant(images() / 2 + 0.5), "label": tf.constant([0, 1, 2, 0, 1, 2])}
    _, logits = model.classifier(images(), training=True)
    logits = logits.numpy().astype(np.float64)
    chosen = logits[np.arange(6), batch["label"]]
    expected = np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)
    logs = model.train_on_batch(batch, return_dict=True)
    np.testing.assert_allclose(logs["classifier_loss"], expected, atol=1e-5)
    np.testing.assert_allclose(logs["accuracy"], np.mean(logits.argmax(axis=1) == batch["label"]), atol=1e-6)


def test_without_shift_and_flip_images_stay_as_they_are():
    np.testing.assert_array_equal(make().moved(tf.constant(images())), images())


def test_a_moved_image_is_the_image_somewhere_else_on_black():
    """Each is one of the 25 places, mirrored or not; over 300 images every one of the 50 occurs."""
    model = make(shift=2, flip=True)
    image = images(1)
    moved = model.moved(tf.constant(np.repeat(image, 300, axis=0))).numpy()
    padded = np.pad(image[0], ((2, 2), (2, 2), (0, 0)), constant_values=-1)
    places = {
        (padded[top : top + 8, left : left + 8][:, ::step]).tobytes(): (top, left, step)
        for top in range(5)
        for left in range(5)
        for step in (1, -1)
    }
    assert {places[one.tobytes()] for one in moved} == set(places.values())


def test_moves_follow_from_seed_and_step_alone():
    batch = tf.constant(images())
    first, same, other = make(shift=2), make(shift=2), make(shift=2, seed=1)
    np.testing.assert_array_equal(first.moved(batch), same.moved(batch))
    assert not np.array_equal(first.moved(batch), other.moved(batch))
    same.step_counter.assign(1)
    assert not np.array_equal(first.moved(batch), same.moved(batch))


def test_accuracy_counts_rows_whatever_the_batch():
    model, split = make(), data.Split((images(50) * 127.5 + 127.5).astype("uint8"), np.arange(50, dtype="int32") % 3)
    _, logits = model.classifier(split.images.astype("float32") / 127.5 - 1, training=False)
    expected = np.mean(np.argmax(logits, axis=1) == split.labels)
    assert model.accuracy(split) == model.accuracy(split, batch_size=7) == expected


def test_it_is_saved_with_its_settings(tmp_path):
    model = make(shift=1, flip=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.shift, loaded.flip, loaded.filters) == (1, True, 4)
    image = tf.constant(images() / 2 + 0.5)
    np.testing.assert_allclose(
        loaded.classify_signature(image)["features"], model.classify_signature(image)["features"], atol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data_shape": (2,)}, "4x4"),
        ({"data_shape": (3, 8, 1)}, "4x4"),
        ({"num_classes": None}, "at least 2 classes"),
        ({"filters": 0}, "filters"),
        ({"shift": -1}, "shift"),
        ({"shift": 8}, "shift"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Classifier(**({"data_shape": SHAPE, "num_classes": 3} | arguments))
