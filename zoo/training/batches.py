"""What a model accepts as a batch: images in [0, 1] or uint8, integer labels. All else is refused with a reason."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import InputError
from zoo.labels import NO_LABEL

# The values of a byte. A graph would multiply by 1/255 instead of dividing, which rounds differently.
LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)

SLACK = 1e-4  # how far values may leave [0, 1], since resizing rounds


class Extremes(NamedTuple):
    """Properties of a batch that are known only once it has values, not while a graph is traced: float32 scalars.

    Args:
        lowest_pixel: 0 for uint8 images and for vectors, whose values are not limited.
        highest_pixel: likewise.
        lowest_label: 0 if no labels are read.
        highest_label: likewise.
        rows: how many rows the replica got.
    """

    lowest_pixel: tf.Tensor
    highest_pixel: tf.Tensor
    lowest_label: tf.Tensor
    highest_label: tf.Tensor
    rows: tf.Tensor


def unit_images(images):
    """Images as float32 in [0, 1]: uint8 images are divided by 255, others are assumed to lie in [0, 1] already.

    Args:
        images: a tensor or an array of any shape.

    Returns:
        A float32 tensor of that shape.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype == tf.uint8:
        return tf.gather(LEVELS, tf.cast(images, tf.int32))
    return tf.cast(images, tf.float32)


def checked_images(images, data_shape):
    """Checks images or vectors that the user passed to a method.

    Args:
        images: `[n, *data_shape]`, n at least 1: images as uint8 or floats in [0, 1], vectors as floats.
        data_shape: `(height, width, channels)` or `(size,)`.

    Returns:
        The same values as an array, not yet converted by `unit_images`.

    Raises:
        InputError: the shape, type or range is another.
    """
    images = np.asarray(images)
    if images.shape[1:] != tuple(data_shape) or len(images) == 0:
        raise InputError(f"`images` should have shape {[None, *data_shape]}. Received: {list(images.shape)}")
    _check_type(tf.as_dtype(images.dtype), data_shape)
    if len(data_shape) == 3 and images.dtype != np.uint8 and not _in_unit_interval(images.min(), images.max()):
        raise InputError(
            f"`images` should be floats in [0, 1], or uint8. "
            f"Received: {images.dtype} in [{images.min():g}, {images.max():g}]"
        )
    return images


def checked_batch(model, batch):
    """Checks a batch and returns it as a training step reads it; runs on each replica, while the step is traced.

    Args:
        model: a `TrainableModel`.
        batch: what the dataset delivers.

    Returns:
        The batch, a dict with labels as int32 `[n]`, and its `Extremes`.

    Raises:
        InputError: the batch has another form, shape or type.
    """
    received = batch
    batch, *others = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(batch, dict) or "image" not in batch or any(other is not None for other in others):
        raise InputError(
            f'A batch must be a dict with "image", and "label" where there are any. Received: {_described(received)}'
        )
    if model.reads_labels and "label" not in batch:
        raise InputError(f'{type(model).__name__} needs batches with "label". Received: {_described(batch)}')
    images = tf.convert_to_tensor(batch["image"])
    if tuple(images.shape[1:]) != model.data_shape:
        raise InputError(
            f"Images of a batch must have shape {(None, *model.data_shape)}. Received: {tuple(images.shape)}"
        )
    _check_type(images.dtype, model.data_shape)
    zero = tf.constant(0.0)
    pixels = labels = zero, zero
    if model.is_image and images.dtype != tf.uint8:
        pixels = _extremes(images)
    if model.reads_labels:
        batch = {**batch, "label": _labels(batch["label"])}
        labels = _extremes(batch["label"])
    return {**batch, "image": images}, Extremes(*pixels, *labels, tf.cast(tf.shape(images)[0], tf.float32))


def _described(batch):
    """A description, for error messages, of what a dataset delivered instead of a batch."""
    if isinstance(batch, dict):
        return f"a dict with {sorted(batch)}"
    if isinstance(batch, tuple | list):
        return f"a {type(batch).__name__} of {', '.join(map(_described, batch)) or 'nothing'}"
    if hasattr(batch, "shape"):
        kind = tf.as_dtype(batch.dtype).name
        return f"{'an' if kind[0] in 'aeio' else 'a'} {kind} tensor of shape {tuple(batch.shape)}"
    return f"a {type(batch).__name__}"


def fault(model, extremes):
    """A message that says what is wrong with the values of a batch; empty if nothing is.

    Args:
        model: a `TrainableModel`.
        extremes: `Extremes` that hold Python numbers.
    """
    if not extremes.rows or extremes.rows % model.minibatch_count:
        return (
            f"Each replica needs a positive multiple of {model.minibatch_count} rows, "
            f"the number of minibatches per step. Received: {extremes.rows:.0f} rows"
        )
    if not _in_unit_interval(extremes.lowest_pixel, extremes.highest_pixel):
        return (
            "Images of a batch must be floats in [0, 1], or uint8. "
            f"Received: values in [{extremes.lowest_pixel:g}, {extremes.highest_pixel:g}]"
        )
    lowest = _lowest_label(model)
    if model.reads_labels and not lowest <= extremes.lowest_label <= extremes.highest_label < model.num_classes:
        return (
            f"{type(model).__name__} needs labels in [{lowest}, {model.num_classes - 1}]. "
            f"Received: labels in [{extremes.lowest_label:.0f}, {extremes.highest_label:.0f}]"
        )
    return ""


def is_faulty(model, extremes):
    """Whether `fault` would find something wrong, computed in a graph: a bool scalar."""
    low, high = extremes.lowest_pixel, extremes.highest_pixel
    good = (extremes.rows > 0) & (extremes.rows % model.minibatch_count == 0)
    good &= _in_unit_interval(low, high)
    if model.reads_labels:
        good &= (extremes.lowest_label >= _lowest_label(model)) & (extremes.highest_label < model.num_classes)
    return ~good


def _lowest_label(model):
    return NO_LABEL if model.reads_unlabelled_rows else 0


def _in_unit_interval(low, high):
    return (low >= -SLACK) & (high <= 1 + SLACK)


def _check_type(dtype, data_shape):
    is_image = len(data_shape) == 3
    if not (dtype.is_floating or (is_image and dtype == tf.uint8)):
        expected = "floats in [0, 1] or uint8" if is_image else "floats"
        raise InputError(f'"image" must hold {expected}. Received: {dtype.name}')


def _labels(labels):
    labels = tf.convert_to_tensor(labels)
    is_column = labels.shape.rank == 2 and labels.shape[1] == 1
    if not labels.dtype.is_integer or not (labels.shape.rank == 1 or is_column):
        raise InputError(
            'The "label" of a batch must be integers of shape (n,) or (n, 1). '
            f"Received: {labels.dtype.name} of shape {tuple(labels.shape)}"
        )
    return tf.cast(tf.reshape(labels, [-1]), tf.int32)


def _extremes(values):
    return tf.cast(tf.reduce_min(values), tf.float32), tf.cast(tf.reduce_max(values), tf.float32)
