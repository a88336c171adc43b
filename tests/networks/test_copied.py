"""Copies of networks: their weights are their own, whatever kind of network it is."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import networks


class Subclassed(keras.Model):
    """A network that Keras could not make again: it has no configuration."""

    def __init__(self, units):
        super().__init__(name="generator")
        self.dense = keras.layers.Dense(units)
        self.normalization = keras.layers.BatchNormalization()
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, inputs, training=False):
        return self.dropout(self.normalization(self.dense(inputs), training=training), training=training)


def subclassed():
    network = Subclassed(4)
    network(tf.zeros([1, 3]))
    return network


def with_lambda():
    inputs = keras.Input((3,))
    outputs = keras.layers.Lambda(lambda x: 2 * x)(keras.layers.Dense(4)(inputs))
    return keras.Model(inputs, outputs, name="generator")


def functional():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Dense(4)(inputs)), name="generator")


@pytest.mark.parametrize("make", [subclassed, with_lambda, functional])
@pytest.mark.parametrize("in_graph", [False, True])
def test_a_copy_keeps_what_the_network_was(make, in_graph):
    keras.utils.set_random_seed(0)
    network = make()
    copy = networks.copied(network)
    call = tf.function(lambda rows: copy(rows, training=False)) if in_graph else copy
    rows = tf.random.stateless_normal([5, 3], [0, 1])
    before = network(rows).numpy()
    np.testing.assert_array_equal(call(rows), before)
    for weight in network.weights:
        weight.assign(weight + 1)
    np.testing.assert_array_equal(call(rows), before)
    assert not np.allclose(network(rows), before)
    assert not copy.trainable_weights
    assert [weight.shape for weight in copy.weights] == [weight.shape for weight in network.weights]
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(call(rows), network(rows))
    assert copy.name == network.name
    assert copy.count_params() == network.count_params()
