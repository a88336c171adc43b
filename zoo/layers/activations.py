"""Rectified units under which a gradient penalty costs less.

The slope of a rectified unit depends only on the sign of its input, so the derivative of the slope with respect to that
input is zero. TensorFlow returns a tensor of zeros for it, and the second backward pass of a penalty propagates these
zeros through the whole critic. These units return no gradient instead; penalties and their gradients are the same, bit
for bit. The slope is read from the output, whose sign is that of the input: as nothing else reads the input then,
TensorFlow can compute the unit together with the convolution before it.

Outside training they are TensorFlow's own ops, so that a SavedModel holds no custom gradient that it could not load.
"""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("zoo")
class ReLU(keras.layers.ReLU):
    """Keras' rectified unit, with the same arguments."""

    def call(self, inputs, training=None):
        if not training or self.max_value is not None or self.negative_slope or self.threshold:
            return super().call(inputs)
        return _rectified(inputs)


@keras.saving.register_keras_serializable("zoo")
class LeakyReLU(keras.layers.LeakyReLU):
    """Keras' leaky rectified unit, with the same arguments."""

    def call(self, inputs, training=None):
        return _leaky(inputs, self.negative_slope) if training else super().call(inputs)


@tf.custom_gradient
def _rectified(inputs):
    outputs = tf.nn.relu(inputs)
    return outputs, lambda upstream: _slope_of_rectified(upstream, outputs)


@tf.custom_gradient
def _slope_of_rectified(upstream, outputs):
    downstream = tf.raw_ops.ReluGrad(gradients=upstream, features=outputs)
    return downstream, lambda gradient: (_slope_of_rectified(gradient, outputs), None)


def _leaky(inputs, slope):
    @tf.custom_gradient
    def unit(inputs):
        outputs = tf.nn.leaky_relu(inputs, slope)
        return outputs, lambda upstream: slope_of_unit(upstream, outputs)

    @tf.custom_gradient
    def slope_of_unit(upstream, outputs):
        downstream = tf.raw_ops.LeakyReluGrad(gradients=upstream, features=outputs, alpha=slope)
        return downstream, lambda gradient: (slope_of_unit(gradient, outputs), None)

    return unit(inputs)
