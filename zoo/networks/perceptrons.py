"""Networks of dense layers."""

from __future__ import annotations

import math

import keras

from zoo.errors import require_positive
from zoo.layers import Maxout
from zoo.networks.parts import batch_normalization, normal

layers = keras.layers


def mlp(input_size, output_size, units=128, depth=2, activation="relu", seed=0, name=None):
    """A perceptron: `depth` hidden layers of `units`, then a linear layer.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    require_positive(units=units, depth=depth)
    initializer = keras.initializers.Orthogonal(gain=0.8, seed=keras.random.SeedGenerator(seed))
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, activation=activation, kernel_initializer=initializer)(x)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def normalized_mlp(input_size, output_size, units, depth, seed=0, name=None):
    """A perceptron with batch normalisation: `depth` hidden layers of `units` rectified units, then a linear layer.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    require_positive(units=units, depth=depth)
    initializer = normal(seed)
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, use_bias=False, kernel_initializer=initializer)(x)
        x = layers.ReLU()(batch_normalization()(x))
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def mlp_generator(data_shape, latent_size, units, depth, activation, seed=0):
    """`normalized_mlp` as a generator of data.

    Args:
        data_shape: `(height, width, channels)` of an image or `(size,)` of a vector.
        latent_size: length of the latent vector.
        units: width of the hidden layers.
        depth: how many hidden layers there are.
        activation: the activation of an image's pixels; vectors are linear.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)`.
    """
    network = normalized_mlp(latent_size, math.prod(data_shape), units, depth, seed)
    x = layers.Activation(activation, dtype="float32")(network.output) if len(data_shape) == 3 else network.output
    return keras.Model(network.input, layers.Reshape(data_shape, dtype="float32")(x), name="generator")


def relu_mlp(input_size, output_size, units=512, depth=3, seed=0, name=None):
    """The networks of Gulrajani et al. (2017) for toy problems: rectified units with He's uniform initialiser.

    From `gan_toy.py` of https://github.com/igul222/improved_wgan_training.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    require_positive(units=units, depth=depth)
    seeds = keras.random.SeedGenerator(seed)
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, "relu", kernel_initializer=keras.initializers.HeUniform(seed=seeds))(x)
    initializer = keras.initializers.GlorotUniform(seed=seeds)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def maxout_mlp(input_size, seed=0):
    """Dumoulin et al.'s (2016) discriminator for 25 Gaussians: three layers of 200 maxout units with 5 pieces each.

    From the authors' code, https://github.com/IshmaelBelghazi/ALI.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 logits `(batch, 1)`.
    """
    initializer = normal(seed)
    inputs = x = keras.Input((input_size,))
    for _ in range(3):
        x = Maxout(200, pieces=5, kernel_initializer=initializer)(x)
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, logits, name="discriminator")
