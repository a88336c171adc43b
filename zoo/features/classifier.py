"""Features of the zoo's own classifiers, which are small, need no download, and suit one dataset each."""

from __future__ import annotations

import os

import numpy as np

from zoo.artefacts.card import file_hashes
from zoo.artefacts.catalogue import load, pretrained
from zoo.artefacts.signatures import CLASSIFY, FEATURES, IMAGE, PROBABILITIES, call, matching
from zoo.errors import InputError
from zoo.features.extractor import Features
from zoo.files import expanded
from zoo.metrics import checks

PREFIX = "classifier-"  # of the artefacts' names
SCORE_NAMES = {
    "inception_score": "classifier score",
    "frechet_distance": "Fréchet classifier distance",
    "kernel_distance": "kernel classifier distance",
}


class ClassifierFeatures:
    """The last hidden layer and the predictions of the classifier that ships for a dataset; an `Extractor`.

    Scores through them compare only models of the same images, and are neither FID nor Inception Score: those names
    belong to the 2015 Inception graph.

    Args:
        dataset: such as "fashion_mnist", for the artefact `classifier-<dataset>`; or the path of an artefact that the
            recipe `classifier` wrote.

    Raises:
        InputError: no classifier of that name, or a SavedModel that does not classify.
    """

    def __init__(self, dataset: str):
        shipped = [name.removeprefix(PREFIX) for name in pretrained() if name.startswith(PREFIX)]
        if dataset not in shipped and not os.path.exists(expanded(dataset)):
            raise InputError(
                f"{dataset!r} is neither the path of a classifier nor a dataset with one, as {', '.join(shipped)} are. "
                "`zoo train classifier --data D` trains one, whose path --features takes"
            )
        model = load(PREFIX + dataset if dataset in shipped else dataset)
        self._classify = matching(model.signatures, CLASSIFY, {IMAGE}, FEATURES)
        if self._classify is None:
            raise InputError(
                f"{model.path}: expected a signature {CLASSIFY}({IMAGE}) that returns {FEATURES} and {PROBABILITIES}. "
                f"Received: {sorted(model.signatures)}"
            )
        self._shape = tuple(self._classify.structured_input_signature[1][IMAGE].shape[1:])
        self.name = model.card.get("name", str(model.path))
        self.sha256 = file_hashes(model.path)[f"{model.path.name}/variables/variables.data-00000-of-00001"]
        self.score_names = SCORE_NAMES
        self.dimensions = self._classify.structured_outputs[FEATURES].shape[1]

    def __call__(self, images: np.ndarray) -> Features:
        """Features and probabilities of images float32 `[n, *data_shape]` in [0, 1].

        Raises:
            InputError: images of another shape or range.
        """
        images = checks.in_unit_interval("images", images).astype(np.float32)
        if images.shape[1:] != self._shape:
            raise InputError(
                f"{self.name} takes images of shape {[None, *self._shape]}. Received: {list(images.shape)}"
            )
        return Features(*call(self._classify, {IMAGE: images}, FEATURES, PROBABILITIES))
