"""Random draws that depend on a seed alone: not on a restart, the number of replicas, or whether XLA compiles.

TensorFlow's generators of floats give other numbers inside XLA than outside it; the one of integers gives the same
where its algorithm is named. So every draw starts from integer bits and goes through an inverse distribution function.
"""

from __future__ import annotations

import math
import zlib

import tensorflow as tf

_ALGORITHM = "philox"


def fold(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """A new seed, int32 [2], from a seed of that shape and an integer."""
    return tf.random.experimental.stateless_fold_in(seed, tf.cast(data, tf.int32), alg=_ALGORITHM)


def named_seed(seed: int, name: str) -> tf.Tensor:
    """The seed, int32 [2], that belongs to an integer and the name of a purpose."""
    low, high = seed & 0xFFFFFFFF, seed >> 32
    words = tf.constant([low, zlib.crc32(name.encode())], tf.uint32)
    return fold(tf.bitcast(words, tf.int32), tf.constant(high, tf.int32))


def uniform(shape: tf.TensorShape | list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """Uniform draws in the open interval (0, 1): float32 of `shape`, from 23 random bits each."""
    bits = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg=_ALGORITHM)
    return (tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32) + 0.5) * 2.0**-23


def replica_uniform(rows: tf.Tensor | int, shape: list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a uniform draw that is made for the global batch.

    Args:
        rows: how many rows each replica has.
        shape: the shape of one row.
        seed: int32 [2], the same on every replica.

    Returns:
        float32 `[rows, *shape]` in (0, 1). N replicas of `rows` rows get what one replica of N * rows rows gets.
    """
    context = tf.distribute.get_replica_context()
    if context is None:  # in a strategy's scope, outside a step: the rows are all there are
        return uniform([rows, *shape], seed)
    replicas = context.num_replicas_in_sync
    first = context.replica_id_in_sync_group * rows
    return uniform([replicas * rows, *shape], seed)[first : first + rows]


def replica_normal(rows: tf.Tensor | int, shape: list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a standard normal draw that is made for the global batch: Box and Muller's transform.

    Args:
        rows: how many rows each replica has.
        shape: the shape of one row.
        seed: int32 [2], the same on every replica.

    Returns:
        float32 `[rows, *shape]`. N replicas of `rows` rows get what one replica of N * rows rows gets.
    """
    size = math.prod(shape)
    first, second = tf.unstack(replica_uniform(rows, [2, -(-size // 2)], seed), axis=1)
    radius, angle = tf.sqrt(-2 * tf.math.log(first)), 2 * math.pi * second
    pairs = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)
    return tf.reshape(pairs[:, :size], [rows, *shape])
