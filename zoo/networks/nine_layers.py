"""The convolutional networks of Salimans et al. (2016) for CIFAR-10 and SVHN.

From the authors' code, https://github.com/openai/improved-gan, `mnist_svhn_cifar10`.
"""

from __future__ import annotations

import math

import keras

from zoo.errors import require_positive
from zoo.layers import (
    Conv2D,
    Conv2DTranspose,
    GlobalBatchDropout,
    GlobalBatchNoise,
    LeakyReLU,
    MinibatchDiscrimination,
    ReLU,
    WeightNormalization,
)
from zoo.networks.convolutional import dcgan_stages
from zoo.networks.parts import normal

layers = keras.layers

DEVIATION = 0.05  # standard deviation of every kernel's initial values
LAST_DEVIATION = 0.1  # standard deviation of a last layer's initial outputs, before its activation


def shifting_generator(data_shape, latent_size, filters=128, seed=0):
    """DCGAN's layers with batch normalisation that shifts but does not scale; the last layer has normalised weights.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map; each smaller map has twice the channels of the next.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(latent_size=latent_size, filters=filters)
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = normal(seed, DEVIATION)
    shape = (height >> stages, width >> stages, filters << (stages - 1))
    inputs = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), use_bias=False, kernel_initializer=initializer)(inputs)
    x = ReLU()(_shifted(layers.Reshape(shape)(x)))
    for stage in reversed(range(stages - 1)):
        x = Conv2DTranspose(
            filters << stage, 5, strides=2, padding="same", use_bias=False, kernel_initializer=initializer
        )(x)
        x = ReLU()(_shifted(x))
    last = Conv2DTranspose(channels, 5, strides=2, padding="same", kernel_initializer=initializer)
    x = WeightNormalization(last, deviation=LAST_DEVIATION)(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="generator")


def nine_layer_discriminator(data_shape, outputs, filters=96, minibatch_kernels=0, seed=0):
    """Three times dropout and three weight-normalised convolutions, then the mean over the pixels and a linear layer.

    Args:
        data_shape: `(height, width, channels)`, at least 12 pixels per side for the third stage as in the code, which
            does not pad; smaller maps are padded there.
        outputs: the number of logits.
        filters: channels of the first three maps; the others have twice as many.
        minibatch_kernels: features of minibatch discrimination; with them, noise replaces the first dropout.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, outputs)`.
    """
    require_positive(filters=filters)
    initializer = normal(seed, DEVIATION)

    def convolution(x, channels, size=3, strides=1, padding="same"):
        layer = Conv2D(channels, size, strides, padding, kernel_initializer=initializer)
        return LeakyReLU(negative_slope=0.2)(WeightNormalization(layer, trainable_gain=False)(x))

    inputs = keras.Input(data_shape)
    x = GlobalBatchNoise(0.2, seed=seed)(inputs) if minibatch_kernels else GlobalBatchDropout(0.2, seed=seed)(inputs)
    for stage in range(2):
        for strides in (1, 1, 2):
            x = convolution(x, filters << stage, strides=strides)
        x = GlobalBatchDropout(0.5, seed=seed + 1 + stage)(x)
    x = convolution(x, 2 * filters, padding="valid" if min(x.shape[1:3]) >= 3 else "same")
    for _ in range(2):
        x = convolution(x, 2 * filters, size=1)
    x = layers.GlobalAveragePooling2D()(x)
    if minibatch_kernels:
        x = MinibatchDiscrimination(minibatch_kernels, kernel_initializer=initializer)(x)
    last = layers.Dense(outputs, kernel_initializer=initializer, dtype="float32")
    return keras.Model(inputs, WeightNormalization(last, deviation=LAST_DEVIATION)(x), name="discriminator")


def _shifted(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-6, scale=False)(x)
