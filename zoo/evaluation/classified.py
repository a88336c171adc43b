"""How many test images a model assigns to a wrong class."""

from __future__ import annotations

import time

import numpy as np

from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.signatures import (
    CLASSIFY,
    IMAGE,
    LABEL,
    PROBABILITIES,
    ROWS_AT_ONCE,
    SAMPLES,
    SEED,
    SERVING_DEFAULT,
    call,
    matching,
)
from zoo.console import progress
from zoo.data import Dataset
from zoo.errors import InputError
from zoo.evaluation.rows import unit

TEST_ERRORS = "test_errors"  # its name among scores


def classifies(model: LoadedModel) -> bool:
    """Whether a model predicts the class of an image."""
    return matching(model.signatures, CLASSIFY, {IMAGE}, PROBABILITIES) is not None


def samples_by_seed(model: LoadedModel) -> bool:
    """Whether a model can be sampled: a classifier cannot."""
    return matching(model.signatures, SERVING_DEFAULT, {SEED, LABEL}, SAMPLES) is not None


def test_errors(model: LoadedModel, dataset: Dataset) -> dict:
    """How many images of the whole test split the model assigns to another class than their own.

    Returns:
        A record as `evaluate` makes them: "value" is a number of images, of "n_real".

    Raises:
        InputError: a model that does not classify, or not into the dataset's classes.
    """
    signature = matching(model.signatures, CLASSIFY, {IMAGE}, PROBABILITIES)
    if signature is None:
        raise InputError(
            f"{model.path}: {TEST_ERRORS} needs a signature {CLASSIFY}({IMAGE}) that returns {PROBABILITIES}. "
            f"Received: {sorted(model.signatures)}"
        )
    classes = signature.structured_outputs[PROBABILITIES].shape[1]
    if dataset.num_classes != classes:
        raise InputError(
            f"{TEST_ERRORS} needs data of the model's {classes} classes. "
            f"Received: {dataset.num_classes or 'none'} in dataset {dataset.name!r}"
        )
    start = time.perf_counter()
    images, labels = dataset.test.images, dataset.test.labels
    wrong = 0
    for first in progress(range(0, len(images), ROWS_AT_ONCE), "test images", "batches"):
        rows = slice(first, first + ROWS_AT_ONCE)
        (probabilities,) = call(signature, {IMAGE: unit(images[rows])}, PROBABILITIES)
        wrong += int(np.sum(probabilities.argmax(axis=1) != labels[rows]))
    return {
        "score": "test errors",
        "function": TEST_ERRORS,
        "better": "lower",
        "value": wrong,
        "settings": {},
        "rounding": None,
        "features": None,
        "features_sha256": None,
        "reference": f"{dataset.name} test",
        "n_real": len(images),
        "n_fake": None,
        "seeds": None,
        "seconds": round(time.perf_counter() - start, 3),
        "floor": None,
        "floor_split": None,
        "floor_n_real": None,
        "floor_n_fake": None,
    }
