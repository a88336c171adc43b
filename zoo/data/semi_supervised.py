"""Training rows of which few have a label, as Salimans et al. (2016) streamed them."""

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

PARTS = 3  # of a batch: labelled rows, unlabelled ones, and others that are unlabelled too


@dataclass(frozen=True, eq=False)
class SemiSupervisedSplit:
    """A split whose labels are hidden but for as many of each class.

    Every row is among the unlabelled ones, those with a label too.

    Args:
        split: all rows with their labels.
        count: how many labels are kept, the same number of each class.
        num_classes: how many classes there are.
        seed: chooses the rows that keep theirs.

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
                f"As many labels of each of {self.num_classes} classes must be a positive multiple of "
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
        """The rows that keep their labels: the first of each class in a permutation that follows from the seed."""
        order = np.random.RandomState(self.seed).permutation(len(self.split))
        labels = self.split.labels[order]
        wanted = self.count // self.num_classes
        return np.concatenate([order[labels == label][:wanted] for label in range(self.num_classes)])

    def stream(self, batch_size: int, seed: int = 0, start: int = 0, **sharing: int) -> tf.data.Dataset:
        """Shuffled batches without end, of three parts in turn: rows 0, 3, 6, ... have labels, the others have not.

        Each part is a stream of its own (`Split.stream`): the labelled rows come in one permutation after another, so
        that they are tiled to the length of the others' epoch.

        Args:
            batch_size: rows of a batch, over all replicas: a multiple of 3.
            seed: chooses the permutations.
            start: the batch to start at, counted from 0.
            **sharing: `replicas`, `pipeline` and `pipelines`, as in `Split.stream`.

        Returns:
            The elements of `Split.stream`, whose rows without a label have `NO_LABEL`.

        Raises:
            InputError: a size or a position out of range, or a batch that cannot be shared out evenly.
        """
        import tensorflow as tf

        if batch_size % PARTS:
            raise InputError(
                f"A batch of labelled rows and twice as many others must be a multiple of {PARTS}. "
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
    """The first row of each part, then the second of each, and so on."""
    import tensorflow as tf

    return tf.reshape(tf.stack(parts, axis=1), [-1, *parts[0].shape[1:]])
