"""Units that Keras lacks."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("zoo")
class Maxout(keras.layers.Layer):
    """The largest of several linear maps, unit by unit (Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389).

    Args:
        units: the number of outputs.
        pieces: the number of linear maps of which each output is the maximum.
        kernel_initializer: as in `keras.layers.Dense`.

    Call: `(batch, features)` -> `(batch, units)`.
    """

    def __init__(self, units, pieces, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.pieces = pieces
        self.dense = keras.layers.Dense(units * pieces, kernel_initializer=kernel_initializer, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return tf.reduce_max(tf.reshape(self.dense(inputs), [-1, self.units, self.pieces]), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        initializer = keras.initializers.serialize(self.dense.kernel_initializer)
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": initializer,
        }


@keras.saving.register_keras_serializable("zoo")
class PixelBias(keras.layers.Layer):
    """Adds a separate bias to every value of a map, whereas a convolution's bias is shared by all pixels.

    Call: any shape `(batch, ...)` to the same shape.
    """

    def build(self, input_shape):
        self.bias = self.add_weight(shape=input_shape[1:], initializer="zeros", name="bias")

    def call(self, inputs):
        return inputs + self.bias
