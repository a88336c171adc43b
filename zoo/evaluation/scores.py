"""The scores that an evaluation knows, and what tables call their values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zoo import metrics
from zoo.data import Dataset, mixtures
from zoo.errors import InputError, unknown
from zoo.evaluation.rows import ROWS, unit
from zoo.metrics.diversity import FILTER

if TYPE_CHECKING:
    from zoo.evaluation.reference import Reference

SPLITS = 10  # of the samples, by `inception_score`
SUBSET = 1000  # rows a subset, of `kernel_distance`
NEIGHBOUR = 3  # to which a ball of `precision_recall` reaches
SIMILAR = 1000  # samples from which `ms_ssim_diversity` draws its pairs


class Rows(NamedTuple):
    """What scores read of n images or vectors.

    Args:
        count: n.
        features: float32 `[n, dimensions]`; None without an extractor.
        probabilities: float32 `[n, classes]`; None without an extractor.
        data: float32 `[m, *data_shape]`, the first m of them, as many as a score reads itself.
    """

    count: int
    features: np.ndarray | None
    probabilities: np.ndarray | None
    data: np.ndarray


class Measured(NamedTuple):
    """What a score found.

    Args:
        values: by the names of `VALUES`: "value", and "std" (over parts of the samples), "stderr" (of the mean),
            "sigma" or "scales" where it has one.
        n_real: real rows that it compared with; None if it compares with none.
        n_fake: samples that it read.
    """

    values: dict[str, dict[str, float]]
    n_real: int | None
    n_fake: int


def _inception_score(reference: Reference, rows: Rows) -> Measured:
    mean, std = metrics.inception_score(rows.probabilities, SPLITS)
    return Measured({"inception_score": {"value": mean, "std": std}}, None, rows.count)


def _frechet_distance(reference: Reference, rows: Rows) -> Measured:
    real = reference.features.statistics
    return Measured(
        {"frechet_distance": {"value": metrics.frechet_distance(real, rows.features)}}, real.count, rows.count
    )


def _kernel_distance(reference: Reference, rows: Rows) -> Measured:
    real = reference.features.train[:ROWS]
    mean, std = metrics.kernel_distance(real, rows.features, subset_size=SUBSET)
    return Measured({"kernel_distance": {"value": mean, "std": std}}, len(real), rows.count)


def _precision_recall(reference: Reference, rows: Rows) -> Measured:
    real = reference.features.train[:ROWS]
    scores = metrics.precision_recall(real, rows.features, NEIGHBOUR)
    return Measured(_valued(scores), len(real), rows.count)


def _two_sample_accuracy(reference: Reference, rows: Rows) -> Measured:
    count = min(rows.count, ROWS, len(reference.features.train))
    scores = metrics.two_sample_accuracy(reference.features.train[:count], rows.features[:count])
    values = {"two_sample_accuracy": scores["accuracy"]} | {
        f"two_sample_{side}": scores[side] for side in ("real", "fake")
    }
    return Measured(_valued(values), count, count)


def _ms_ssim_diversity(reference: Reference, rows: Rows) -> Measured:
    pool = rows.data[:SIMILAR]
    scores = metrics.ms_ssim_diversity(pool)
    return Measured({"ms_ssim": {"value": scores["ms_ssim"], "scales": scores["scales"]}}, None, len(pool))


def _parzen_log_likelihood(reference: Reference, rows: Rows) -> Measured:
    validation, test = (unit(split.images[:ROWS]) for split in (reference.dataset.validation, reference.dataset.test))
    scores = metrics.parzen_log_likelihood(*(data.reshape(len(data), -1) for data in (rows.data, validation, test)))
    value = {"value": scores["mean"], "stderr": scores["stderr"], "sigma": scores["sigma"]}
    return Measured({"parzen_log_likelihood": value}, len(test), rows.count)


def _mode_coverage(reference: Reference, rows: Rows) -> Measured:
    mixture = mixtures.named(reference.dataset.name)
    scores = metrics.mode_coverage(rows.data, mixtures.centers(mixture), mixtures.sigma(mixture))
    return Measured(_valued(scores), None, rows.count)


def _valued(scores: dict[str, float]) -> dict[str, dict[str, float]]:
    return {name: {"value": value} for name, value in scores.items()}


def _require_windows(dataset: Dataset) -> None:
    if len(dataset.data_shape) != 3 or min(dataset.data_shape[:2]) < FILTER:
        raise InputError(
            f"ms_ssim_diversity needs images of {FILTER} pixels a side or more. "
            f"Received: dataset {dataset.name!r} of shape {list(dataset.data_shape)}"
        )


def _require_modes(dataset: Dataset) -> None:
    mixtures.named(dataset.name)


@dataclass(frozen=True)
class Score:
    """How a score is taken.

    Args:
        measure: from the reference and what was kept of the samples to what it found.
        least: from an extractor's dimensions to the rows that it needs of the samples and of the data.
        reason: why as many.
        data_rows: how many samples it reads themselves; 0 for one that reads their features.
        reference: the split that it compares with; None if it knows of no data.
        stand_in: the split whose rows take the place of samples in its floor.
        require: raises an `InputError` for a dataset that it cannot be taken on.
    """

    measure: Callable[[Reference, Rows], Measured]
    least: Callable[[int], int]
    reason: str
    data_rows: int = 0
    reference: str | None = None
    stand_in: str = "test"
    require: Callable[[Dataset], None] = lambda dataset: None


SCORES = {
    "inception_score": Score(_inception_score, lambda _: SPLITS, f"it is a mean over {SPLITS} parts of them"),
    "frechet_distance": Score(
        _frechet_distance,
        lambda d: d + 1,
        "no more than features have dimensions make a singular covariance",
        0,
        "train",
    ),
    "kernel_distance": Score(_kernel_distance, lambda _: SUBSET, "it draws subsets of as many", 0, "train"),
    "precision_recall": Score(
        _precision_recall, lambda _: NEIGHBOUR + 1, f"each has {NEIGHBOUR} neighbours among the others", 0, "train"
    ),
    "two_sample_accuracy": Score(_two_sample_accuracy, lambda _: 2, "each has a neighbour", 0, "train"),
    "ms_ssim_diversity": Score(_ms_ssim_diversity, lambda _: 2, "it compares pairs", SIMILAR, require=_require_windows),
    # Windows on training rows are the floor of windows on samples.
    "parzen_log_likelihood": Score(
        _parzen_log_likelihood, lambda _: 1, "windows sit on them", sys.maxsize, "test", stand_in="train"
    ),
    "mode_coverage": Score(_mode_coverage, lambda _: 1, "it counts them", sys.maxsize, require=_require_modes),
}

# What tables call a value, and which is better. A name that depends on the features is the extractor's to give.
VALUES = {
    "inception_score": (None, "higher"),
    "frechet_distance": (None, "lower"),
    "kernel_distance": (None, "lower"),
    "precision": ("precision", "higher"),
    "recall": ("recall", "higher"),
    "density": ("density", "higher"),
    "coverage": ("coverage", "higher"),
    "two_sample_accuracy": ("1-NN two-sample accuracy", "0.5"),
    "two_sample_real": ("1-NN accuracy, real", "0.5"),
    "two_sample_fake": ("1-NN accuracy, fake", "0.5"),
    "ms_ssim": ("MS-SSIM of pairs", "as the floor"),
    "parzen_log_likelihood": ("Parzen log-likelihood (nats)", "higher"),
    "modes": ("modes", "higher"),
    "reverse_kl": ("reverse KL (nats)", "lower"),
    "high_quality": ("high-quality share", "higher"),
}


def leading_value(score: str) -> str:
    """The name of a score's first value, in `VALUES`.

    Raises:
        InputError: a name that is not in `SCORES`.
    """
    named(score)
    several = {"precision_recall": "precision", "ms_ssim_diversity": "ms_ssim", "mode_coverage": "modes"}
    return several.get(score, score)


def default_scores(dataset: Dataset) -> list[str]:
    """The scores that suit a dataset: on features of images, of the modes of a mixture, of windows on other vectors."""
    if len(dataset.data_shape) == 3:
        return ["inception_score", "frechet_distance", "kernel_distance", "precision_recall"]
    return ["mode_coverage"] if dataset.name in mixtures.MIXTURES else ["parzen_log_likelihood"]


def reads_features(scores: Iterable[str]) -> bool:
    """Whether any of these scores needs an extractor.

    Raises:
        InputError: a name that is not in `SCORES`.
    """
    return any(named(name).data_rows == 0 for name in scores)


def named(name: str) -> Score:
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    return SCORES[name]
