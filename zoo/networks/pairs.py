"""Encoders, and discriminators of pairs of an image and its latents, both built on features of the image."""

from __future__ import annotations

import keras

from zoo.errors import require_positive
from zoo.layers import GlobalBatchDropout
from zoo.networks.convolutional import dcgan_discriminator
from zoo.networks.parts import normal

layers = keras.layers

EMBEDDING = 256  # units to which a condition is mapped linearly before it joins anything


def joined(x, condition_size, initializer):
    """A vector joined to a linear embedding of a condition (Dumoulin et al. 2016, Sec. 4.4).

    Args:
        x: `(batch, n)`.
        condition_size: length of the condition; `None` for no condition.
        initializer: the initialiser of the embedding's kernel.

    Returns:
        A list with the condition's Keras input, and the joined vector `(batch, n + EMBEDDING)`; without a condition, an
        empty list and `x`.
    """
    if condition_size is None:
        return [], x
    condition = keras.Input((condition_size,))
    embedding = layers.Dense(EMBEDDING, kernel_initializer=initializer)(condition)
    return [condition], layers.Concatenate()([x, embedding])


def encoder_of(image, features, output_size, condition_size, initializer):
    """An encoder from an image's features: a linear map of them and, if there is one, of a condition.

    Args:
        image: the Keras input from which `features` were computed.
        features: `(batch, n)`.
        output_size: the number of outputs.
        condition_size: length of a condition, the second input; `None` for no condition.
        initializer: the initialiser of the kernels.

    Returns:
        A `keras.Model` from images (and conditions) to float32 `(batch, output_size)`.
    """
    condition, x = joined(features, condition_size, initializer)
    outputs = layers.Dense(output_size, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model([image, *condition] if condition else image, outputs, name="encoder")


def discriminator_of_pairs(image, features, latent_size, condition_size, hidden, widths, rates, initializer):
    """A discriminator of pairs from an image's features: two layers for the latents, two for both, one logit.

    All discriminators of images in Dumoulin et al. (2016), tables 3 to 6, end in this way.

    Args:
        image: the Keras input from which `features` were computed.
        features: `(batch, n)`.
        latent_size: length of a latent vector, the second input.
        condition_size: length of a condition, the third input, which joins both; `None` for no condition.
        hidden: a function from a width and a tensor to the outputs of a hidden layer.
        widths: the width of the two layers for the latents, and that of the two for both.
        rates: the dropout rate of the latents, and that of the inputs of every later layer.
        initializer: the initialiser of the embedding's and the last layer's kernel.

    Returns:
        A `keras.Model` from images and latents (and conditions) to float32 logits `(batch, 1)`.
    """
    latents = z = keras.Input((latent_size,))
    for rate in rates:
        z = hidden(widths[0], GlobalBatchDropout(rate)(z))
    condition, x = joined(layers.Concatenate()([features, z]), condition_size, initializer)
    for _ in range(2):
        x = hidden(widths[1], GlobalBatchDropout(rates[1])(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(GlobalBatchDropout(rates[1])(x))
    return keras.Model([image, latents, *condition], logits, name="discriminator")


def dcgan_encoder(data_shape, output_size, filters, seed=0, condition_size=None):
    """DCGAN's discriminator with `output_size` linear outputs instead of its logit.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        output_size: the number of outputs.
        filters: channels of the first map.
        condition_size: length of a condition, the second input, whose embedding joins the last features; `None` for no
            condition.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` (and `(batch, condition_size)`) to float32 `(batch, output_size)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(filters=filters)
    backbone = dcgan_discriminator(data_shape, filters, seed)
    return encoder_of(backbone.input, backbone.layers[-1].input, output_size, condition_size, normal(seed + 1))


def dcgan_discriminator_of_pairs(data_shape, latent_size, filters, seed=0, condition_size=None):
    """DCGAN's discriminator with latents as an additional input; see `discriminator_of_pairs`.

    The layers for the latents have 8 * `filters` leaky units, those for both 16 * `filters`, with dropout of 0.2: 512
    and 1,024 units for 64 filters, as in Dumoulin et al. (2016), table 4.

    Args:
        data_shape: `(height, width, channels)`; see `dcgan_stages` for the sizes that fit.
        latent_size: length of a latent vector, the second input.
        filters: channels of the first map.
        condition_size: length of a condition, the third input; `None` for no condition.

    Returns:
        A `keras.Model` from `(batch, *data_shape)` and `(batch, latent_size)` (and `(batch, condition_size)`) to
        float32 logits `(batch, 1)`.

    Raises:
        InputError: `data_shape` cannot be halved down to a map of 4 to 7 pixels.
    """
    require_positive(latent_size=latent_size, filters=filters)
    backbone = dcgan_discriminator(data_shape, filters, seed)
    initializer = normal(seed + 1)

    def hidden(units, x):
        return layers.LeakyReLU(negative_slope=0.2)(layers.Dense(units, kernel_initializer=initializer)(x))

    return discriminator_of_pairs(
        backbone.input,
        backbone.layers[-1].input,
        latent_size,
        condition_size,
        hidden,
        (8 * filters, 16 * filters),
        (0.2, 0.2),
        initializer,
    )
