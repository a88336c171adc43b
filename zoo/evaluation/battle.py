"""Models that fight each other: each discriminator judges the other's samples."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from zoo import metrics
from zoo.artefacts.catalogue import LoadedModel
from zoo.data import Dataset
from zoo.evaluation.rows import BATCH, ROWS, draw, unit
from zoo.labels import NO_LABEL

FIGHTERS = 1000  # samples of each model in a battle


class Battle(NamedTuple):
    """What became of a pair of models, by the names they were given.

    Args:
        first: a model.
        second: another.
        result: as `metrics.generative_adversarial_metric` returns it; None if they could not fight.
        reason: why not.
    """

    first: str
    second: str
    result: dict[str, float | str] | None
    reason: str = ""


def battles(models: dict[str, LoadedModel], dataset: Dataset) -> list[Battle]:
    """The generative adversarial metric of every pair, on the test images and the samples of the seeds 0 to 999.

    A discriminator takes for real what its `discriminate` signature scores above its card's `decision_boundary`. A
    model without either does not fight.

    Args:
        models: by name, each with samples of the dataset's shape.
        dataset: whose test images are judged, the first 10,000 at most.

    Raises:
        InputError: samples of another shape or range, or scores that are not finite.
    """
    reasons = {name: _why_not(model) for name, model in models.items()}
    players = {
        name: metrics.Player(draw(model.sample, np.arange(FIGHTERS), dataset), _judge(model))
        for name, model in models.items()
        if not reasons[name]
    }
    test = unit(dataset.test.images[:ROWS])
    found = []
    for first, second in itertools.combinations(models, 2):
        lacking = [f"{name} {reasons[name]}" for name in (first, second) if reasons[name]]
        result = None if lacking else metrics.generative_adversarial_metric(players[first], players[second], test)
        found.append(Battle(first, second, result, "; ".join(lacking)))
    return found


def _why_not(model: LoadedModel) -> str:
    """What keeps a model from a battle; empty if nothing does."""
    signature = model.signatures.get("discriminate")
    if (
        signature is None
        or signature.structured_input_signature[1].keys() != {"image", "label"}
        or "score" not in signature.structured_outputs
    ):
        return "has no signature discriminate(image, label) that returns score"
    if not isinstance(model.card.get("decision_boundary"), int | float):
        return "has no decision_boundary in its card, as a critic has none"
    if model.card.get("num_classes"):
        return "judges an image by its label, which the other's samples lack"
    return ""


def _judge(model: LoadedModel) -> Callable[[np.ndarray], np.ndarray]:
    """From images `[n, *data_shape]` to scores `[n]`, above 0 for what the discriminator takes for real."""
    import tensorflow as tf

    discriminate, boundary = model.signatures["discriminate"], model.card["decision_boundary"]

    def judge(data: np.ndarray) -> np.ndarray:
        blocks = [tf.constant(data[start : start + BATCH]) for start in range(0, len(data), BATCH)]
        return np.concatenate(
            [discriminate(image=block, label=tf.fill([len(block)], NO_LABEL))["score"] - boundary for block in blocks]
        )

    return judge
