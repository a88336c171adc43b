"""A convolutional network from images to images of the same size or a larger one."""

from __future__ import annotations

import keras

from zoo.errors import InputError
from zoo.networks.parts import normal

layers = keras.layers


def residual_enlarger(shape, factor, filters, blocks, seed=0, name=None):
    """Residual blocks of two 3x3 convolutions, without normalisation, whose output is added to the enlarged image.

    Args:
        shape: `(height, width, channels)` of the input.
        factor: how many times larger a side of the output is.
        filters: channels of every map.
        blocks: how many residual blocks there are, all at the input's size.

    Returns:
        A `keras.Model` from `(batch, *shape)` to float32 `(batch, factor * height, factor * width, channels)`.

    Raises:
        InputError: `shape` is not an image's.
    """
    if len(shape) != 3:
        raise InputError(f"A residual network needs images: (height, width, channels). Received: shape={shape}")
    initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(seed))

    def convolution(filters, **settings):
        return layers.Conv2D(filters, 3, padding="same", kernel_initializer=initializer, **settings)

    inputs = keras.Input(shape)
    x = convolution(filters, activation="relu")(inputs)
    for _ in range(blocks):
        x = layers.Add()([x, convolution(filters)(convolution(filters, activation="relu")(x))])
    x = convolution(filters, activation="relu")(layers.UpSampling2D(factor)(x))
    last = layers.Conv2D(shape[2], 3, padding="same", kernel_initializer=normal(seed + 1), dtype="float32")
    enlarged = layers.UpSampling2D(factor, interpolation="bilinear", dtype="float32")(inputs)
    return keras.Model(inputs, layers.Add(dtype="float32")([enlarged, last(x)]), name=name)
