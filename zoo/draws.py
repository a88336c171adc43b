"""Random draws that depend only on a seed: not on restarts, the number of replicas, or whether XLA compiles.

TensorFlow's generators of floats give different numbers inside XLA and outside it; the generator of integers gives the
same if its algorithm is named. So every draw starts from integer bits, which are turned into floats. Uniform draws and
masks are the same to the last bit; the functions that make normal ones round differently inside XLA.

TensorFlow's op draws from one seed. If each row has its own seed, the same algorithm is written out over the rows: it
gives the same bits as the op for every row, in a tenth of the time of a loop over the rows.

Draws that are frequent in one graph, such as the seeds of a step's random layers, are functions that are traced once.
"""

from __future__ import annotations

import functools
import math
import zlib

import tensorflow as tf

_ALGORITHM = "philox"

# Constants of Philox4x32-10 (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405): each round multiplies the
# counter by the first pair and adds the second to the key. Last, the key with which TensorFlow scrambles a seed.
_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_INCREMENTS = 0x9E3779B9, 0xBB67AE85
_SCRAMBLING_KEY = [[0x3EC8F720]], [[0x02461E29]]


def fold(seed: tf.Tensor, data: tf.Tensor | int) -> tf.Tensor:
    """A new seed, int32 [2], from a seed of that shape and an integer."""
    return _fold(seed, tf.cast(data, tf.int32))


@tf.function(input_signature=[tf.TensorSpec([2], tf.int32), tf.TensorSpec([], tf.int32)], autograph=False)
def _fold(seed, data):
    return tf.random.experimental.stateless_fold_in(seed, data, alg=_ALGORITHM)


def named_seed(seed: int, name: str) -> tf.Tensor:
    """The seed, int32 [2], that belongs to an integer and the name of a purpose."""
    low, high = seed & 0xFFFFFFFF, seed >> 32
    with tf.init_scope():  # computes the number at once, outside any graph
        words = tf.constant([low, zlib.crc32(name.encode())], tf.uint32)
        return fold(tf.bitcast(words, tf.int32), tf.constant(high, tf.int32))


def uniform(shape: tf.TensorShape | list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """Uniform draws in the open interval (0, 1): float32 of `shape`, from 23 random bits each."""
    return _from_bits(_bits(shape, seed))


def fold_rows(seeds: tf.Tensor, data: int) -> tf.Tensor:
    """`fold` of each row: new seeds, int32 [n, 2], from seeds of that shape and an integer."""
    folded = tf.bitcast(_row_bits(1)(seeds), tf.int32)
    return tf.concat([folded, tf.fill(tf.shape(folded), data)], axis=1)


def uniform_rows(shape: tf.TensorShape | list | tuple, seeds: tf.Tensor) -> tf.Tensor:
    """`uniform` of each row: float32 `[n, *shape]` in (0, 1) from seeds, int32 [n, 2]."""
    return tf.reshape(_from_bits(_row_bits(math.prod(shape))(seeds)), [-1, *shape])


def replica_uniform(rows: tf.Tensor | int, shape: list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a uniform draw for the global batch.

    Args:
        rows: how many rows each replica has.
        shape: the shape of one row.
        seed: int32 [2], the same on every replica.

    Returns:
        float32 `[rows, *shape]` in (0, 1). N replicas of `rows` rows get the draws of one replica of N * `rows` rows.
    """
    return _replica_rows(uniform, rows, shape, seed)


def replica_mask(rows: tf.Tensor | int, shape: list | tuple, rate: float, seed: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a dropout mask for the global batch, drawn from 16 random bits per unit.

    Args:
        rows: how many rows each replica has.
        shape: the shape of one row.
        rate: the share of units to drop, in [0, 1); it is rounded to a multiple of 2 ** -16.
        seed: int32 [2], the same on every replica.

    Returns:
        float32 `[rows, *shape]` of mean 1: 0 for a unit that is dropped, 1 / (1 - rate) for the others. N replicas of
        `rows` rows get the mask of one replica of N * `rows` rows.
    """
    dropped = min(round(rate * 2**16), 2**16 - 1)
    size = math.prod(shape)
    bits = tf.bitcast(_replica_rows(_bits, rows, [-(-size // 2)], seed), tf.uint16)
    kept = tf.reshape(bits, [rows, 2 * -(-size // 2)])[:, :size] >= tf.constant(dropped, tf.uint16)
    return tf.reshape(tf.cast(kept, tf.float32) / (1 - dropped / 2**16), [rows, *shape])


def replica_normal(rows: tf.Tensor | int, shape: list | tuple, seed: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a standard normal draw for the global batch, by Box and Muller's transform.

    Args:
        rows: how many rows each replica has.
        shape: the shape of one row.
        seed: int32 [2], the same on every replica.

    Returns:
        float32 `[rows, *shape]`. N replicas of `rows` rows get the draws of one replica of N * `rows` rows.
    """
    size = math.prod(shape)
    first, second = tf.unstack(replica_uniform(rows, [2, -(-size // 2)], seed), axis=1)
    radius, angle = tf.sqrt(-2 * tf.math.log(first)), 2 * math.pi * second
    pairs = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)
    return tf.reshape(pairs[:, :size], [rows, *shape])


def _replica_rows(draw, rows, shape, seed):
    """This replica's rows of what `draw` returns for the global batch's shape and a seed."""
    context = tf.distribute.get_replica_context()
    if context is None:  # in a strategy's scope outside a step, where there is only one set of rows
        return draw([rows, *shape], seed)
    replicas = context.num_replicas_in_sync
    first = context.replica_id_in_sync_group * rows
    return draw([replicas * rows, *shape], seed)[first : first + rows]


def _bits(shape, seed):
    """uint32 of a shape, with all bits random."""
    return tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg=_ALGORITHM)


def _from_bits(bits):
    """Floats in (0, 1) from the upper 23 of 32 random bits."""
    return (tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32) + 0.5) * 2.0**-23


@functools.cache
def _row_bits(size):
    """A function from seeds, int32 `[n, 2]`, to the bits that TensorFlow's op draws from each, uint32 `[n, size]`.

    For a single row the op itself draws, since the many small ops below would take longer.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int32)], autograph=False)
    def row_bits(seeds):
        return tf.cond(tf.shape(seeds)[0] == 1, lambda: _bits([1, size], seeds[0]), lambda: together(seeds))

    def together(seeds):
        low, high = _halves(tf.cast(seeds, tf.uint64))
        first, second, *stream = _philox(low[:, :1], high[:, :1], low[:, 1:], high[:, 1:], *_SCRAMBLING_KEY)
        blocks = -(-size // 4)  # of four numbers
        block = tf.cast(tf.range(blocks, dtype=tf.int64)[tf.newaxis], tf.uint64)
        numbers = _philox(block, [[0]], *stream, first, second)
        return tf.reshape(tf.cast(tf.stack(numbers, axis=-1), tf.uint32), [-1, 4 * blocks])[:, :size]

    return row_bits


@tf.function(input_signature=[tf.TensorSpec([None, None], tf.uint64)] * 6, autograph=False)
def _philox(a, b, c, d, first, second):
    """Four random numbers of 32 bits from a counter of four and a key of two; all uint64, of shapes that broadcast."""
    by_a, by_c = (tf.constant(by, tf.uint64) for by in _MULTIPLIERS)
    steps = (tf.constant([[[number * by]] for number in range(_ROUNDS)], tf.uint64) for by in _INCREMENTS)
    keys = (tf.unstack(_low(key + step)) for key, step in zip((first, second), steps, strict=True))
    for key_a, key_c in zip(*keys, strict=True):
        (low_a, high_a), (low_c, high_c) = _halves(a * by_a), _halves(c * by_c)
        a, b, c, d = high_c ^ b ^ key_a, low_c, high_a ^ d ^ key_c, low_a
    return a, b, c, d


def _halves(values):
    """The lower and the upper 32 bits of uint64, each as a uint64."""
    return _low(values), tf.bitwise.right_shift(values, tf.constant(32, tf.uint64))


def _low(values):
    return tf.bitwise.bitwise_and(values, tf.constant(2**32 - 1, tf.uint64))
