"""Features of a row that tell how close the other rows of its batch are."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("zoo")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each row's features how close the row is to the others of its batch (Salimans et al. 2016, Sec. 3.2).

    M_i = f(x_i) T in R^(kernels x size); o_b(i) = sum over j != i of exp(-||M_ib - M_jb||_1), plus a bias. Rows are
    compared only within one call and one replica, so real and fake rows that are passed separately are never compared.
    As in the authors' code, https://github.com/openai/improved-gan, `mnist_svhn_cifar10/nn.py`, each column of T is a
    direction times the exponential of a log scale, and the bias starts from -1. `initialize_from_data` sets the scale
    so that half the mean distance to the nearest other row is 1, and the bias so that the mean of o_b is 0. Distances
    are computed in float32.

    Args:
        kernels: how many features o_b are appended.
        size: the size of each kernel.
        kernel_initializer: the initialiser of the directions in T.

    Call: `(batch, features)` -> `(batch, features + kernels)`.
    """

    initializes = False  # whether a call sets the scale and the bias; see `initialize_from_data`

    def __init__(self, kernels=100, size=5, kernel_initializer=None, **kwargs):
        super().__init__(**kwargs)
        self.kernels = kernels
        self.size = size
        self.kernel_initializer = keras.initializers.get(
            kernel_initializer or keras.initializers.RandomNormal(stddev=0.05)
        )

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.kernels, self.size), initializer=self.kernel_initializer, name="kernel"
        )
        self.log_scale = self.add_weight(shape=(self.kernels, self.size), initializer="zeros", name="log_scale")
        bias = keras.initializers.Constant(-1.0)  # added to float32
        self.bias = self.add_weight(shape=(self.kernels,), initializer=bias, autocast=False, name="bias")

    def call(self, inputs):
        if self.initializes:
            distances = self._distances(inputs)
            nearest = tf.reduce_min(distances + self._self_distance(distances), axis=1)
            self.log_scale.assign_sub(tf.math.log(tf.reduce_mean(nearest, axis=0) / 2)[:, None])
            self.bias.assign(-tf.reduce_mean(self._closeness(inputs), axis=0))
        return tf.concat(
            [inputs, tf.cast(self._closeness(inputs) + tf.cast(self.bias, tf.float32), inputs.dtype)], axis=1
        )

    def _distances(self, inputs):
        """||M_ib - M_jb||_1, float32 `(batch, batch, kernels)`."""
        kernel = tf.cast(self.kernel, tf.float32)
        scale = tf.exp(tf.cast(self.log_scale, tf.float32)) * tf.math.rsqrt(tf.reduce_sum(kernel**2, axis=0))
        projected = scale * tf.tensordot(tf.cast(inputs, tf.float32), kernel, 1)
        return tf.reduce_sum(tf.abs(projected[:, None] - projected[None]), axis=-1)

    @staticmethod
    def _self_distance(distances):
        """Added to distances, makes every row so far from itself that it is not counted: `(batch, batch, 1)`."""
        return 1e6 * tf.eye(tf.shape(distances)[0])[:, :, None]

    def _closeness(self, inputs):
        distances = self._distances(inputs)
        return tf.reduce_sum(tf.exp(-distances - self._self_distance(distances)), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] + self.kernels)

    def get_config(self):
        return {
            **super().get_config(),
            "kernels": self.kernels,
            "size": self.size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
