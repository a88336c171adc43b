"""Minibatch discrimination against a triple loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inside import rebuilt

from zoo.layers import MinibatchDiscrimination, initialize_from_data

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.fixture
def layer():
    """Three kernels of size 2 whose scales and biases are not those it starts from."""
    layer = MinibatchDiscrimination(3, 2, keras.initializers.RandomNormal(seed=1))
    layer.build(ROWS.shape)
    rng = np.random.default_rng(1)
    layer.log_scale.assign(rng.normal(size=(3, 2)))
    layer.bias.assign(rng.normal(size=3))
    return layer


def closeness(layer, rows):
    """o_b(i) by the loop over rows, other rows and kernels, in float64."""
    kernel, log_scale, bias = (weight.numpy().astype(np.float64) for weight in layer.weights)
    projection = kernel / np.sqrt((kernel**2).sum(axis=0)) * np.exp(log_scale)
    projected = np.einsum("ia,abc->ibc", rows, projection)
    sums = np.zeros((len(rows), 3))
    for i in range(len(rows)):
        for j in range(len(rows)):
            for b in range(3):
                if i != j:
                    sums[i, b] += np.exp(-np.abs(projected[i, b] - projected[j, b]).sum())
    return sums + bias


def test_the_features_are_those_of_the_triple_loop_which_leaves_out_the_row_itself(layer):
    outputs = layer(ROWS).numpy()
    np.testing.assert_array_equal(outputs[:, :4], ROWS)
    np.testing.assert_allclose(outputs[:, 4:], closeness(layer, ROWS), rtol=1e-5, atol=1e-6)


def test_rows_that_are_alike_count_all_others_and_a_row_alone_counts_none(layer):
    layer.bias.assign(np.zeros(3))
    np.testing.assert_allclose(layer(np.tile(ROWS[:1], (5, 1)))[:, 4:], 4, rtol=1e-5)
    np.testing.assert_array_equal(layer(ROWS[:1])[:, 4:], 0)


def test_batches_that_are_passed_apart_are_compared_apart(layer):
    real, fake = layer(ROWS[:3]).numpy(), layer(ROWS[3:]).numpy()
    np.testing.assert_allclose(real[:, 4:], closeness(layer, ROWS[:3]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fake[:, 4:], closeness(layer, ROWS[3:]), rtol=1e-5, atol=1e-6)
    assert np.abs(layer(ROWS)[:3] - real).max() > 0.1


def test_another_order_of_the_rows_orders_the_features(layer):
    order = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(layer(ROWS[order]), layer(ROWS).numpy()[order], rtol=1e-5, atol=1e-6)


def test_it_starts_from_a_bias_of_minus_1_and_directions_of_length_1():
    layer = MinibatchDiscrimination(3, 2)
    layer.build(ROWS.shape)
    np.testing.assert_array_equal(layer.bias, [-1] * 3)
    np.testing.assert_array_equal(layer.log_scale, np.zeros((3, 2)))


def test_data_set_the_scale_so_that_half_the_nearest_distance_is_1_and_the_mean_closeness_0(layer):
    network = keras.Sequential([keras.Input((4,)), layer])
    initialize_from_data(network, tf.constant(ROWS))
    np.testing.assert_allclose(network(ROWS)[:, 4:].numpy().mean(axis=0), 0, atol=1e-5)
    kernel, log_scale, _ = (weight.numpy().astype(np.float64) for weight in layer.weights)
    projected = np.einsum("ia,abc->ibc", ROWS, kernel / np.sqrt((kernel**2).sum(axis=0)) * np.exp(log_scale))
    distances = np.abs(projected[:, None] - projected[None]).sum(axis=-1)
    distances[np.arange(6), np.arange(6)] = np.inf
    np.testing.assert_allclose(distances.min(axis=1).mean(axis=0) / 2, 1, rtol=1e-5)


def test_its_configuration_holds_every_argument():
    layer = rebuilt(MinibatchDiscrimination(7, 3, keras.initializers.RandomNormal(stddev=0.3, seed=5), name="m"))
    assert (layer.kernels, layer.size, layer.kernel_initializer.stddev, layer.name) == (7, 3, 0.3, "m")
    assert layer(keras.Input((4,))).shape == (None, 11)
