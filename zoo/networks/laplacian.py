"""The networks of LAPGAN (Denton et al. 2015): a dense pair for the coarsest level, a residual pair for finer ones.

Their first weights are uniform within 1 / sqrt(inputs), which is Torch's default; biases start at zero.
"""

from __future__ import annotations

import math

import keras

from zoo.errors import require_positive
from zoo.layers import GlobalBatchDropout
from zoo.networks.parts import batch_normalization

layers = keras.layers


def dense_generator(latent_size, shape, num_classes=None, units=1200, seed=0, name=None, normalized=False):
    """Two layers of rectified units and linear pixels; the one-hot class joins the latent vector.

    Args:
        latent_size: length of the latent vector.
        shape: `(height, width, channels)`.
        num_classes: length of the one-hot class; `None` for no classes.
        units: width of each hidden layer.
        seed: determines the first weights.
        name: the network's name.
        normalized: whether the hidden layers are batch-normalised; the paper's are not.

    Returns:
        A `keras.Model` from `(batch, latent_size)` (and `(batch, num_classes)`) to float32 `(batch, *shape)`.
    """
    require_positive(latent_size=latent_size, units=units)
    initializer = _torch_uniform(seed)
    inputs = [keras.Input((latent_size,)), *class_input(num_classes)]
    x = _joined(inputs)
    for _ in range(2):
        x = layers.Dense(units, use_bias=not normalized, kernel_initializer=initializer)(x)
        x = layers.ReLU()(batch_normalization()(x) if normalized else x)
    x = layers.Dense(math.prod(shape), kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(shape, dtype="float32")(x), name=name)


def dense_discriminator(shape, num_classes=None, units=600, seed=0, name=None):
    """Two layers of rectified units, half of them dropped; the one-hot class joins the pixels.

    Args:
        shape, num_classes, units, seed, name: as for `dense_generator`.

    Returns:
        A `keras.Model` from `(batch, *shape)` (and `(batch, num_classes)`) to float32 logits `(batch, 1)`.
    """
    require_positive(units=units)
    initializer = _torch_uniform(seed)
    inputs = [keras.Input(shape), *class_input(num_classes)]
    x = _joined([layers.Flatten()(inputs[0]), *inputs[1:]])
    for _ in range(2):
        x = GlobalBatchDropout(0.5)(layers.Dense(units, activation="relu", kernel_initializer=initializer)(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, logits, name=name)


def residual_generator(shape, num_classes=None, filters=64, seed=0, name=None):
    """Two rectified 7x7 convolutions and a linear 5x5 one, over the low-pass image, a noise plane and a class plane.

    Returns:
        A `keras.Model` from noise `(batch, height, width, 1)` and low-pass images `(batch, *shape)` (and
        `(batch, num_classes)`) to the detail that they lack, float32 `(batch, *shape)`, unbounded.
    """
    require_positive(filters=filters)
    initializer = _torch_uniform(seed)
    inputs = [keras.Input((*shape[:2], 1)), keras.Input(shape), *class_input(num_classes)]
    x = _joined([*inputs[:2], *_class_plane(inputs[2:], shape, initializer)])
    for _ in range(2):
        x = layers.Conv2D(filters, 7, padding="same", activation="relu", kernel_initializer=initializer)(x)
    x = layers.Conv2D(shape[2], 5, padding="same", kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, x, name=name)


def residual_discriminator(shape, num_classes=None, filters=64, seed=0, name=None):
    """Two rectified 5x5 convolutions, the second of stride 2, over the sum of detail and low-pass image.

    Returns:
        A `keras.Model` from details and low-pass images, both `(batch, *shape)` (and `(batch, num_classes)`), to
        float32 logits `(batch, 1)`.
    """
    require_positive(filters=filters)
    initializer = _torch_uniform(seed)
    inputs = [keras.Input(shape), keras.Input(shape), *class_input(num_classes)]
    x = _joined([layers.Add()(inputs[:2]), *_class_plane(inputs[2:], shape, initializer)])
    padding = "valid" if min(shape[:2]) >= 9 else "same"
    for strides in (1, 2):
        x = layers.Conv2D(filters, 5, strides, padding, activation="relu", kernel_initializer=initializer)(x)
    x = GlobalBatchDropout(0.5)(layers.Flatten()(x))
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs, logits, name=name)


def _torch_uniform(seed):
    seed = keras.random.SeedGenerator(seed)
    return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform", seed=seed)


def class_input(num_classes):
    """A list with the Keras input of a one-hot class; empty without classes."""
    return [] if num_classes is None else [keras.Input((num_classes,))]


def _class_plane(one_hot, shape, initializer):
    """A list with a rectified linear map of the class to a plane `(batch, height, width, 1)`; empty without classes."""
    dense = layers.Dense(math.prod(shape[:2]), activation="relu", kernel_initializer=initializer)
    return [layers.Reshape((*shape[:2], 1))(dense(tensor)) for tensor in one_hot]


def _joined(tensors):
    return layers.Concatenate()(tensors) if len(tensors) > 1 else tensors[0]
