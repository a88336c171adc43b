"""Normalisation by the statistics of a batch, faster than Keras' own, of a row, or of a batch that never changes."""

from __future__ import annotations

import keras
import tensorflow as tf


def moments(x, axes):
    """The mean and the variance of a tensor over some axes, without those axes.

    The derivatives are right to every order; those of `tf.nn.moments`, and so of Keras' layers, only to the first.
    """
    mean = tf.reduce_mean(x, axes, keepdims=True)
    return tf.squeeze(mean, axes), tf.reduce_mean((x - mean) ** 2, axes)


@keras.saving.register_keras_serializable("zoo")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation, through TensorFlow's fused kernel where the inputs are images.

    Takes the arguments of `keras.layers.BatchNormalization`. Call: `(batch, height, width, channels)`, or any shape
    that Keras' own layer takes, to the same shape. Statistics are per replica unless the layer is `synchronized`: then
    they are those of all replicas' rows, and take one collective per call. All replicas must have equally many rows.
    """

    def call(self, inputs, training=None, mask=None):
        updates = bool(training and self.trainable)
        is_last = self.axis in (-1, inputs.shape.rank - 1)
        in_float32 = self.variable_dtype == "float32" and inputs.dtype in (tf.float16, tf.bfloat16, tf.float32)
        if mask is not None or self.renorm or not is_last or not in_float32:
            return super().call(inputs, training=training, mask=mask)
        if not self.synchronized or not updates:
            if inputs.shape.rank == 4 and self.scale and self.center:
                return self._fused(inputs, updates)
            if not updates:
                return super().call(inputs, training=training)
        return self._by_moments(inputs)

    def _fused(self, inputs, updates):
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
        # The kernel gives the unbiased estimate of the variance; Keras averages the biased one.
        self._average(mean, variance * (rows - 1) / rows)
        return outputs

    def _by_moments(self, inputs):
        x = tf.cast(inputs, tf.float32)
        axes = list(range(x.shape.rank - 1))
        mean, variance = (self._synchronized_moments if self.synchronized else moments)(x, axes)
        self._average(mean, variance)
        scale, offset = (None if part is None else part.value for part in (self.gamma, self.beta))
        return tf.cast(tf.nn.batch_normalization(x, mean, variance, offset, scale, self.epsilon), inputs.dtype)

    @staticmethod
    def _synchronized_moments(x, axes):
        context = tf.distribute.get_replica_context()
        of_replica = tf.stack([tf.reduce_mean(x, axes), tf.reduce_mean(x**2, axes)])
        if context is not None:  # it is None in a strategy's scope outside a step, where there is only one set of rows
            of_replica = context.all_reduce("mean", of_replica)
        mean, square = tf.unstack(of_replica)
        return mean, tf.maximum(square - mean**2, 0.0)

    def _average(self, mean, variance):
        for average, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + batch * (1 - self.momentum))


@keras.saving.register_keras_serializable("zoo")
class RowNormalization(keras.layers.Layer):
    """Layer normalisation: each row by its own mean and variance, then a scale and an offset for each channel.

    Unlike those of Keras' layers, its second derivatives are right, as a penalty on a critic's gradient needs.

    Args:
        epsilon: is added to the variance.

    Call: `(batch, ..., channels)` to the same shape. Computes in float32.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=input_shape[-1:], initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=input_shape[-1:], initializer="zeros", name="beta")

    def call(self, inputs):
        x = tf.cast(inputs, tf.float32)
        axes = list(range(1, x.shape.rank))
        scale, offset = (tf.cast(part, tf.float32) for part in (self.gamma, self.beta))
        mean, variance = (tf.reshape(part, [-1] + [1] * len(axes)) for part in moments(x, axes))
        return tf.cast(tf.nn.batch_normalization(x, mean, variance, offset, scale, self.epsilon), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("zoo")
class ReferenceBatch(keras.layers.Layer):
    """Puts a reference batch, chosen once, before the rows of every batch; `VirtualBatchNormalization` reads it.

    Args:
        rows: how many rows the reference batch has.
        initializer: the initialiser that draws it.

    Call: `(batch, ...)` -> `(rows + batch, ...)`.
    """

    def __init__(self, rows, initializer, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        self.reference = self.add_weight(
            shape=(self.rows, *input_shape[1:]), initializer=self.initializer, trainable=False, name="reference"
        )

    def call(self, inputs):
        return tf.concat([tf.cast(self.reference.value, inputs.dtype), inputs], axis=0)

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("zoo")
class WithoutReference(keras.layers.Layer):
    """Removes the rows of a `ReferenceBatch` again.

    Args:
        rows: how many rows the reference batch has.

    Call: `(rows + batch, ...)` -> `(batch, ...)`.
    """

    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows

    def call(self, inputs):
        return inputs[self.rows :]

    def get_config(self):
        return {**super().get_config(), "rows": self.rows}


@keras.saving.register_keras_serializable("zoo")
class VirtualBatchNormalization(keras.layers.Layer):
    """Normalises each row by the statistics of a reference batch and itself (Salimans et al. 2016, Sec. 3.5).

    With n reference rows, the mean and the mean square that normalise a row x are n / (n + 1) times those of the
    reference batch plus 1 / (n + 1) times the row's own, taken over the pixels as well if the rows are images. So a row
    does not depend on the rest of its batch. The reference rows are normalised by the statistics of the reference batch
    alone. Statistics are computed in float32.

    Args:
        rows: how many rows the reference batch has; they are the first rows of the layer's input.
        epsilon: is added to the variance.
        gamma_initializer: the initialiser of each channel's scale.

    Call: `(rows + batch, ..., channels)` to the same shape.
    """

    def __init__(self, rows, epsilon=1e-5, gamma_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.rows = rows
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape):
        channels = input_shape[-1:]
        self.gamma = self.add_weight(shape=channels, initializer=self.gamma_initializer, name="gamma")
        self.beta = self.add_weight(shape=channels, initializer="zeros", name="beta")

    def call(self, inputs, mask=None):  # Keras passes a mask to the layer that this one replaces
        x = tf.cast(inputs, tf.float32)
        reference, others = tf.split(x, [self.rows, -1])  # a gradient of slices would fill two tensors with zeros
        pixels = list(range(1, x.shape.rank - 1))

        def moments(values, axes):
            return [tf.reduce_mean(power, axes, keepdims=True) if axes else power for power in (values, values**2)]

        of_reference = moments(reference, [0, *pixels])
        own = 1 / (self.rows + 1)
        of_others = [
            own * row + (1 - own) * all_ for row, all_ in zip(moments(others, pixels), of_reference, strict=True)
        ]
        parts = [self._normalized(reference, *of_reference), self._normalized(others, *of_others)]
        return tf.cast(tf.concat(parts, axis=0), inputs.dtype)

    def _normalized(self, x, mean, mean_square):
        variance = tf.maximum(mean_square - mean**2, 0.0)
        scale = tf.math.rsqrt(variance + self.epsilon) * tf.cast(self.gamma, tf.float32)
        return (x - mean) * scale + tf.cast(self.beta, tf.float32)

    def get_config(self):
        return {
            **super().get_config(),
            "rows": self.rows,
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }
