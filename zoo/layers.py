"""Layers that papers share and Keras lacks."""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import draws


@keras.saving.register_keras_serializable("zoo")
class Maxout(keras.layers.Layer):
    """The largest of several linear maps, unit by unit (Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389).

    Args:
        units: how many outputs.
        pieces: how many linear maps each output is the maximum of.
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
class Dropout(keras.layers.Dropout):
    """Keras' dropout with the mask of the global batch: N replicas drop what one replica with all rows would drop.

    Args:
        rate: the share of units that are dropped, in [0, 1); the others are divided by 1 - rate.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, seed=seed, **kwargs)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        keep = draws.replica_uniform(tf.shape(inputs)[0], inputs.shape[1:], seed) >= self.rate
        return tf.where(keep, inputs / (1 - self.rate), 0)

    def get_config(self):
        config = super().get_config()
        del config["noise_shape"]
        return config


@keras.saving.register_keras_serializable("zoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation, through TensorFlow's fused kernel where the inputs are images.

    Takes the arguments of `keras.layers.BatchNormalization`. Call: `(batch, height, width, channels)`, or any shape
    that Keras' own takes, to the same shape. Statistics are per replica unless `synchronized`.
    """

    def call(self, inputs, training=None, mask=None):
        is_image = len(inputs.shape) == 4 and self.axis in (-1, 3) and mask is None
        plain = self.scale and self.center and not (self.synchronized or self.renorm)
        if not (is_image and plain):
            return super().call(inputs, training=training, mask=mask)
        updates = bool(training and self.trainable)
        averages = (self.moving_mean, self.moving_variance)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.constant([], tf.float32) if updates else averages[0].value,
            variance=tf.constant([], tf.float32) if updates else averages[1].value,
            epsilon=self.epsilon,
            is_training=updates,
        )
        if not updates:
            return outputs
        rows = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        variance *= (rows - 1) / rows  # the kernel returns the unbiased estimate, Keras averages the biased one
        for average, batch in zip(averages, (mean, variance), strict=True):
            average.assign(average * self.momentum + batch * (1 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable("zoo")
class PixelBias(keras.layers.Layer):
    """Adds a bias of its own to every value of a map, where that of a convolution is shared by all pixels.

    Call: any shape `(batch, ...)` to the same shape.
    """

    def build(self, input_shape):
        self.bias = self.add_weight(shape=input_shape[1:], initializer="zeros", name="bias")

    def call(self, inputs):
        return inputs + self.bias
