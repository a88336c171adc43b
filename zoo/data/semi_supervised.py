"""Training rows of which only a few have labels, streamed as in Salimans et al. (2016)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.dataset import Split
from zoo.errors import InputError
from zoo.labels import NO_LABEL

if TYPE_CHECKING:
    import tensorflow as tf

PARTS = 3  # of a batch: labelled rows, unlabelled rows, and other unlabelled rows


@dataclass(frozen=True, eq=False)
class SemiSupervisedSplit:
    """A split whose labels are hidden, except for the same small number in each class.

    The unlabelled rows include every row, even those that keep their labels.

    Args:
        split: all rows with their labels.
        count: how many labels are kept in all, equally many in each class.
        num_classes: how many classes there are.
        seed: determines the rows that keep their labels.

    Raises:
        InputError: `count` is not a positive multiple of `num_classes`, or a class has too few rows.

    Example:
        digits = zoo.data.load("mnist")
        batches = SemiSupervisedSplit(digits.train, count=100, num_classes=10).stream(batch_size=300)
    """

    split: Split
    count: int
    num_classes: int
    seed: int = 0

    def __post_init__(self):
        if self.count < 1 or self.count % self.num_classes:
            raise InputError(
                "To keep equally many labels of each class, their number must be a positive multiple of "
                f"{self.num_classes}. Received: {self.count} labels"
            )
        rows = np.bincount(self.split.labels[self.split.labels >= 0], minlength=self.num_classes)
        wanted, scarcest = self.count // self.num_classes, int(rows.argmin())
        if rows[scarcest] < wanted:
            raise InputError(
                f"{self.count} labels need {wanted} rows of each class. Received: {rows[scarcest]} of class {scarcest}"
            )

    def __len__(self) -> int:
        return len(self.split)

    @property
    def labels(self) -> np.ndarray:
        """int32 `[n]`: the labels that are kept, and `NO_LABEL` for the other rows."""
        labels = np.full_like(self.split.labels, NO_LABEL)
        labels[self._rows] = self.split.labels[self._rows]
        return labels

    @cached_property
    def labelled(self) -> Split:
        """The rows that keep their labels, `count` of them, class by class."""
        return Split(self.split.images[self._rows], self.split.labels[self._rows])

    @cached_property
    def _rows(self) -> np.ndarray:
        """The rows that keep their labels: the first of each class in a permutation that the seed determines."""
        order = np.random.RandomState(self.seed).permutation(len(self.split))
        labels = self.split.labels[order]
        wanted = self.count // self.num_classes
        return np.concatenate([order[labels == label][:wanted] for label in range(self.num_classes)])

    def stream(self, batch_size: int, seed: int = 0, start: int = 0, **sharing: int) -> tf.data.Dataset:
        """An endless stream of shuffled batches, whose rows 0, 3, 6, ... have labels and whose other rows have none.

        Each of the three parts of a batch is a stream of its own (`Split.stream`). The labelled rows are few, so they
        come many times, in one permutation after another, in an epoch of the unlabelled rows.

        Args:
            batch_size: rows per batch, over all replicas: a multiple of 3.
            seed: determines the permutations.
            start: the batch to start at, counted from 0.
            **sharing: `replicas`, `pipeline` and `pipelines`, as in `Split.stream`.

        Returns:
            Elements as from `Split.stream`, with `NO_LABEL` in rows without a label.

        Raises:
            InputError: a size or a position is out of range, or a batch cannot be divided evenly.
        """
        import tensorflow as tf

        if batch_size % PARTS:
            raise InputError(
                f"One row in three of a batch is labelled, so the batch size must be a multiple of {PARTS}. "
                f"Received: batch_size={batch_size}"
            )
        parts = [
            split.stream(batch_size // PARTS, PARTS * seed + part, start, **sharing)
            for part, split in enumerate((self.labelled, self.split, self.split))
        ]

        def together(labelled, *others):
            hidden = [{**rows, "label": tf.fill(tf.shape(rows["label"]), NO_LABEL)} for rows in others]
            return tf.nest.map_structure(_by_turns, labelled, *hidden)

        return tf.data.Dataset.zip(*parts).map(together).prefetch(tf.data.AUTOTUNE)


def _by_turns(*parts: tf.Tensor) -> tf.Tensor:
    """The parts interleaved: the first row of each part, then the second of each, and so on."""
    import tensorflow as tf

    return tf.reshape(tf.stack(parts, axis=1), [-1, *parts[0].shape[1:]])
