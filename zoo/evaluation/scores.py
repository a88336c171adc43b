"""The scores that an evaluation knows, and what tables call their values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zoo import metrics
from zoo.data import Dataset, mixtures, triangles
from zoo.errors import InputError, unknown
from zoo.evaluation.real_data import RealData
from zoo.evaluation.rows import ROWS, unit
from zoo.metrics.diversity import FILTER
from zoo.metrics.modes import HIGH_QUALITY
from zoo.metrics.parzen import SIGMAS, VALIDATION_ROWS

SPLITS = 10  # parts of the samples, for `inception_score`
SUBSETS, SUBSET = 100, 1000  # of `kernel_distance`, and the rows of each
NEIGHBOUR = 3  # which neighbour a ball of precision and recall reaches
DENSITY_NEIGHBOUR = 5  # which neighbour a ball of density and coverage reaches
SEED = 0  # of subsets and of pairs


class Rows(NamedTuple):
    """What scores read of n images or vectors.

    Args:
        count: n.
        features: float32 `[n, dimensions]`; None without an extractor.
        probabilities: float32 `[n, classes]`; None without an extractor.
        data: uint8 images or float32 vectors `[m, *data_shape]`, the first m of the n, as many as a score itself reads.
    """

    count: int
    features: np.ndarray | None
    probabilities: np.ndarray | None
    data: np.ndarray


class Measured(NamedTuple):
    """What a score found.

    Args:
        values: by the names of `VALUES`: "value", and "std" (over parts of the samples), "stderr" (of the mean),
            "sigma", or "pairs", "scales" and "classes" where it has them.
        n_real: the number of real rows that it compared with; None if it compares with none.
        n_fake: the number of samples that it read.
    """

    values: dict[str, dict[str, float]]
    n_real: int | None
    n_fake: int


def _inception_score(real: RealData, rows: Rows) -> Measured:
    mean, std = metrics.inception_score(rows.probabilities, SPLITS)
    return Measured({"inception_score": {"value": mean, "std": std}}, None, rows.count)


def _frechet_distance(real: RealData, rows: Rows) -> Measured:
    statistics = real.features.statistics
    distance = metrics.frechet_distance(statistics, rows.features)
    return Measured({"frechet_distance": {"value": distance}}, statistics.count, rows.count)


def _kernel_distance(real: RealData, rows: Rows) -> Measured:
    features = real.features.train[:ROWS]
    mean, std = metrics.kernel_distance(features, rows.features, SUBSETS, SUBSET, SEED)
    return Measured({"kernel_distance": {"value": mean, "std": std}}, len(features), rows.count)


def _precision_recall(real: RealData, rows: Rows) -> Measured:
    features, radii = real.features.train[:ROWS], real.squared_radii(NEIGHBOUR, DENSITY_NEIGHBOUR)
    scores = metrics.precision_recall(features, rows.features, NEIGHBOUR, DENSITY_NEIGHBOUR, radii)
    return Measured(_valued(scores), len(features), rows.count)


def _two_sample_accuracy(real: RealData, rows: Rows) -> Measured:
    count = min(rows.count, ROWS, len(real.features.train))
    scores = metrics.two_sample_accuracy(real.features.train[:count], rows.features[:count])
    values = {"two_sample_accuracy": scores["accuracy"]} | {
        f"two_sample_{side}": scores[side] for side in ("real", "fake")
    }
    return Measured(_valued(values), count, count)


def _ms_ssim_diversity(real: RealData, rows: Rows) -> Measured:
    count = len(rows.data)
    found = metrics.ms_ssim_diversity(rows.data, rows.probabilities[:count].argmax(axis=1), SEED)
    return Measured({"ms_ssim": {"value": found.pop("ms_ssim"), **found}}, None, count)


def _parzen_log_likelihood(real: RealData, rows: Rows) -> Measured:
    validation, test = (split.images[:ROWS] for split in (real.dataset.validation, real.dataset.test))
    scores = metrics.parzen_log_likelihood(
        *(unit(data).reshape(len(data), -1) for data in (rows.data, validation, test))
    )
    value = {"value": scores["mean"], "stderr": scores["stderr"], "sigma": scores["sigma"]}
    return Measured({"parzen_log_likelihood": value}, len(test), rows.count)


def _mode_coverage(real: RealData, rows: Rows) -> Measured:
    mixture = mixtures.named(real.dataset.name)
    scores = metrics.mode_coverage(rows.data, mixtures.centers(mixture), mixtures.sigma(mixture))
    return Measured(_valued(scores), None, rows.count)


def _manifold_distance(real: RealData, rows: Rows) -> Measured:
    distances = triangles.distances(unit(rows.data))
    near = float(np.mean(distances <= triangles.ON_MANIFOLD))
    values = {"manifold_distance": float(np.median(distances)), "manifold_precision": near}
    return Measured(_valued(values), None, len(distances))


def _valued(scores: dict[str, float]) -> dict[str, dict[str, float]]:
    return {name: {"value": value} for name, value in scores.items()}


def _require_windows(dataset: Dataset) -> None:
    if len(dataset.data_shape) != 3 or min(dataset.data_shape[:2]) < FILTER:
        raise InputError(
            f"ms_ssim_diversity needs images of {FILTER} pixels per side or more. "
            f"Received: dataset {dataset.name!r} of shape {list(dataset.data_shape)}"
        )


def _require_modes(dataset: Dataset) -> None:
    mixtures.named(dataset.name)


@dataclass(frozen=True)
class Score:
    """How a score is computed.

    Args:
        measure: a function from the real data and the samples' `Rows` to what the score found.
        least: a function from the real data to the number of samples, and of training rows, that the score needs.
        reason: why it needs so many.
        reads_features: whether it reads what an extractor says of the samples.
        data_rows: how many of the samples themselves it reads.
        split: the split that it compares with; None if it compares with no data.
        stand_in: the split whose rows take the place of samples in its floor.
        require: raises an `InputError` for a dataset that does not suit the score.
        resampled: whether it can be computed from samples drawn with replacement; a score of nearest neighbours cannot,
            since it would find a sample's own copies.
    """

    measure: Callable[[RealData, Rows], Measured]
    least: Callable[[RealData], int]
    reason: str
    reads_features: bool = True
    data_rows: int = 0
    split: str | None = None
    stand_in: str = "test"
    require: Callable[[Dataset], None] = lambda dataset: None
    resampled: bool = False


SCORES = {
    "inception_score": Score(
        _inception_score, lambda _: SPLITS, f"it is a mean over {SPLITS} parts of them", resampled=True
    ),
    "frechet_distance": Score(
        _frechet_distance,
        lambda real: real.extractor.dimensions + 1,
        "with no more rows than features have dimensions, the covariance is singular",
        split="train",
        resampled=True,
    ),
    "kernel_distance": Score(_kernel_distance, lambda _: SUBSET, "it draws subsets of that size", split="train"),
    "precision_recall": Score(
        _precision_recall,
        lambda _: DENSITY_NEIGHBOUR + 1,
        f"each row needs {DENSITY_NEIGHBOUR} neighbours among the others",
        split="train",
    ),
    "two_sample_accuracy": Score(_two_sample_accuracy, lambda _: 2, "each row needs a neighbour", split="train"),
    "ms_ssim_diversity": Score(
        _ms_ssim_diversity,
        lambda real: (real.dataset.num_classes or 1) + 1,
        "it compares pairs within a class",
        data_rows=ROWS,
        require=_require_windows,
    ),
    # Windows on training rows are the floor of windows on samples.
    "parzen_log_likelihood": Score(
        _parzen_log_likelihood,
        lambda _: 1,
        "windows sit on them",
        reads_features=False,
        data_rows=sys.maxsize,
        split="test",
        stand_in="train",
    ),
    "mode_coverage": Score(
        _mode_coverage,
        lambda _: 1,
        "it counts them",
        reads_features=False,
        data_rows=sys.maxsize,
        require=_require_modes,
        resampled=True,
    ),
    "manifold_distance": Score(
        _manifold_distance,
        lambda _: 1,
        "it is a median over them",
        reads_features=False,
        data_rows=1000,  # each takes some 30 ms
        require=triangles.require,
        resampled=True,
    ),
}


class Value(NamedTuple):
    """What tables call a value of a score, and what it depends on besides the rows.

    Args:
        title: its name; None if it depends on the features, in which case the extractor gives the name.
        better: "higher", "lower", or what it should be near.
        settings: as the record of the value states them.
    """

    title: str | None
    better: str
    settings: dict[str, object]


VALUES = {
    "inception_score": Value(None, "higher", {"splits": SPLITS}),
    "frechet_distance": Value(None, "lower", {}),
    "kernel_distance": Value(None, "lower", {"subsets": SUBSETS, "subset_size": SUBSET, "seed": SEED}),
    "precision": Value("precision", "higher", {"k": NEIGHBOUR}),
    "recall": Value("recall", "higher", {"k": NEIGHBOUR}),
    "density": Value("density", "higher", {"k": DENSITY_NEIGHBOUR}),
    "coverage": Value("coverage", "higher", {"k": DENSITY_NEIGHBOUR}),
    "two_sample_accuracy": Value("1-NN two-sample accuracy", "0.5", {"k": 1}),
    "two_sample_real": Value("1-NN accuracy, real", "0.5", {"k": 1}),
    "two_sample_fake": Value("1-NN accuracy, fake", "0.5", {"k": 1}),
    "ms_ssim": Value(
        "MS-SSIM of pairs of a class",
        "as the floor",
        {"seed": SEED, "classes": "those that the features' network sees"},
    ),
    "parzen_log_likelihood": Value(
        "Parzen log-likelihood (nats)",
        "higher",
        {"sigmas": SIGMAS.tolist(), "sigma_chosen_on": f"the first {VALIDATION_ROWS} validation rows"},
    ),
    "modes": Value("modes", "higher", {"standard_deviations": HIGH_QUALITY}),
    "reverse_kl": Value("reverse KL (nats)", "lower", {"standard_deviations": HIGH_QUALITY}),
    "high_quality": Value("high-quality share", "higher", {"standard_deviations": HIGH_QUALITY}),
    "manifold_distance": Value("median distance to the manifold", "lower", {}),
    "manifold_precision": Value("share on the manifold", "higher", {"distance": triangles.ON_MANIFOLD}),
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
    """The scores that suit a dataset: those of a known manifold or known modes, of image features, or of windows."""
    if dataset.name == triangles.NAME:
        return ["manifold_distance"]
    if len(dataset.data_shape) == 3:
        return ["inception_score", "frechet_distance", "kernel_distance", "precision_recall"]
    return ["mode_coverage"] if dataset.name in mixtures.MIXTURES else ["parzen_log_likelihood"]


def reads_features(scores: Iterable[str]) -> bool:
    """Whether any of these scores needs an extractor.

    Raises:
        InputError: a name that is not in `SCORES`.
    """
    return any(named(name).reads_features for name in scores)


def named(name: str) -> Score:
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    return SCORES[name]
