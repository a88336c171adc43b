"""Battles between models: each model's discriminator judges the other's samples."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zoo import metrics
from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.signatures import DISCRIMINATE, IMAGE, LABEL, SCORE, call, matching
from zoo.data import Dataset
from zoo.evaluation.rows import ROWS, draw, unit
from zoo.labels import NO_LABEL

if TYPE_CHECKING:
    import tensorflow as tf

FIGHTERS = 1000  # samples of each model in a battle


class Battle(NamedTuple):
    """The outcome for a pair of models.

    Args:
        first: the name of one model.
        second: the name of the other.
        result: as `metrics.generative_adversarial_metric` returns it; None if they could not fight.
        reason: why they could not fight; empty if they did.
    """

    first: str
    second: str
    result: dict[str, float | str] | None
    reason: str = ""


def battles(models: dict[str, LoadedModel], dataset: Dataset) -> list[Battle]:
    """The generative adversarial metric of every pair, on the test images and the samples of the seeds 0 to 999.

    A discriminator takes for real what its `discriminate` signature scores above its card's `decision_boundary`. A
    model that lacks either does not fight.

    Args:
        models: by name, each with samples of the dataset's shape.
        dataset: the data whose first test images, 10,000 at most, are judged.

    Raises:
        InputError: samples of another shape or range, or scores that are not finite.
    """
    reasons = {name: _why_not(model) for name, model in models.items()}
    players = {
        name: metrics.Player(unit(draw(model.sample, np.arange(FIGHTERS), dataset)), _judge(model))
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
    if _discriminate(model) is None:
        return f"has no signature {DISCRIMINATE}({IMAGE}, {LABEL}) that returns {SCORE}"
    if not isinstance(model.card.get("decision_boundary"), int | float):
        return "has no decision_boundary in its card, as a critic has none"
    if model.card.get("num_classes") and model.card.get("conditional", True):
        return "judges an image by its label, which the other's samples lack"
    return ""


def _judge(model: LoadedModel) -> Callable[[np.ndarray], np.ndarray]:
    """From images `[n, *data_shape]` to scores `[n]`, above 0 for what the discriminator takes for real."""
    discriminate, boundary = _discriminate(model), model.card["decision_boundary"]

    def judge(data: np.ndarray) -> np.ndarray:
        labels = np.full(len(data), NO_LABEL, np.int32)
        (scores,) = call(discriminate, {IMAGE: data, LABEL: labels}, SCORE)
        return scores - boundary

    return judge


def _discriminate(model: LoadedModel) -> tf.types.experimental.ConcreteFunction | None:
    return matching(model.signatures, DISCRIMINATE, {IMAGE, LABEL}, SCORE)
