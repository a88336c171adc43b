"""Stacked digits: images of three digits, one in each colour channel, whose 1,000 combinations can be counted.

The data of L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein. Unrolled Generative Adversarial Networks. 2017.
https://arxiv.org/abs/1611.02163. `zoo.metrics.stacked_modes` counts the combinations among samples.
"""

from __future__ import annotations

import dataclasses
import zlib

import numpy as np

from zoo.data.dataset import Dataset, Split
from zoo.errors import InputError

PREFIX = "stacked_"  # of the name of a dataset, as in "stacked_mnist"
CHANNELS = 3
DIGITS = 10


def require(dataset: Dataset) -> None:
    """Raises an `InputError` for a dataset that is not stacked."""
    if not dataset.name.startswith(PREFIX):
        raise InputError(
            f"Modes are counted of stacked digits, such as '{PREFIX}mnist'. Received: dataset {dataset.name!r}"
        )


def stacked(digits: Dataset) -> Dataset:
    """Images whose channels are three randomly chosen digits; each split has as many rows as that of the digits.

    Args:
        digits: images `(height, width, 1)` of ten classes.

    Returns:
        Images `(height, width, 3)`; the label of a row is the number that its three digits are written with, in
        [0, 999].

    Raises:
        InputError: the images are not grey, or there are not ten classes.
    """
    if len(digits.data_shape) != 3 or digits.data_shape[2] != 1 or digits.num_classes != DIGITS:
        raise InputError(
            f"Only grey images of ten classes can be stacked. Received: dataset {digits.name!r} of shape "
            f"{list(digits.data_shape)} with {digits.num_classes} classes"
        )

    def read_one(split: str) -> Split:
        one = digits.read(split)
        # The legacy generator's stream never changes between NumPy versions.
        random = np.random.RandomState(zlib.crc32(split.encode()))
        chosen = random.randint(len(one), size=(len(one), CHANNELS))
        images = np.concatenate([one.images[rows] for rows in chosen.T], axis=-1)
        return Split(images, one.labels[chosen] @ np.array([DIGITS**2, DIGITS, 1], np.int32))

    def read(splits: str) -> Split:
        parts = [read_one(split) for split in splits.split("+")]
        return Split(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels")))

    height, width, _ = digits.data_shape
    return dataclasses.replace(
        digits,
        name=PREFIX + digits.name,
        data_shape=(height, width, CHANNELS),
        num_classes=DIGITS**CHANNELS,
        class_names=None,
        read=read,
        has_unlabelled=False,
    )
