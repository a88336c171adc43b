"""Rectified units whose slope has no slope: the same values and derivatives as TensorFlow's, where they have any."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import layers

UNITS = {
    "relu": (layers.ReLU, keras.layers.ReLU, {}),
    "leaky": (layers.LeakyReLU, keras.layers.LeakyReLU, {"negative_slope": 0.2}),
}
KERNELS = [tf.constant(np.random.default_rng(k).normal(size=(6, 6)).astype(np.float32)) for k in range(3)]
POINTS = tf.constant(np.random.default_rng(9).normal(size=(5, 6)).astype(np.float32))


def penalty(unit, points, kernels):
    """The penalty of a critic of three layers, its gradient towards the kernels and towards the points."""
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([points, *kernels])
        with tf.GradientTape() as inner:
            inner.watch(points)
            x = points
            for kernel in kernels:
                x = unit(x @ kernel, training=True)
        slopes = inner.gradient(x, points)
        loss = tf.reduce_sum((tf.norm(slopes, axis=1) - 1) ** 2)
    return [loss, *outer.gradient(loss, kernels)], outer.gradient(loss, points)


@pytest.mark.parametrize(("ours", "keras_own", "settings"), UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("wrapped", [False, True], ids=["eager", "graph"])
def test_a_penalty_and_its_gradient_are_kerass_to_the_last_bit(ours, keras_own, settings, wrapped):
    function = tf.function(penalty) if wrapped else penalty
    (found, of_points), (expected, _) = (function(unit(**settings), POINTS, KERNELS) for unit in (ours, keras_own))
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, other)
    assert of_points is None  # where TensorFlow computes zeros, with a whole backward pass


@pytest.mark.parametrize(("ours", "keras_own", "settings"), UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("training", [False, True])
def test_values_and_slopes_are_kerass(ours, keras_own, settings, training):
    values = tf.constant([-2.0, -0.0, 0.0, 1e-30, 3.0, np.inf, -np.inf])
    results = []
    for unit in (ours(**settings), keras_own(**settings)):
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = unit(values, training=training) if unit.__class__ is ours else unit(values)
        results.append((outputs, tape.gradient(outputs, values)))
    np.testing.assert_array_equal(*results)


def test_a_unit_with_a_ceiling_keeps_it():
    unit = layers.ReLU(max_value=1.0)
    np.testing.assert_array_equal(unit(tf.constant([-1.0, 0.5, 2.0]), training=True), [0, 0.5, 1])


@pytest.mark.parametrize(("ours", "keras_own", "settings"), UNITS.values(), ids=UNITS)
def test_outside_training_a_graph_holds_tensorflows_own_op(ours, keras_own, settings):
    unit = ours(**settings)
    nodes = tf.function(lambda x: unit(x, training=False)).get_concrete_function(POINTS).graph.get_operations()
    assert "IdentityN" not in [node.type for node in nodes]


@pytest.mark.parametrize(("ours", "keras_own", "settings"), UNITS.values(), ids=UNITS)
def test_a_unit_is_saved_and_named_as_kerass(ours, keras_own, settings):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours(**settings)))
    assert type(copy) is ours
    assert copy.get_config().keys() == keras_own(**settings).get_config().keys()
    assert isinstance(copy, keras_own)
