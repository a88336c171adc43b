"""The residual networks of Gulrajani et al. (2017): those for CIFAR-10, and those for 64x64 pixels."""

from __future__ import annotations

import math

import keras

from zoo.errors import require_positive
from zoo.layers import Conv2D, GlobalBatchDropout, ReLU, RowNormalization
from zoo.networks.convolutional import dcgan_stages
from zoo.networks.parts import batch_normalization

layers = keras.layers


def residual_generator(data_shape, latent_size, filters=128, seed=0):
    """The residual generator of Gulrajani et al. (2017) for CIFAR-10: blocks that double a map up to the image's size.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of every map.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(latent_size=latent_size, filters=filters)
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    seeds = keras.random.SeedGenerator(seed)
    shape = (height >> stages, width >> stages, filters)
    inputs = keras.Input((latent_size,))
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape), kernel_initializer=_plain(seeds))(inputs))
    for _ in range(stages):
        shortcut = Conv2D(filters, 1, kernel_initializer=_plain(seeds))(layers.UpSampling2D(2)(x))
        x = layers.UpSampling2D(2)(ReLU()(batch_normalization()(x)))
        x = Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(x)
        x = ReLU()(batch_normalization()(x))
        x = Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(x)
        x = layers.Add()([shortcut, x])
    x = ReLU()(batch_normalization()(x))
    x = Conv2D(channels, 3, padding="same", kernel_initializer=_plain(seeds))(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="generator")


def residual_critic(data_shape, filters=128, seed=0, dropout=(0.0, 0.0, 0.0)):
    """The residual critic of Gulrajani et al. (2017) for CIFAR-10: four blocks, two of which halve the map; a score.

    Args:
        data_shape: `(height, width, channels)`; height and width divisible by 4.
        filters: channels of every map.
        dropout: the shares of the last three blocks' outputs that are dropped, as in Wei et al. (2018).

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to float32 scores `(batch, 1)`.
    """
    require_positive(filters=filters)
    seeds = keras.random.SeedGenerator(seed)
    inputs = keras.Input(data_shape)
    shortcut = Conv2D(filters, 1, kernel_initializer=_plain(seeds))(layers.AveragePooling2D(2)(inputs))
    x = Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(inputs)
    x = Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(ReLU()(x))
    x = layers.Add()([shortcut, layers.AveragePooling2D(2)(x)])
    for halves, rate in zip((True, False, False), dropout, strict=True):
        shortcut = x
        for _ in range(2):
            x = Conv2D(filters, 3, padding="same", kernel_initializer=_wide(seeds))(ReLU()(x))
        if halves:
            shortcut = Conv2D(filters, 1, kernel_initializer=_plain(seeds))(shortcut)
            shortcut, x = layers.AveragePooling2D(2)(shortcut), layers.AveragePooling2D(2)(x)
        x = layers.Add()([shortcut, x])
        if rate:
            x = GlobalBatchDropout(rate)(x)
    x = layers.GlobalAveragePooling2D()(ReLU()(x))
    scores = layers.Dense(1, kernel_initializer=_plain(seeds), dtype="float32")(x)
    return keras.Model(inputs, scores, name="discriminator")


def tapered_generator(data_shape, latent_size, filters=64, seed=0):
    """The residual generator of Gulrajani et al. (2017) for 64x64 pixels: four blocks that double the map.

    The channels fall from 8 * `filters` to `filters`, as in `GoodGenerator` of `gan_64x64.py` in
    https://github.com/igul222/improved_wgan_training.

    Args:
        data_shape: `(height, width, channels)`; height and width divisible by 16.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].
    """
    require_positive(latent_size=latent_size, filters=filters)
    height, width, channels = data_shape
    seeds = keras.random.SeedGenerator(seed)
    shape = (height // 16, width // 16, 8 * filters)
    inputs = keras.Input((latent_size,))
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape), kernel_initializer=_plain(seeds))(inputs))
    for maps in (8 * filters, 4 * filters, 2 * filters, filters):
        shortcut = Conv2D(maps, 1, kernel_initializer=_plain(seeds))(layers.UpSampling2D(2)(x))
        x = layers.UpSampling2D(2)(ReLU()(batch_normalization()(x)))
        x = Conv2D(maps, 3, padding="same", use_bias=False, kernel_initializer=_wide(seeds))(x)
        x = ReLU()(batch_normalization()(x))
        x = Conv2D(maps, 3, padding="same", kernel_initializer=_wide(seeds))(x)
        x = layers.Add()([shortcut, x])
    x = ReLU()(batch_normalization()(x))
    x = Conv2D(channels, 3, padding="same", kernel_initializer=_wide(seeds))(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x), name="generator")


def tapered_critic(data_shape, filters=64, seed=0):
    """The residual critic of Gulrajani et al. (2017) for 64x64 pixels: four blocks that halve the map, and a score.

    The channels rise from `filters` to 8 * `filters`, as in `GoodDiscriminator` of `gan_64x64.py` in
    https://github.com/igul222/improved_wgan_training. Layer normalisation, with one gain and one bias for each channel,
    precedes both convolutions of a block.

    Args:
        data_shape: `(height, width, channels)`; height and width divisible by 16.
        filters: channels of the first map.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` to float32 scores `(batch, 1)`.
    """
    require_positive(filters=filters)
    seeds = keras.random.SeedGenerator(seed)

    def normalized(x):
        return ReLU()(RowNormalization()(x))

    inputs = keras.Input(data_shape)
    x = Conv2D(filters, 3, padding="same", kernel_initializer=_plain(seeds))(inputs)
    for maps in (2 * filters, 4 * filters, 8 * filters, 8 * filters):
        shortcut = Conv2D(maps, 1, kernel_initializer=_plain(seeds))(layers.AveragePooling2D(2)(x))
        width, x = x.shape[-1], normalized(x)
        x = Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer=_wide(seeds))(x)
        x = Conv2D(maps, 3, padding="same", kernel_initializer=_wide(seeds))(normalized(x))
        x = layers.Add()([shortcut, layers.AveragePooling2D(2)(x)])
    scores = layers.Dense(1, kernel_initializer=_plain(seeds), dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, scores, name="discriminator")


def _plain(seeds):
    """Glorot & Bengio's uniform initialiser, which the code uses in linear layers, shortcuts and the last layer."""
    return keras.initializers.GlorotUniform(seed=seeds)


def _wide(seeds):
    """The same with twice the variance, which the code uses before rectified units."""
    return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=seeds)
