"""DCGAN's networks: those of Radford et al. (2015), and others from the authors' code."""

from __future__ import annotations

import math

import keras

from zoo.errors import InputError, require_positive
from zoo.layers import Conv2D, Conv2DTranspose, LeakyReLU, ReLU
from zoo.networks.parts import batch_normalization, normal

layers = keras.layers


def dcgan_generator(data_shape, latent_size, filters, seed=0, num_classes=None, stages=None):
    """DCGAN's generator: a projection to a small map, then 5x5 transposed convolutions that double it.

    A one-hot label is joined only to the latents; Radford's conditional code for MNIST,
    https://github.com/Newmu/dcgan_code, joins it to the input of every layer.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last hidden map; each smaller map has twice the channels of the next.
        num_classes: length of a one-hot label, the second input; `None` for no labels.
        stages: how often the map is doubled; `None` for as often as `dcgan_stages` says.

    Returns:
        A `keras.Model` from `(batch, latent_size)`, and `(batch, num_classes)` if there are labels, to float32
        `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(latent_size=latent_size, filters=filters)
    stages = stages or dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = normal(seed)
    inputs = x = keras.Input((latent_size,))
    if num_classes:
        inputs = [x, keras.Input((num_classes,))]
        x = layers.Concatenate()(inputs)
    x = layers.Dense(
        (height >> stages) * (width >> stages) * (filters << (stages - 1)),
        use_bias=False,
        kernel_initializer=initializer,
    )(x)
    x = layers.Reshape((height >> stages, width >> stages, filters << (stages - 1)))(x)
    x = ReLU()(batch_normalization()(x))
    for stage in reversed(range(stages - 1)):
        x = Conv2DTranspose(
            filters << stage, 5, strides=2, padding="same", use_bias=False, kernel_initializer=initializer
        )(x)
        x = ReLU()(batch_normalization()(x))
    x = Conv2DTranspose(channels, 5, strides=2, padding="same", kernel_initializer=initializer)(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def dcgan_discriminator(data_shape, filters, seed=0, num_classes=None, normalized=True, stages=None):
    """DCGAN's discriminator: 5x5 convolutions that halve the map and double its channels, then one logit.

    A one-hot label is joined only to the image, as one constant plane for each class; see `dcgan_generator`.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        filters: channels of the first map.
        num_classes: length of a one-hot label, the second input; `None` for no labels.
        normalized: whether there is batch normalisation; if not, every convolution has biases.
        stages: how often the map is halved; `None` for as often as `dcgan_stages` says.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1], and `(batch, num_classes)` if there are labels, to
        float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(filters=filters)
    initializer = normal(seed)
    stages = stages or dcgan_stages(data_shape)
    inputs = x = keras.Input(data_shape)
    if num_classes:
        height, width, _ = data_shape
        inputs = [x, keras.Input((num_classes,))]
        planes = layers.Reshape((height, width, num_classes))(layers.RepeatVector(height * width)(inputs[1]))
        x = layers.Concatenate()([x, planes])
    for stage in range(stages):
        normalizes = normalized and stage > 0  # Sec. 3: no batch normalisation on the discriminator's input layer
        x = Conv2D(
            filters << stage, 5, strides=2, padding="same", use_bias=not normalizes, kernel_initializer=initializer
        )(x)
        if normalizes:
            x = batch_normalization()(x)
        x = LeakyReLU(negative_slope=0.2)(x)
    outputs = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="discriminator")


def conditional_dcgan(data_shape, num_classes, latent_size, filters, seed=0):
    """DCGAN's networks with labels, for CGAN, whose images lie in [0, 1].

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        num_classes: length of a one-hot label.
        latent_size: length of the latent vector.
        filters: channels of the generator's last hidden map and of the discriminator's first.

    Returns:
        The `generator` and `discriminator` that `CGAN` takes.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    generator = dcgan_generator(data_shape, latent_size, filters, seed, num_classes)
    images = layers.Rescaling(0.5, 0.5, dtype="float32")(generator.output)  # from [-1, 1]
    discriminator = dcgan_discriminator(data_shape, filters, seed + 1, num_classes)
    return keras.Model(generator.inputs, images, name="generator"), discriminator


def alternating_generator(data_shape, latent_size, filters, seed=0):
    """The generator of DCGAN's 32x32 ImageNet model: 3x3 transposed convolutions with strides of 2 and 1 in turn.

    The layers (7 for 32x32 images), the strides and the first map, 4x4x512 for 128 filters, are those of
    `imagenet/load_pretrained.py` in https://github.com/Newmu/dcgan_code; the other maps mirror those of
    `alternating_discriminator`.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of the latent vector.
        filters: channels of the last two hidden maps; each pair before has twice the channels of the next.

    Returns:
        A `keras.Model` from `(batch, latent_size)` to float32 `(batch, *data_shape)` in [-1, 1].

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(latent_size=latent_size, filters=filters)
    stages = dcgan_stages(data_shape)
    height, width, channels = data_shape
    initializer = normal(seed)
    shape = (height >> stages, width >> stages, filters << (stages - 1))
    inputs = keras.Input((latent_size,))
    x = layers.Dense(math.prod(shape), use_bias=False, kernel_initializer=initializer)(inputs)
    x = layers.Reshape(shape)(x)
    for layer in reversed(range(2 * stages)):  # each mirrors the discriminator's layer of that number
        x = ReLU()(batch_normalization()(x))
        x = Conv2DTranspose(
            filters << (layer - 1) // 2 if layer else channels,
            3,
            strides=1 + layer % 2,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
        )(x)
    outputs = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="generator")


def alternating_discriminator(data_shape, filters, seed=0):
    """The discriminator of DCGAN's 32x32 ImageNet model: 3x3 convolutions with strides of 1 and 2 in turn, one logit.

    The layers (7 for 32x32 images) and the strides are those of `imagenet/load_pretrained.py` in
    https://github.com/Newmu/dcgan_code; the channels follow DCGAN's rule. The last map is rectified, not leaky, as the
    features of Warde-Farley & Bengio (2017) are.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        filters: channels of the first two maps; each later pair has twice the channels of the one before.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` in [-1, 1] to float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(filters=filters)
    initializer = normal(seed)
    stages = dcgan_stages(data_shape)
    inputs = x = keras.Input(data_shape)
    for layer in range(2 * stages):
        x = Conv2D(
            filters << layer // 2,
            3,
            strides=1 + layer % 2,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
        )(x)
        if layer > 0:
            x = batch_normalization()(x)
        x = ReLU()(x) if layer == 2 * stages - 1 else LeakyReLU(negative_slope=0.2)(x)
    outputs = layers.Dense(1, use_bias=False, kernel_initializer=initializer, dtype="float32")(layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="discriminator")


def dcgan_stages(data_shape):
    """How often a DCGAN halves an image until its smaller side has 4 to 7 pixels.

    Raises:
        InputError: `data_shape` is not an image's, has a side below 8, or cannot be halved that often.
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
