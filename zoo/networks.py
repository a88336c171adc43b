"""Backbones that several papers share, as functional Keras models whose first weights follow from `seed`."""

from __future__ import annotations

import math

import keras

from zoo.errors import InputError
from zoo.layers import BatchNormalization

layers = keras.layers


def mlp(input_size, output_size, units=128, depth=2, activation="relu", seed=0, name=None):
    """A perceptron: `depth` hidden layers of `units`, then a linear layer.

    Returns:
        A `keras.Model` from `(batch, input_size)` to float32 `(batch, output_size)`.
    """
    initializer = keras.initializers.Orthogonal(gain=0.8, seed=keras.random.SeedGenerator(seed))
    inputs = x = keras.Input((input_size,))
    for _ in range(depth):
        x = layers.Dense(units, activation=activation, kernel_initializer=initializer)(x)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, outputs, name=name)


def dcgan_generator(data_shape, latent_size, filters, seed=0):
    """DCGAN's generator: a projection to a small map, then 5x5 transposed convolutions that double it.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map; each smaller map has twice the channels of the next.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = _normal(seed)
    inputs = keras.Input((latent_size,))
    x = layers.Dense(
        (height >> stages) * (width >> stages) * (filters << (stages - 1)),
        use_bias=False,
        kernel_initializer=initializer,
    )(inputs)
    x = layers.Reshape((height >> stages, width >> stages, filters << (stages - 1)))(x)
    x = layers.ReLU()(_batch_normalization()(x))
    for stage in reversed(range(stages - 1)):
        x = layers.Conv2DTranspose(
            filters << stage, 5, strides=2, padding="same", use_bias=False, kernel_initializer=initializer
        )(x)
        x = layers.ReLU()(_batch_normalization()(x))
    x = layers.Conv2DTranspose(channels, 5, strides=2, padding="same", kernel_initializer=initializer)(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def dcgan_discriminator(data_shape, filters, seed=0):
    """DCGAN's discriminator: 5x5 convolutions that halve the map and double its channels, then one logit.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        filters: channels of the first map.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    initializer = _normal(seed)
    inputs = x = keras.Input(data_shape)
    for stage in range(dcgan_stages(data_shape)):
        x = layers.Conv2D(
            filters << stage, 5, strides=2, padding="same", use_bias=stage == 0, kernel_initializer=initializer
        )(x)
        if stage > 0:  # Sec. 3: no batch normalisation on the discriminator's input layer
            x = _batch_normalization()(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    outputs = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="discriminator")


def dcgan_stages(data_shape):
    """How often a DCGAN halves an image until its smaller side has 4 to 7 pixels.

    Raises:
        InputError: `data_shape` is not an image's, is smaller than 8, or cannot be halved that often.
    """
    if len(data_shape) != 3:
        raise InputError(
            f"DCGAN needs images: `data_shape` (height, width, channels). Received: data_shape={data_shape}"
        )
    smaller = min(data_shape[:2])
    stages = int(math.log2(smaller / 4)) if smaller >= 8 else 0
    if not stages:
        raise InputError(f"DCGAN needs images of at least 8x8 pixels. Received: data_shape={data_shape}")
    unit = 1 << stages
    if any(side % unit for side in data_shape[:2]):
        raise InputError(
            f"DCGAN halves an image of this size {stages} times: height and width must be multiples of {unit}. "
            f"Received: data_shape={data_shape}"
        )
    return stages


def _normal(seed):
    return keras.initializers.RandomNormal(stddev=0.02, seed=keras.random.SeedGenerator(seed))


def _batch_normalization():
    return BatchNormalization(momentum=0.9, epsilon=1e-5)
