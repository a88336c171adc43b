"""Keras' convolutions, made faster in two places where oneDNN, with which TensorFlow computes on the CPU, is slow.

The first is a transposed convolution to 1 to 4 channels: a generator's last layer, and the gradient of a
discriminator's first layer with respect to the image. One convolution to b x b times as many channels gives the same
numbers: each channel is one place in a block of b x b pixels, and the blocks are then spread out.

The second is the gradient with respect to the kernel of a convolution with a stride, where the maps are small. It is a
convolution, too: the images and the maps change places with the rows of the batch, and the stride becomes a dilation.

`python benchmarks/step_time.py` compares steps with and without these forms. Without oneDNN, or where there is a GPU,
these are Keras' own layers.
"""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.util import _pywrap_util_port

FEW = 4  # channels
VECTOR = 16  # channels that oneDNN computes at once, needed or not
SMALL = {"float32": 4, "bfloat16": 8}  # pixels per side of maps whose kernel's gradient is faster as a convolution


@keras.saving.register_keras_serializable("zoo")
class Conv2D(keras.layers.Conv2D):
    """Keras' convolution, with the same arguments and weights and with faster gradients."""

    def call(self, inputs, training=None):
        maps = self.compute_output_shape(inputs.shape)
        if not (training and self.groups == 1 and is_faster(self, inputs.shape, maps, training)):
            return super().call(inputs)
        outputs = convolution(inputs, tf.convert_to_tensor(self.kernel), self.strides[0], self.padding.upper())
        return self.activation(outputs + tf.convert_to_tensor(self.bias) if self.use_bias else outputs)


@keras.saving.register_keras_serializable("zoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras' transposed convolution, with the same arguments and weights, but faster."""

    def call(self, inputs, training=None):
        images = self.compute_output_shape(inputs.shape)
        if self.output_padding is not None or not is_faster(self, images, inputs.shape, training):
            return super().call(inputs)
        operation = transposed_convolution if training else spread_convolution
        outputs = operation(
            inputs, tf.convert_to_tensor(self.kernel), self.strides[0], self.padding.upper(), images[1:3]
        )
        return self.activation(outputs + tf.convert_to_tensor(self.bias) if self.use_bias else outputs)


def is_faster(layer, images, maps, training):
    """Whether a form of this module makes a layer, or in training its gradients, faster.

    Args:
        layer: a `Conv2D`, which turns images into maps, or a `Conv2DTranspose`, which turns maps into images.
        images: the images' shape, `(batch, height, width, channels)`.
        maps: the maps' shape.
        training: whether gradients follow.
    """
    is_plain = layer.data_format == "channels_last" and layer.dilation_rate == (1, 1) and len(set(layer.strides)) == 1
    if not is_plain or None in (*images[1:3], *maps[1:3]) or not _runs_on_onednn():
        return False
    return images[-1] <= FEW or bool(training and _are_small(maps, layer.strides[0], layer.compute_dtype))


def convolution(inputs, kernel, stride, padding):
    """A convolution whose gradient with respect to its inputs is a `transposed_convolution`, at any order.

    Args:
        inputs: `(batch, height, width, channels)`.
        kernel: `(rows, columns, channels, filters)`.
        stride: the stride along both axes.
        padding: "SAME" or "VALID".

    Returns:
        `(batch, rows, columns, filters)`.
    """
    size = inputs.shape[1:3]

    @tf.custom_gradient
    def operation(inputs, kernel):
        def gradient(upstream):
            of_inputs = transposed_convolution(upstream, kernel, stride, padding, size)
            return of_inputs, _kernel_gradient(inputs, upstream, kernel.shape, stride, padding)

        return tf.nn.conv2d(inputs, kernel, stride, padding), gradient

    return operation(inputs, kernel)


def transposed_convolution(inputs, kernel, stride, padding, size):
    """A transposed convolution whose gradients are single convolutions again; for few channels `spread_convolution`.

    Args:
        inputs: `(batch, height, width, filters)`.
        kernel: `(rows, columns, channels, filters)`.
        stride: the stride along both axes.
        padding: "SAME" or "VALID".
        size: height and width of the output; `convolution` must turn an image of this size into one of the inputs'.

    Returns:
        `(batch, *size, channels)`.
    """

    @tf.custom_gradient
    def operation(inputs, kernel):
        def gradient(upstream):
            of_inputs = convolution(upstream, kernel, stride, padding)
            return of_inputs, _kernel_gradient(upstream, inputs, kernel.shape, stride, padding)

        if kernel.shape[2] <= FEW:
            return spread_convolution(inputs, kernel, stride, padding, size), gradient
        shape = [tf.shape(inputs)[0], *size, kernel.shape[2]]
        return tf.nn.conv2d_transpose(inputs, kernel, shape, stride, padding), gradient

    return operation(inputs, kernel)


def spread_convolution(inputs, kernel, stride, padding, size):
    """A transposed convolution, computed as one convolution to blocks of pixels, which are then spread out.

    Along one axis, input i contributes to pixel `stride * i + t - pad` through the kernel's tap t. So pixel
    `block * m + r`, with r its place in block m, reads input `block / stride * m + d` through the tap
    `r + pad - stride * d`, for the few offsets d for which this tap exists. The arguments are those of
    `transposed_convolution`.
    """
    channels, filters = kernel.shape[2:]
    block = stride
    while (2 * block) ** 2 * channels <= VECTOR:
        block *= 2
    step = block // stride
    margins = []
    for axis, (length, taps) in enumerate(zip(size, kernel.shape[:2], strict=True)):
        count = inputs.shape[1 + axis]
        pad = max(stride * (count - 1) + taps - length, 0) // 2 if padding == "SAME" else 0
        first, last = -((taps - 1 - pad) // stride), (block - 1 + pad) // stride
        offsets = np.arange(first, last + 1)[:, np.newaxis]
        tap = np.arange(block) + pad - stride * offsets  # [offsets, block]
        tap = np.where((tap >= 0) & (tap < taps), tap, taps)  # the index after the last is a tap of zeros
        kernel = tf.pad(kernel, [[0, int(axis == other)] for other in range(4)])
        kernel = tf.gather(kernel, tap.reshape(-1), axis=axis)
        blocks = -(-length // block)
        margins.append([-first, max((blocks - 1) * step + last - (count - 1), 0)])
    rows, columns = (side // block for side in kernel.shape[:2])
    kernel = tf.reshape(kernel, [rows, block, columns, block, channels, filters])
    kernel = tf.reshape(tf.transpose(kernel, [0, 2, 5, 1, 3, 4]), [rows, columns, filters, block * block * channels])
    blocks = tf.nn.conv2d(inputs, kernel, step, [[0, 0], *margins, [0, 0]])
    return tf.nn.depth_to_space(blocks, block)[:, : size[0], : size[1]]


def _kernel_gradient(images, maps, shape, stride, padding):
    """The gradient, with respect to its kernel, of a convolution from images to maps; it is linear in both."""

    @tf.custom_gradient
    def operation(images, maps):
        def gradient(upstream):
            of_images = transposed_convolution(maps, upstream, stride, padding, images.shape[1:3])
            return of_images, convolution(images, upstream, stride, padding)

        if _are_small(maps.shape, stride, maps.dtype.name):
            return dilated_convolution(images, maps, shape[:2], stride), gradient
        strides = [1, stride, stride, 1]
        return tf.raw_ops.Conv2DBackpropFilter(
            input=images, filter_sizes=shape, out_backprop=maps, strides=strides, padding=padding
        ), gradient

    return operation(images, maps)


def dilated_convolution(images, maps, taps, stride):
    """The gradient of a convolution with respect to its kernel, computed as a convolution of the images by the maps.

    Args:
        images: `(batch, height, width, channels)`.
        maps: `(batch, rows, columns, filters)`.
        taps: height and width of the kernel.
        stride: the stride along both axes.

    Returns:
        `(*taps, channels, filters)`.
    """
    reach = [stride * (count - 1) + side for count, side in zip(maps.shape[1:3], taps, strict=True)]
    padded = [max(pixels - length, 0) for pixels, length in zip(reach, images.shape[1:3], strict=True)]
    margins = [[0, 0], *([total // 2, total - total // 2] for total in padded), [0, 0]]
    images, maps = tf.transpose(images[:, : reach[0], : reach[1]], [3, 1, 2, 0]), tf.transpose(maps, [1, 2, 0, 3])
    return tf.transpose(tf.nn.conv2d(images, maps, 1, margins, dilations=stride), [1, 2, 0, 3])


def _are_small(maps, stride, dtype):
    """Whether the kernel's gradient is faster as `dilated_convolution`, for maps of this shape."""
    if stride == 1 or max(maps[1:3]) > SMALL.get(dtype, 0):
        return False
    return dtype != "bfloat16" or not _has_tiles()


@functools.cache
def _has_tiles():
    """Whether the processor multiplies tiles of bfloat16 (AMX), where `dilated_convolution` has not been measured."""
    with contextlib.suppress(OSError):
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return False


def _runs_on_onednn():
    """Whether TensorFlow computes on this machine's processor with oneDNN."""
    return _pywrap_util_port.IsMklEnabled() and not tf.config.list_physical_devices("GPU")
