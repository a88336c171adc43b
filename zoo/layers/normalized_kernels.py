"""Layers that compute with a normalised form of the kernel that they store."""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo.errors import InputError

TINY = 1e-12  # a lower bound for what weight normalisation divides by


@keras.saving.register_keras_serializable("zoo")
class SpectralNormalization(keras.layers.Wrapper):
    """A layer that computes with W / sigma(W), sigma the largest singular value (Miyato et al. 2018, Algorithm 1).

    A call makes one power iteration from the stored vector u: v = W^T u, u = W v, both scaled to length 1; then
    sigma = u^T W v, with u and v treated as constants. So the gradient is (G - <G, W_SN> u v^T) / sigma with
    G = dL/dW_SN. Keras' layer of the same name overwrites W by W / sigma and treats sigma as a constant as well.

    A call in training stores the new u, whether its loss is the discriminator's or the generator's; a call at inference
    makes the iteration without storing u. A kernel of zeros keeps its u, and is divided by 1. Norms are computed in
    float32, the layer in its own precision.

    Args:
        layer: a `Dense`, `Conv2D`, `Conv2DTranspose` or `Embedding` layer. Its weights stay W.
        vector_initializer: the initialiser of u; by default normal with a deviation of 1.

    Call: from the layer's inputs to its outputs.

    Raises:
        InputError: the layer is of another kind, or has an activity regulariser.
    """

    KINDS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Embedding)

    def __init__(self, layer, vector_initializer=None, **kwargs):
        if not isinstance(layer, self.KINDS):
            kinds = ", ".join(kind.__name__ for kind in self.KINDS)
            raise InputError(f"Spectral normalisation takes a layer of {kinds}. Received: {type(layer).__name__}")
        _require_no_regularizer_of_outputs(layer)
        # With these settings this layer casts neither the inputs nor W; the layer inside casts them.
        super().__init__(layer, dtype="float32", autocast=False, **kwargs)
        self.vector_initializer = keras.initializers.get(
            vector_initializer or keras.initializers.RandomNormal(stddev=1.0)
        )

    @property
    def kernel(self):
        """The variable W."""
        return self.layer.embeddings if isinstance(self.layer, keras.layers.Embedding) else self.layer.kernel

    def build(self, input_shape):
        super().build(input_shape)
        self.vector = self.add_weight(
            shape=(self._matrix().shape[1],),
            initializer=self.vector_initializer,
            trainable=False,
            aggregation="only_first_replica",  # all replicas have the same W and u
            name="vector",
        )

    def call(self, inputs, training=False):
        matrix = self._matrix()
        constant = tf.stop_gradient(matrix)
        v, _ = _unit(tf.linalg.matvec(constant, self.vector.value))
        u, has_direction = _unit(tf.linalg.matvec(constant, v, transpose_a=True))
        if training:
            self.vector.assign(tf.where(has_direction, u, self.vector.value))
        sigma = tf.tensordot(tf.linalg.matvec(matrix, u), v, 1)
        normalized = tf.cast(self.kernel.value, tf.float32) / tf.where(sigma > 0, sigma, 1.0)
        return _called_with(self.layer, self.kernel, normalized, inputs)

    def compute_output_spec(self, inputs, training=False):
        return self.layer.compute_output_spec(inputs)

    def get_config(self):
        config = super().get_config()
        del config["dtype"]
        return {**config, "vector_initializer": keras.initializers.serialize(self.vector_initializer)}

    def _matrix(self):
        """W^T as a float32 matrix `(all other axes, outputs)`; for an embedding, `(rows, size)`."""
        kernel = tf.cast(self.kernel.value, tf.float32)
        if isinstance(self.layer, keras.layers.Conv2DTranspose):  # its last two axes are outputs and inputs
            kernel = tf.linalg.matrix_transpose(kernel)
        return tf.reshape(kernel, [-1, kernel.shape[-1]])


@keras.saving.register_keras_serializable("zoo")
class WeightNormalization(keras.layers.Wrapper):
    """A layer that computes with g v / ||v||, with g and v for each output (Salimans & Kingma 2016, eq. 2).

    https://arxiv.org/abs/1602.07868. See `initialize_from_data` for the paper's first values of g and of the bias. The
    kernel is normalised in float32; the layer computes in its own precision.

    Args:
        layer: a `Dense`, `Conv2D` or `Conv2DTranspose` layer without an activation, so that the initialisation can
            normalise its outputs. Its kernel is v.
        trainable_gain: whether g is trained; otherwise it keeps its first value, which is 1 unless initialised.
        deviation: the standard deviation that `initialize_from_data` gives the outputs; `None` for a layer that it
            must not change.

    Call: from the layer's inputs to its outputs.

    Raises:
        InputError: the layer is of another kind, has an activation or an activity regulariser, or puts channels first.
    """

    KINDS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    initializes = False  # whether a call sets g and the bias; see `initialize_from_data`

    def __init__(self, layer, trainable_gain=True, deviation=1.0, **kwargs):
        if not isinstance(layer, self.KINDS) or layer.activation is not keras.activations.linear:
            kinds = ", ".join(kind.__name__ for kind in self.KINDS)
            activation = getattr(getattr(layer, "activation", None), "__name__", "no")
            raise InputError(
                f"Weight normalisation takes a linear layer of {kinds}. "
                f"Received: {type(layer).__name__} with {activation} activation"
            )
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            raise InputError(f"Weight normalisation scales the last axis. Received: data_format={layer.data_format!r}")
        _require_no_regularizer_of_outputs(layer)
        # With these settings this layer casts neither the inputs nor v; the layer inside casts them.
        super().__init__(layer, dtype="float32", autocast=False, **kwargs)
        self.trainable_gain = trainable_gain
        self.deviation = deviation

    def build(self, input_shape):
        super().build(input_shape)
        kernel = self.layer.kernel.shape
        outputs = len(kernel) - (2 if isinstance(self.layer, keras.layers.Conv2DTranspose) else 1)
        self.others = [axis for axis in range(len(kernel)) if axis != outputs]
        self.gain = self.add_weight(
            shape=[side if axis == outputs else 1 for axis, side in enumerate(kernel)],
            initializer="ones",
            trainable=self.trainable_gain,
            name="gain",
        )

    def call(self, inputs):
        if self.initializes and self.deviation is not None:
            outputs = tf.cast(self._linear(inputs), tf.float32)
            mean, variance = tf.nn.moments(outputs, axes=range(outputs.shape.rank - 1))
            scale = self.deviation / tf.maximum(tf.sqrt(variance), TINY)
            self.gain.assign(self.gain * tf.reshape(scale, self.gain.shape))
            if self.layer.use_bias:
                self.layer.bias.assign((self.layer.bias - mean) * scale)
        return self._linear(inputs)

    def compute_output_spec(self, inputs):
        return self.layer.compute_output_spec(inputs)

    def get_config(self):
        config = super().get_config()
        del config["dtype"]
        return {**config, "trainable_gain": self.trainable_gain, "deviation": self.deviation}

    def _linear(self, inputs):
        v = tf.cast(self.layer.kernel.value, tf.float32)
        scale = self.gain.value * tf.math.rsqrt(tf.maximum(_sum_of_squares(v, self.others), TINY))
        # Scaling the outputs, before the bias is added, is cheaper than scaling the weights, of which there are more.
        bias = self.layer.bias if self.layer.use_bias else None
        outputs = self.layer(inputs) if bias is None else _called_with(self.layer, bias, tf.zeros_like(bias), inputs)
        scaled = tf.cast(outputs, tf.float32) * tf.reshape(scale, [-1])
        return tf.cast(scaled if bias is None else scaled + tf.cast(bias, tf.float32), outputs.dtype)


def initialize_from_data(network, inputs):
    """Sets g and the bias of each weight-normalised layer so that its outputs have mean 0 and the layer's `deviation`.

    This takes one pass in training mode, including noise, from the first layer to the last: each layer sees inputs that
    the layers before it have normalised (Salimans & Kingma 2016, eqs. 5 and 6). The same pass initialises minibatch
    discrimination.

    Args:
        network: a `keras.Model`.
        inputs: a batch as the network takes it.
    """
    chosen = [layer for layer in network._flatten_layers() if hasattr(layer, "initializes")]
    for layer in chosen:
        layer.initializes = True
    try:
        network(inputs, training=True)
    finally:
        for layer in chosen:
            layer.initializes = False


def _called_with(layer, changed, value, inputs):
    """A layer's outputs if one of its variables had another value; the variable itself does not change."""
    values = [(variable, value if variable is changed else variable.value) for variable in layer.variables]
    with keras.StatelessScope(values):
        return layer(inputs)


def _require_no_regularizer_of_outputs(layer):
    if layer.activity_regularizer is not None:
        raise InputError(
            "A layer inside another cannot have an activity regulariser, whose loss would be lost. "
            f"Received: {type(layer).__name__} with {layer.activity_regularizer}"
        )


def _sum_of_squares(tensor, axes):
    """The sum of squares over some axes, which stay with length 1.

    TensorFlow's own gradient would write three tensors of the size of `tensor`.
    """

    @tf.custom_gradient
    def summed(tensor):
        return tf.reduce_sum(tensor**2, axis=axes, keepdims=True), lambda gradient: 2 * gradient * tensor

    return summed(tensor)


def _unit(vector):
    """The vector scaled to length 1, and whether it can be; zeros stay zeros. Tiny entries do not underflow."""
    largest = tf.reduce_max(tf.abs(vector))
    return tf.linalg.l2_normalize(tf.math.divide_no_nan(vector, largest)), largest > 0
