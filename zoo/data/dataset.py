"""What every data source returns: a `Dataset` with its `Split`s, which stream their rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import InputError, require_positive
from zoo.files import expanded

if TYPE_CHECKING:
    import tensorflow as tf

FOLDER = "folder:"


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of one split, all decoded.

    Args:
        images: uint8 `[n, height, width, channels]` in memory or memory-mapped, or, for vectors, float32 `[n, size]`.
        labels: int32 `[n]`; -1 for a row without a label.

    Raises:
        InputError: there are no rows, or not as many labels as rows.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        if not 0 < len(self.images) == len(self.labels):
            raise InputError(
                "A split needs at least one row and a label for each. "
                f"Received: {len(self.images)} rows, {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        return len(self.images)

    def stream(
        self, batch_size: int, seed: int = 0, start: int = 0, replicas: int = 1, pipeline: int = 0, pipelines: int = 1
    ) -> tf.data.Dataset:
        """An endless stream of shuffled batches, for training.

        Row i of the stream (batch i // batch_size) belongs to epoch i // n, and each epoch is a permutation of all n
        rows that depends only on (seed, epoch). So the stream can start at a later batch without reading others.

        Under a `tf.distribute` strategy, each replica takes the next element of its input pipeline. An element is
        therefore one replica's share of a batch, `batch_size // replicas` rows; a pipeline delivers the shares of its
        own `replicas // pipelines` replicas in order, then those of the next batch:

            strategy.distribute_datasets_from_function(
                lambda context: split.stream(
                    batch_size,
                    replicas=context.num_replicas_in_sync,
                    pipeline=context.input_pipeline_id,
                    pipelines=context.num_input_pipelines,
                )
            )

        Args:
            batch_size: rows per batch, over all replicas.
            seed: determines the permutations.
            start: the batch to start at, counted from 0.
            replicas: how many replicas share a batch.
            pipeline: which input pipeline this is, in [0, pipelines).
            pipelines: how many input pipelines (worker processes) share a batch.

        Returns:
            Elements `{"image": float32 [batch_size // replicas, *shape], "label": int32 [batch_size // replicas]}`;
            images lie in [0, 1], vectors are on their own scale.

        Raises:
            InputError: a size or a position is out of range, or a batch cannot be divided evenly among the replicas.
        """
        import tensorflow as tf

        require_positive(batch_size=batch_size, replicas=replicas, pipelines=pipelines)
        if start < 0:
            raise InputError(f"start must not be negative. Received: start={start}")
        if batch_size % replicas:
            raise InputError(
                "batch_size must be a multiple of the number of replicas. "
                f"Received: batch_size={batch_size}, replicas={replicas}"
            )
        if replicas % pipelines or not 0 <= pipeline < pipelines:
            raise InputError(
                "replicas must be a multiple of pipelines, and pipeline one of them. "
                f"Received: replicas={replicas}, pipeline={pipeline}, pipelines={pipelines}"
            )
        count = len(self)
        _ = self._tensors  # creates them here, outside the graph that `map` traces
        share = batch_size // replicas
        replicas_here = replicas // pipelines

        @tf.autograph.experimental.do_not_convert  # conversion takes half a second
        def read(turn):
            batch = start + turn // replicas_here
            replica = pipeline * replicas_here + turn % replicas_here
            row = batch * batch_size + replica * share + tf.range(share, dtype=tf.int64)
            epoch = row // count
            # The op behind tf.random.experimental.index_shuffle, which itself cannot take a seed for each row. Its 4
            # rounds give permutations that correlate with the identity; 8 rounds or more do not.
            shuffled = tf.raw_ops.RandomIndexShuffle(
                index=row % count,
                seed=tf.stack([tf.fill([share], tf.constant(seed, tf.int64)), epoch, tf.zeros_like(epoch)], axis=1),
                max_index=tf.constant(count - 1, tf.int64),
                rounds=12,
            )
            return self._gather(shuffled)

        batches = tf.data.Dataset.counter().map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return batches.prefetch(tf.data.AUTOTUNE)

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """Every row once, in order, for scoring; the last batch may be smaller.

        Returns:
            The same elements as `stream`, with at most `batch_size` rows.

        Raises:
            InputError: `batch_size` is not positive.
        """
        import tensorflow as tf

        require_positive(batch_size=batch_size)
        count = len(self)
        _ = self._tensors  # creates them here, outside the graph that `map` traces

        @tf.autograph.experimental.do_not_convert
        def read(first):
            return self._gather(tf.range(first, tf.minimum(first + batch_size, count)))

        batches = tf.data.Dataset.range(0, count, batch_size).map(
            read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        return batches.prefetch(tf.data.AUTOTUNE)

    @cached_property
    def _tensors(self) -> tuple[tf.Tensor, int, tf.Tensor]:
        """The file or array that holds the images, its row where they begin, and the labels.

        TensorFlow reads a memory map itself: a pipeline that calls Python can deadlock when a strategy's iterator is
        destroyed, since the destruction waits for the call while holding the interpreter's lock.
        """
        import tensorflow as tf

        with tf.device("CPU"):
            labels = tf.constant(self.labels, tf.int32)
            if not isinstance(self.images, np.memmap):
                return tf.constant(self.images), 0, labels
            whole = self.images
            while isinstance(whole.base, np.memmap):
                whole = whole.base
            first = (self.images.ctypes.data - whole.ctypes.data) // self.images[:1].nbytes
            file = tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=whole.shape, memory_region_name=str(whole.filename))
            return file, first, labels

    def _gather(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """The batch that holds `rows`, int64 `[count]`."""
        import tensorflow as tf

        images, first, labels = self._tensors
        images = tf.gather(images, first + rows)
        if images.dtype == tf.uint8:
            images = tf.cast(images, tf.float32) / 255
        return {"image": images, "label": tf.gather(labels, rows)}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named dataset; each split is decoded when it is first used.

    Args:
        name: as given to `load`.
        data_shape: `(height, width, channels)`, or `(size,)` for vectors.
        num_classes: labels lie in [0, num_classes); None if the dataset has no labels.
        class_names: a name for each label, or None.
        licence: what is known about the licence of the data.
        read: a function from a name to its `Split`: "train", "validation" or "test", "unlabelled" if there is one, or
            several of these joined by "+".
        fingerprint: a text that changes when the rows do; None for data that cannot change under their name.
        has_unlabelled: whether there is a split "unlabelled".
    """

    name: str
    data_shape: tuple[int, ...]
    num_classes: int | None
    class_names: tuple[str, ...] | None
    licence: str
    read: Callable[[str], Split] = field(repr=False)
    fingerprint: str | None = None
    has_unlabelled: bool = False

    @cached_property
    def train(self) -> Split:
        return self.read("train")

    @cached_property
    def validation(self) -> Split:
        return self.read("validation")

    @cached_property
    def test(self) -> Split:
        return self.read("test")

    @cached_property
    def train_and_validation(self) -> Split:
        """The rows of both, for experiments without validation, such as on all 50,000 training images of CIFAR-10."""
        return self.read("train+validation")

    @cached_property
    def unlabelled(self) -> Split:
        """The rows for training without labels: the split "unlabelled" if there is one, as in STL-10, or "train"."""
        return self.read("unlabelled") if self.has_unlabelled else self.train

    @property
    def slug(self) -> str:
        """The name as part of a file name: "lsun/bedroom" is "lsun-bedroom", "folder:/x/cats" is "cats"."""
        name = self.name
        if name.startswith(FOLDER):
            name = expanded(name.removeprefix(FOLDER)).resolve().name
        return re.sub(r"[^\w.-]+", "-", name)


def partition(name: str, rows: int, missing: Sequence[str] = ("validation", "test")) -> dict[str, slice]:
    """The ranges of "train" and of each split in `missing` among the `rows` training rows of dataset `name`.

    Each missing split takes a tenth of the rows, 10,000 at most, from the end.

    Raises:
        InputError: there are too few rows to give one to each split.
    """
    if rows <= len(missing):
        raise InputError(
            f"dataset {name!r} has too few rows to give one each to train, {', '.join(missing)}. Received: {rows} rows"
        )
    held_out = min(-(-rows // 10), 10_000)
    places = {"train": slice(0, rows - held_out * len(missing))}
    for split in missing:
        last = list(places.values())[-1].stop
        places[split] = slice(last, last + held_out)
    return places


def in_memory(name: str, images: np.ndarray, labels: np.ndarray, **own: Split) -> Callable[[str], Split]:
    """Makes `Dataset.read` for rows that are already decoded and whose order does not matter.

    Args:
        name: the dataset's name.
        images: the images of "train", and of "validation" and "test" if these are not in `own`.
        labels: the label of each image.
        **own: the dataset's other splits.
    """
    places = partition(name, len(images), [split for split in ("validation", "test") if split not in own])

    def read(split: str) -> Split:
        parts = [
            own[part] if part in own else Split(images[places[part]], labels[places[part]]) for part in split.split("+")
        ]
        if len(parts) == 1:
            return parts[0]
        return Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))

    return read


def shuffled_rows(rows: int) -> np.ndarray:
    """A fixed permutation, int64 `[rows]`; the legacy generator's stream never changes between NumPy versions."""
    return np.random.RandomState(0).permutation(rows)
