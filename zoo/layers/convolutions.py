"""Keras' convolutions, made faster where they lead from many channels to a few: in a generator's last layer, and in the
gradient of a discriminator's first layer with respect to the image.

TensorFlow computes both with oneDNN's transposed convolution, which is slow for outputs of 1 to 4 channels. With b the
stride, or 2 for a stride of 1, one convolution to b x b times as many channels gives the same numbers: each channel is
one place in a block of b x b pixels, and the blocks are then spread out. This is faster only with oneDNN on the CPU;
elsewhere these are Keras' own layers.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.util import _pywrap_util_port

FEW = 4  # channels


@keras.saving.register_keras_serializable("zoo")
class Conv2D(keras.layers.Conv2D):
    """Keras' convolution, with the same arguments and weights and a faster gradient for images of few channels."""

    def call(self, inputs, training=None):
        if not (training and self.groups == 1 and is_faster(self, inputs, inputs.shape[-1])):
            return super().call(inputs)
        outputs = convolution(inputs, tf.convert_to_tensor(self.kernel), self.strides[0], self.padding.upper())
        return self.activation(outputs + tf.convert_to_tensor(self.bias) if self.use_bias else outputs)


@keras.saving.register_keras_serializable("zoo")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras' transposed convolution, with the same arguments and weights, but faster for images of few channels."""

    def call(self, inputs, training=None):
        if self.output_padding is not None or not is_faster(self, inputs, self.filters):
            return super().call(inputs)
        size = self.compute_output_shape(inputs.shape)[1:3]
        operation = transposed_convolution if training else spread_convolution
        outputs = operation(inputs, tf.convert_to_tensor(self.kernel), self.strides[0], self.padding.upper(), size)
        return self.activation(outputs + tf.convert_to_tensor(self.bias) if self.use_bias else outputs)


def is_faster(layer, inputs, channels):
    """Whether a layer's transposed convolution is faster as `spread_convolution`.

    Args:
        layer: a `Conv2D` or `Conv2DTranspose`.
        inputs: the layer's input, `(batch, height, width, channels)`.
        channels: how many channels the output of the transposed convolution has.
    """
    is_plain = layer.data_format == "channels_last" and layer.dilation_rate == (1, 1) and len(set(layer.strides)) == 1
    return is_plain and channels <= FEW and None not in inputs.shape[1:3] and _runs_on_onednn()


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
    """`spread_convolution` with gradients that are single convolutions again, instead of those of its parts.

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

        return spread_convolution(inputs, kernel, stride, padding, size), gradient

    return operation(inputs, kernel)


def spread_convolution(inputs, kernel, stride, padding, size):
    """A transposed convolution, computed as one convolution to blocks of pixels, which are then spread out.

    Along one axis, input i contributes to pixel `stride * i + t - pad` through the kernel's tap t. So pixel
    `block * m + r`, with r its place in block m, reads input `block / stride * m + d` through the tap
    `r + pad - stride * d`, for the few offsets d for which this tap exists. The arguments are those of
    `transposed_convolution`.
    """
    block = stride if stride > 1 else 2
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
    (rows, columns), (channels, filters) = [side // block for side in kernel.shape[:2]], kernel.shape[2:]
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

        strides = [1, stride, stride, 1]
        return tf.raw_ops.Conv2DBackpropFilter(
            input=images, filter_sizes=shape, out_backprop=maps, strides=strides, padding=padding
        ), gradient

    return operation(images, maps)


def _runs_on_onednn():
    """Whether TensorFlow computes on this machine's processor with oneDNN."""
    return _pywrap_util_port.IsMklEnabled() and not tf.config.list_physical_devices("GPU")
