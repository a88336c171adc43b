"""Dropout and noise that do not depend on the number of replicas."""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo import draws


@keras.saving.register_keras_serializable("zoo")
class GlobalBatchDropout(keras.layers.Dropout):
    """Keras' dropout with the mask of the global batch: N replicas drop what one replica with all rows would drop.

    Args:
        rate: the share of units that are dropped, in [0, 1), rounded to a multiple of 2 ** -16; the others are divided
            by 1 - rate.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, seed=seed, **kwargs)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        mask = draws.replica_mask(tf.shape(inputs)[0], inputs.shape[1:], self.rate, seed)
        return inputs * tf.cast(mask, inputs.dtype)

    def get_config(self):
        config = super().get_config()
        del config["noise_shape"]
        return config


@keras.saving.register_keras_serializable("zoo")
class GlobalBatchNoise(keras.layers.GaussianNoise):
    """Keras' Gaussian noise, drawn for the global batch: N replicas add what one replica with all rows would add.

    Args:
        stddev: the noise's standard deviation, 0 or more. There is noise only in training.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(stddev, seed=seed, **kwargs)

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        noise = draws.replica_normal(tf.shape(inputs)[0], inputs.shape[1:], seed)
        return inputs + self.stddev * tf.cast(noise, inputs.dtype)
