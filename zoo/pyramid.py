"""Laplacian pyramids: an image as a small image and, for each larger size, the detail that the enlarged image lacks.

P. Burt, E. Adelson. The Laplacian Pyramid as a Compact Image Code. 1983. https://doi.org/10.1109/TCOM.1983.1095851
Sizes are `(height, width)`, the image's own first.
"""

from __future__ import annotations

import itertools

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import InputError

SMALLEST = 4  # the fewest pixels per side of the smallest image


def halved_sizes(data_shape):
    """The sizes of a pyramid: halved, rounding up, once and then until the smaller side has 8 pixels or fewer.

    Args:
        data_shape: `(height, width, channels)`.

    Raises:
        InputError: `data_shape` is not an image's, or half of it has fewer than 4 pixels per side.
    """
    if len(data_shape) != 3 or (min(data_shape[:2]) + 1) // 2 < SMALLEST:
        raise InputError(
            f"A pyramid needs images, (height, width, channels), whose halves have {SMALLEST} or more pixels per side. "
            f"Received: data_shape={data_shape}"
        )
    sizes = [tuple(data_shape[:2])]
    while len(sizes) == 1 or min(sizes[-1]) > 8:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return tuple(sizes)


def checked_sizes(sizes, data_shape):
    """The sizes of a pyramid, as tuples.

    Raises:
        InputError: there are fewer than two sizes, the first is not the image's, or one is too small or not smaller
            than the one before.
    """
    checked = tuple(tuple(int(side) for side in size) for size in sizes)
    shrink = all(
        len(size) == len(smaller) == 2 and size[0] > smaller[0] and size[1] > smaller[1]
        for size, smaller in itertools.pairwise(checked)
    )
    if len(checked) < 2 or checked[0] != tuple(data_shape[:2]) or not shrink or min(checked[-1]) < SMALLEST:
        raise InputError(
            f"`sizes` must be two or more (height, width), from {tuple(data_shape[:2])} on, each smaller than the one "
            f"before, and none below {SMALLEST} pixels per side. Received: sizes={sizes}"
        )
    return checked


@keras.saving.register_keras_serializable("zoo")
class Resize(keras.layers.Layer):
    """Resamples images with a triangle filter that is as wide as two pixels of the coarser grid.

    Shrinking blurs and decimates (halving has the weights 1, 3, 3, 1, divided by 8); enlarging interpolates linearly.
    At the border the weights that fall inside are scaled to a sum of 1, so that a constant image stays the same.

    Args:
        size: `(height, width)` of the output.

    Call: `(batch, height, width, channels)` -> `(batch, *size, channels)`.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, images):
        rows, columns = (
            tf.constant(_weights(old, new), images.dtype) for old, new in zip(images.shape[1:3], self.size, strict=True)
        )
        return tf.einsum("vw,bhwc->bhvc", columns, tf.einsum("gh,bhwc->bgwc", rows, images))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.size, input_shape[3])

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def resize(images, size):
    """`Resize` as a function, in float32."""
    return Resize(size, dtype="float32")(images)


def laplacian(images, sizes):
    """Decomposes images: I_0 = I, I_k+1 = d(I_k), l_k = u(I_k+1), h_k = I_k - l_k, and h_K = I_K.

    Here d shrinks an image to the next size, and u enlarges it to the size before.

    Args:
        images: float32 `(batch, *sizes[0], channels)`.
        sizes: the K + 1 sizes, finest first.

    Returns:
        The K + 1 coefficients h_k and the K low-pass images l_k, finest first, float32 `(batch, *sizes[k], channels)`.
    """
    coefficients, low_passes = [], []
    for size, smaller in itertools.pairwise(sizes):
        coarse = resize(images, smaller)
        low_passes.append(resize(coarse, size))
        coefficients.append(images - low_passes[-1])
        images = coarse
    return [*coefficients, images], low_passes


def reconstruct(coarsest, details, sizes):
    """Composes images from coarse to fine: I_K, then I_k = u(I_k+1) + h_k, the inverse of `laplacian`.

    Args:
        coarsest: I_K, float32 `(batch, *sizes[-1], channels)`.
        details: K functions, finest first, from l_k = u(I_k+1) to h_k, both `(batch, *sizes[k], channels)`.
        sizes: the K + 1 sizes, finest first.

    Returns:
        A list of the images from I_K to I_0.
    """
    images = [coarsest]
    for detail, size in zip(reversed(details), reversed(sizes[:-1]), strict=True):
        low_pass = resize(images[-1], size)
        images.append(low_pass + detail(low_pass))
    return images


def _weights(old, new):
    """The weight of each old pixel in each new one, along one axis: float64 `[new, old]`."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(old)) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)
