"""Served signatures answer each row independently: a mistake in one row affects that row alone.

A model server runs rows of several clients as one batch, and an error in the graph would fail all of them. So a bad row
is marked in its own outputs instead: floats are NaN, bytes are empty, integers are -1. Only inputs of unequal lengths
are an error, since a server refuses them before it makes a batch of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from zoo.artefacts.signatures import IMAGE, LABEL, SEED
from zoo.labels import NO_LABEL
from zoo.training.batches import SLACK

Signature = Callable[..., dict[str, tf.Tensor]]


def guarded(function: Signature, specs: Sequence[tf.TensorSpec], classes: int | None) -> Signature:
    """Wraps a signature's function so that it marks bad rows.

    A row is good if its numbers are finite, its image lies in [0, 1], and its label is a class, or -1 if there is a
    seed, which then chooses the class.

    Args:
        function: from the tensors of `specs`, in this order, to named outputs, all with n rows.
        specs: of the inputs.
        classes: the number of classes; `None` where labels are ignored.

    Returns:
        A function of the same inputs. Where a label is optional, the default for a single row is -1.
    """
    names = [spec.name for spec in specs]
    lowest = NO_LABEL if SEED in names else 0

    def answer(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_same_length(names, inputs)]):
            inputs = [tf.identity(rows) for rows in inputs]
        rules = [_good(name, rows, classes, lowest) for name, rows in zip(names, inputs, strict=True)]
        good = tf.reduce_all(tf.stack(rules), axis=0)
        outputs = function(*(_only(good, rows, tf.zeros([], rows.dtype)) for rows in inputs))
        return {name: _marked(good, rows) for name, rows in outputs.items()}

    if names[1:] != [LABEL]:
        return answer
    if classes is not None and lowest == 0:
        return lambda rows, label: answer(rows, label)
    unlabelled = tf.constant([NO_LABEL])
    return lambda rows, label=unlabelled: answer(rows, label)


def _same_length(names: Sequence[str], inputs: Sequence[tf.Tensor]) -> tf.Operation:
    lengths = [tf.shape(rows)[0] for rows in inputs]
    return tf.debugging.Assert(
        tf.reduce_all(tf.stack(lengths) == lengths[0]),
        [f"{' and '.join(f'`{name}`' for name in names)} must have as many rows. Received:", *lengths],
    )


def _good(name: str, rows: tf.Tensor, classes: int | None, lowest: int) -> tf.Tensor:
    """Which rows of an input are good: bool `[n]`."""
    if name == LABEL and classes is not None:
        return (rows >= lowest) & (rows < classes)
    if not rows.dtype.is_floating:
        return tf.ones(tf.shape(rows)[:1], tf.bool)
    within = tf.math.is_finite(rows)
    if name == IMAGE and rows.shape.rank == 4:
        within &= (rows >= -SLACK) & (rows <= 1 + SLACK)
    return tf.reduce_all(within, axis=list(range(1, rows.shape.rank)))


def _only(good: tf.Tensor, rows: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """The good rows as they are, and `other` in place of every number in the bad ones."""
    return tf.where(tf.reshape(good, [-1] + [1] * (rows.shape.rank - 1)), rows, other)


def _marked(good: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """An output with its bad rows marked; floats are float32, whatever the network computes in."""
    if rows.dtype.is_floating:
        return _only(good, tf.cast(rows, tf.float32), tf.constant(float("nan")))
    return _only(good, rows, tf.constant("" if rows.dtype == tf.string else -1, rows.dtype))
