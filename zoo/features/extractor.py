"""What turns images into the features and class probabilities that most scores are computed from."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np


class Features(NamedTuple):
    """What an extractor says of n images.

    Args:
        features: float32 `[n, dimensions]`.
        probabilities: float32 `[n, classes]`, each row summing to 1.
    """

    features: np.ndarray
    probabilities: np.ndarray


class Extractor(Protocol):
    """A fixed network that scores are computed through; scores are comparable only through the same network.

    Attributes:
        name: such as "classifier-mnist" or "inception-2015-12-05".
        sha256: of the weights.
        dimensions: how many features an image has.
        score_names: what "inception_score", "frechet_distance" and "kernel_distance" may be called with these
            features: only one extractor may call its distance "FID".
    """

    name: str
    sha256: str
    dimensions: int
    score_names: dict[str, str]

    def __call__(self, images: np.ndarray) -> Features:
        """The features of images float32 `[n, height, width, channels]` in [0, 1].

        Raises:
            InputError: images of a shape or a range that the network does not take.
        """
        ...
