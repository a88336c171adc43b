"""Scores of a model on a dataset under one protocol, each beside its floor: what real test data score in its place.

A model is sampled by the seeds 0 to n - 1 and compared with the training split. The floor is the same score of test
rows in the place of the samples, of as many as there are up to n. What is needed of the data is computed once and kept
under `$GAN_ZOO_CACHE/scores`.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo import images, metrics
from zoo.data import Dataset, Split, mixtures
from zoo.errors import InputError, require_positive, unknown
from zoo.files import cache_dir, replacing
from zoo.metrics import checks
from zoo.metrics.diversity import FILTER
from zoo.metrics.features import Extractor, Features
from zoo.pretrained import CARD, GRAPH, Pretrained, read_card
from zoo.sampling import ANY_CLASS

FORMAT = 1  # of the cache: to be raised when its files or the protocol of a floor change
FEATURE_FILES = ("train.npy", "statistics.npz")  # whose hashes are in files.json, which is written last
ROWS = 10_000  # of a split that are compared one by one with samples: its first ones, at most
BATCH = 256  # images sampled, and shown to an extractor or a discriminator, at a time
PROBED = 2048  # rows of a split that identify it
SPLITS = 10  # of the samples, by `inception_score`
SUBSET = 1000  # rows a subset, of `kernel_distance`
NEIGHBOUR = 3  # to which a ball of `precision_recall` reaches
SIMILAR = 1000  # samples from which `ms_ssim_diversity` draws its pairs
PICTURED = 8  # samples that are shown beside their neighbours: the seeds 0 to 7
NEAREST = 3  # neighbours of each
BLOCK = 2**22  # numbers of a block of training data that is searched for neighbours: 32 MiB in float64
FIGHTERS = 1000  # samples of each model in a battle
IN_CARD = ("score", "value", "std", "stderr", "features", "n_real", "n_fake", "reference", "floor", "floor_n_fake")

Sampler = Callable[[np.ndarray], np.ndarray]  # seeds int64 [n] to float32 [n, *data_shape], images in [0, 1]


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
    validation, test = (_unit(split.images[:ROWS]) for split in (reference.dataset.validation, reference.dataset.test))
    scores = metrics.parzen_log_likelihood(*(data.reshape(len(data), -1) for data in (rows.data, validation, test)))
    value = {"value": scores["mean"], "stderr": scores["stderr"], "sigma": scores["sigma"]}
    return Measured({"parzen_log_likelihood": value}, len(test), rows.count)


def _mode_coverage(reference: Reference, rows: Rows) -> Measured:
    mixture = mixtures.MIXTURES[reference.dataset.name]()
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
    if dataset.name not in mixtures.MIXTURES:
        raise InputError(
            f"mode_coverage needs a dataset of known modes: {' or '.join(mixtures.MIXTURES)}. "
            f"Received: {dataset.name!r}"
        )


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
    _score(score)
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
    return any(_score(name).data_rows == 0 for name in scores)


class DataFeatures(NamedTuple):
    """A dataset as an extractor sees it.

    Args:
        train: float32 `[n, dimensions]`, memory-mapped.
        statistics: of all of `train`.
        test: of the first rows of the test split, `ROWS` at most.
        cached: whether all this was found in the cache, or computed just now.
    """

    train: np.ndarray
    statistics: metrics.FeatureStatistics
    test: Features
    cached: bool


class Reference:
    """What models of a dataset are compared with; computed when it is first needed, and kept for later runs.

    Args:
        dataset: the dataset.
        extractor: whose features are compared; None suffices for scores that read none.
    """

    def __init__(self, dataset: Dataset, extractor: Extractor | None = None):
        self.dataset = dataset
        self.extractor = extractor

    @cached_property
    def features(self) -> DataFeatures:
        """The dataset's features, from the cache if it has them.

        Raises:
            InputError: features of another shape than the extractor states, or that are not finite; a cache that cannot
                be written.
        """
        return self._read(cached=True) if self._is_whole() else self._compute()

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the shapes and of `PROBED` evenly spaced rows each of the training and the test split."""
        digest = hashlib.sha256()
        for split in (self.dataset.train, self.dataset.test):
            digest.update(f"{split.images.dtype} {split.images.shape}".encode())
            for row in np.linspace(0, len(split) - 1, min(PROBED, len(split))).astype(int):
                digest.update(split.images[row].tobytes())
        return digest.hexdigest()

    def extract(self, data: np.ndarray) -> Features:
        """What the extractor says of images float32 `[n, *data_shape]` in [0, 1].

        Raises:
            InputError: images that the extractor does not take, or features of another shape than it states or that are
                not finite.
        """
        extracted = self.extractor(data)
        expected = (len(data), self.extractor.dimensions)
        if extracted.features.shape != expected:
            raise InputError(
                f"{self.extractor.name} should return features {list(expected)}. "
                f"Received: {list(extracted.features.shape)}"
            )
        checks.finite(f"features of {self.extractor.name}", extracted.features)
        return extracted

    def floor(self, name: str, samples: int) -> Measured | None:
        """A score of real rows in the place of `samples` samples, or of as many as there are, `ROWS` at most.

        Returns:
            None if there are fewer rows than the score needs.
        """
        split = getattr(self.dataset, SCORES[name].stand_in)
        count = min(samples, len(split), ROWS)
        if count < self.rows_needed(name):
            return None
        key = f"{name}, {count} rows"
        if key not in self._floors:
            extracted = (None, None)
            if not SCORES[name].data_rows:
                extracted = (array[:count] for array in self.features.test)
            data = _unit(split.images[: min(count, SCORES[name].data_rows)])
            self._floors[key] = SCORES[name].measure(self, Rows(count, *extracted, data))
            floors = {key: floor._asdict() for key, floor in self._floors.items()}
            with replacing(self._made_folder / "floors.json") as path:
                path.write_text(json.dumps(floors, indent=2), encoding="utf-8")
        return self._floors[key]

    def rows_needed(self, name: str) -> int:
        """How many samples, and how many rows of the data, a score takes at least."""
        return SCORES[name].least(self.extractor.dimensions if self.extractor else 0)

    @cached_property
    def _folder(self) -> Path:
        extractor = (self.extractor.name, self.extractor.sha256) if self.extractor else None
        key = hashlib.sha256(repr((FORMAT, self.dataset.name, self.fingerprint, extractor)).encode()).hexdigest()
        return cache_dir() / "scores" / f"{self.dataset.slug[:64]}-{key[:16]}"

    @property
    def _made_folder(self) -> Path:
        make_folder(self._folder)
        return self._folder

    @cached_property
    def _floors(self) -> dict[str, Measured]:
        path = self._folder / "floors.json"
        if not path.exists():
            return {}
        with _damage_reported(path):
            return {key: Measured(**floor) for key, floor in json.loads(path.read_text(encoding="utf-8")).items()}
        return {}

    def _is_whole(self) -> bool:
        """Whether the cache has the features, each file as it was when `_compute` wrote it."""
        path = self._folder / "files.json"
        if not path.exists():
            return False
        with _damage_reported(path.parent):
            hashes = json.loads(path.read_text(encoding="utf-8"))
            for name in FEATURE_FILES:
                if _sha256(path.with_name(name)) != hashes[name]:
                    raise ValueError(f"{name} has changed since it was written")
            return True
        return False

    def _read(self, cached: bool) -> DataFeatures:
        with np.load(self._folder / "statistics.npz") as arrays:
            statistics = metrics.FeatureStatistics(**{name: arrays[name] for name in ("mean", "covariance", "count")})
            test = Features(arrays["test_features"], arrays["test_probabilities"])
        return DataFeatures(np.load(self._folder / "train.npy", mmap_mode="r"), statistics, test, cached)

    def _compute(self) -> DataFeatures:
        folder, train, test = self._made_folder, self.dataset.train, self.dataset.test
        statistics = metrics.FeatureStatistics.empty(self.extractor.dimensions)
        with replacing(folder / "train.npy") as path, path.open("wb") as file:
            shape = (len(train), self.extractor.dimensions)
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for data in _batches(train, len(train), "features of train"):
                features = self.extract(data).features
                statistics.update(features)
                file.write(features.astype("<f4").tobytes())
        tested = [self.extract(data) for data in _batches(test, ROWS, "features of test")]
        features, probabilities = (np.concatenate(parts) for parts in zip(*tested, strict=True))
        with replacing(folder / "statistics.npz") as path:
            np.savez(path, **vars(statistics), test_features=features, test_probabilities=probabilities)
        hashes = {name: _sha256(folder / name) for name in FEATURE_FILES}
        with replacing(folder / "files.json") as path:
            path.write_text(json.dumps(hashes), encoding="utf-8")
        return self._read(cached=False)


def check(sample: Sampler, reference: Reference, scores: Sequence[str], samples: int) -> None:
    """Raises an `InputError` unless every score can be taken of so many samples; draws only the first."""
    require_positive(samples=samples)
    dataset = reference.dataset
    _draw(sample, np.arange(1), dataset)
    for name in scores:
        score = _score(name)
        score.require(dataset)
        if not score.data_rows and reference.extractor is None:
            raise InputError(
                f"{name} compares features, so it needs an extractor. "
                f"Received: none, for dataset {dataset.name!r} of shape {list(dataset.data_shape)}"
            )
        needed = reference.rows_needed(name)
        for rows, what in ((samples, "samples"), (len(dataset.train), f"training rows of {dataset.name!r}")):
            if rows < needed:
                raise InputError(f"{name} needs {needed:,} {what} or more: {score.reason}. Received: {rows:,}")


def check_shape(model: Pretrained, dataset: Dataset) -> None:
    """Raises an `InputError` for a model whose card states another shape than the dataset has."""
    shape = model.card.get("data_shape", list(dataset.data_shape))
    if shape != list(dataset.data_shape):
        raise InputError(
            "a model and its data should have one shape. "
            f"Received: {shape} of {model.card['name']} and {list(dataset.data_shape)} of dataset {dataset.name!r}"
        )


def score(sample: Sampler, reference: Reference, scores: Sequence[str], samples: int) -> dict[str, float]:
    """The bare values of scores, by the names of `VALUES`, without their floors: for the log of a training.

    Args:
        sample: from seeds, int64 `[n]`, to samples, float32 `[n, *data_shape]`: images in [0, 1], vectors unscaled.
        reference: what they are compared with.
        scores: names in `SCORES`.
        samples: how many; their seeds are 0 to samples - 1.

    Raises:
        InputError: as `check`, and for samples or features of a wrong shape or range, or that are not finite.
    """
    check(sample, reference, scores, samples)
    rows, _ = _gather(sample, reference, scores, samples)
    return {
        name: found["value"]
        for measured in (SCORES[name].measure(reference, rows) for name in scores)
        for name, found in measured.values.items()
    }


@dataclass(frozen=True)
class Report:
    """What `evaluate` found.

    Args:
        records: one a value, each with all that its number depends on; see `evaluate`.
        protocol: what all records share: "dataset", "fingerprint" (of its rows), "reference" ("cached", "computed", or
            None where no score reads features), "seconds" of each part.
    """

    records: list[dict]
    protocol: dict


def evaluate(sample: Sampler, reference: Reference, scores: Sequence[str], samples: int = 10_000) -> Report:
    """Takes scores of a model, and their floors.

    Neither the samples nor the data are held in memory: only features, and as many images as a score reads itself.

    Args:
        sample: from seeds, int64 `[n]`, to samples, float32 `[n, *data_shape]`: images in [0, 1], vectors unscaled.
        reference: what they are compared with.
        scores: names in `SCORES`.
        samples: how many; their seeds are 0 to samples - 1.

    Returns:
        A report whose records hold "score" (as tables call it), "function" (of `zoo.metrics`), "better", "value" (and
        "std", "stderr", "sigma" or "scales"), "features" and "features_sha256", "reference" (the dataset and the
        split), "n_real", "n_fake", "seeds" ("0..9999"), "seconds", and "floor", the same value for "floor_n_fake" rows
        of "floor_split" (with "floor_n_real", and "floor_std" and so on), None where the split has too few. What does
        not apply is None.

    Raises:
        InputError: as `check`, and for samples or features of a wrong shape or range, or that are not finite.
    """
    scores = list(dict.fromkeys(scores))
    check(sample, reference, scores, samples)
    seconds: dict[str, float] = {}
    with _timed(seconds, "reference"):
        # First of all, since a score that fails on real data would fail on samples too.
        known = reference.features if reference.extractor else None
        floors = {name: reference.floor(name, samples) for name in _progress(scores, "floors", "scores")}
    rows, gathering = _gather(sample, reference, scores, samples)
    seconds |= gathering
    records = []
    with _timed(seconds, "scores"):
        for name in _progress(scores, "scores", "scores"):
            own: dict[str, float] = {}
            with _timed(own, name):
                measured = SCORES[name].measure(reference, rows)
            records += _records(name, reference, measured, floors[name], round(own[name], 3))
    return Report(
        records,
        {
            "dataset": reference.dataset.name,
            "fingerprint": reference.fingerprint,
            "reference": known and ("cached" if known.cached else "computed"),
            "seconds": {part: round(taken, 3) for part, taken in seconds.items()},
        },
    )


def _records(name: str, reference: Reference, measured: Measured, floor: Measured | None, seconds: float) -> list[dict]:
    score, extractor = SCORES[name], None if SCORES[name].data_rows else reference.extractor
    records = []
    for value, found in measured.values.items():
        title, better = VALUES[value]
        floor_found = dict(floor.values[value]) if floor else {"value": None}
        records.append(
            {
                "score": title or extractor.score_names[value],
                "function": name,
                "better": better,
                **found,
                "features": extractor and extractor.name,
                "features_sha256": extractor and extractor.sha256,
                "reference": score.reference and f"{reference.dataset.name} {score.reference}",
                "n_real": measured.n_real,
                "n_fake": measured.n_fake,
                "seeds": f"0..{measured.n_fake - 1}",
                "seconds": seconds,
                "floor": floor_found.pop("value"),
                **{f"floor_{detail}": number for detail, number in floor_found.items()},
                "floor_split": score.stand_in,
                "floor_n_real": floor and floor.n_real,
                "floor_n_fake": floor and floor.n_fake,
            }
        )
    return records


class Neighbours(NamedTuple):
    """Samples beside the training images nearest to them.

    Args:
        picture: uint8 `[height, width, channels]`: a row a sample, then its nearest in pixels, then in features.
        found: a dict a sample: "seed", and under "pixels" and "features" the "rows" of the training split and their
            "distances", nearest first, 0 for a copy.
        seconds: that the search took.
    """

    picture: np.ndarray
    found: list[dict]
    seconds: float


def nearest_training_images(sample: Sampler, reference: Reference) -> Neighbours:
    """Looks for the seeds 0 to 7 in the whole training split, block by block.

    Args:
        sample: as `evaluate` takes it.
        reference: of images of 1 or 3 channels; without an extractor, pixels alone are searched.

    Raises:
        InputError: as `evaluate`, or images that cannot be drawn.
    """
    start = time.perf_counter()
    train = reference.dataset.train
    samples = _draw(sample, np.arange(PICTURED), reference.dataset)
    spaces = {"pixels": (samples, lambda block: _unit(train.images[block]))}
    if reference.extractor:
        spaces["features"] = (reference.extract(samples).features, lambda block: reference.features.train[block])
    found: list[dict] = [{"seed": seed} for seed in range(PICTURED)]
    columns = [samples[:, None]]
    for space, (queries, read) in spaces.items():
        distances, rows = _nearest(queries.reshape(PICTURED, -1), read, len(train))
        columns.append(_unit(train.images[rows]))
        for one, near, where in zip(found, distances, rows, strict=True):
            one[space] = {"rows": where.tolist(), "distances": near.tolist()}
    tiles = np.concatenate(columns, axis=1)
    picture = images.grid(tiles.reshape(-1, *samples.shape[1:]), columns=tiles.shape[1])
    return Neighbours(picture, found, time.perf_counter() - start)


def _nearest(queries: np.ndarray, read: Callable[[slice], np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows `[n, NEAREST]` of the nearest to `queries` `[n, d]` among `count` rows that `read` returns."""
    distances, rows = np.empty((len(queries), 0)), np.empty((len(queries), 0), np.int64)
    size = max(1, BLOCK // queries.shape[1])
    for start in range(0, count, size):
        block = read(slice(start, start + size))
        block = block.reshape(len(block), -1)
        near, where = metrics.nearest_neighbours(queries, block, min(NEAREST, len(block)))
        distances, rows = np.concatenate([distances, near], axis=1), np.concatenate([rows, where + start], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
        distances, rows = (np.take_along_axis(array, order, axis=1) for array in (distances, rows))
    return distances, rows


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


def battles(models: dict[str, Pretrained], dataset: Dataset) -> list[Battle]:
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
        name: metrics.Player(_draw(model.sample, np.arange(FIGHTERS), dataset), _judge(model))
        for name, model in models.items()
        if not reasons[name]
    }
    test = _unit(dataset.test.images[:ROWS])
    found = []
    for first, second in itertools.combinations(models, 2):
        lacking = [f"{name} {reasons[name]}" for name in (first, second) if reasons[name]]
        result = None if lacking else metrics.generative_adversarial_metric(players[first], players[second], test)
        found.append(Battle(first, second, result, "; ".join(lacking)))
    return found


def _why_not(model: Pretrained) -> str:
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


def _judge(model: Pretrained) -> Callable[[np.ndarray], np.ndarray]:
    """From images `[n, *data_shape]` to scores `[n]`, above 0 for what the discriminator takes for real."""
    import tensorflow as tf

    discriminate, boundary = model.signatures["discriminate"], model.card["decision_boundary"]

    def judge(data: np.ndarray) -> np.ndarray:
        blocks = [tf.constant(data[start : start + BATCH]) for start in range(0, len(data), BATCH)]
        return np.concatenate(
            [discriminate(image=block, label=tf.fill([len(block)], ANY_CLASS))["score"] - boundary for block in blocks]
        )

    return judge


def artefact(model: Pretrained) -> dict:
    """Which model was scored: "name", "version" and the sha256 of its "files", of its graph alone without a card."""
    if model.card:
        return {key: model.card[key] for key in ("name", "version", "files")}
    path = model.path
    versioned = path.name.isdecimal()
    return {
        "name": path.parent.name if versioned else path.name,
        "version": int(path.name) if versioned else None,
        "files": {GRAPH: _sha256(path / GRAPH)},
    }


def write(directory: Path, model: Pretrained, report: Report, neighbours: Neighbours | None) -> list[Path]:
    """Writes `scores.json`, and `neighbours.png` if there are any, each whole or not at all.

    The JSON holds the report's protocol, the artefact, the peak memory of this process in MiB, the neighbours and the
    records, under "scores". An infinite value is the string "inf".

    Returns:
        The paths written.

    Raises:
        InputError: a file cannot be written.
    """
    make_folder(directory)
    paths = [directory / "scores.json"]
    seconds = report.protocol["seconds"] | ({"neighbours": round(neighbours.seconds, 3)} if neighbours else {})
    contents = {
        "artefact": artefact(model),
        **report.protocol,
        "seconds": seconds,
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),  # Linux counts in KiB
        "neighbours": neighbours and neighbours.found,
        "scores": [_plain(record) for record in report.records],
    }
    with replacing(paths[0]) as path:
        path.write_text(json.dumps(contents, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    if neighbours:
        paths.append(directory / "neighbours.png")
        images.write_png(paths[1], neighbours.picture)
    return paths


def write_card(model: Pretrained, report: Report, command: str) -> Path:
    """Adds the records to the scores of the artefact's card, in place of older ones of the same score and data.

    Args:
        model: with a card.
        report: of this model.
        command: the line that repeats it.

    Returns:
        The card's path.

    Raises:
        InputError: the card cannot be written.
    """

    def subject(record: dict) -> tuple:
        return tuple(record.get(key) for key in ("score", "features", "reference"))

    path = model.path.parent / CARD
    card = read_card(path)
    records = [
        {key: value for key, value in _plain(record).items() if key in IN_CARD} | {"command": command}
        for record in report.records
    ]
    subjects = {subject(record) for record in records}
    card["scores"] = [record for record in card["scores"] if subject(record) not in subjects] + records
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, unless they are there.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path}: {error.strerror or error}.") from error


def _score(name: str) -> Score:
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    return SCORES[name]


def _gather(
    sample: Sampler, reference: Reference, scores: Iterable[str], samples: int
) -> tuple[Rows, dict[str, float]]:
    """What the scores read of the samples, and the seconds of "sampling" and of "features"."""
    data_rows = max(SCORES[name].data_rows for name in scores)
    extracts = reads_features(scores)
    seconds = {"sampling": 0.0, "features": 0.0}
    kept: list[np.ndarray] = []
    extracted: list[Features] = []
    for start in _progress(range(0, samples, BATCH), "samples", "batches"):
        with _timed(seconds, "sampling"):
            data = _draw(sample, np.arange(start, min(start + BATCH, samples)), reference.dataset)
        if extracts:
            with _timed(seconds, "features"):
                extracted.append(reference.extract(data))
        kept.append(data[: max(0, data_rows - start)])
    features = (np.concatenate(parts) for parts in zip(*extracted, strict=True)) if extracts else (None, None)
    return Rows(samples, *features, np.concatenate(kept)), seconds


def _draw(sample: Sampler, seeds: np.ndarray, dataset: Dataset) -> np.ndarray:
    """Samples, checked."""
    data = np.asarray(sample(seeds))
    expected = (len(seeds), *dataset.data_shape)
    if data.shape != expected:
        raise InputError(
            f"the samples should be {list(expected)}, {len(seeds)} of the shape of dataset {dataset.name!r}. "
            f"Received: {list(data.shape)}"
        )
    return checks.in_unit_interval("samples", data) if len(dataset.data_shape) == 3 else checks.finite("samples", data)


def _batches(split: Split, count: int, title: str) -> Iterator[np.ndarray]:
    """The first `count` rows of a split, `BATCH` at a time, as float32, images in [0, 1]."""
    count = min(count, len(split))
    for start in _progress(range(0, count, BATCH), title, "batches"):
        yield _unit(split.images[start : min(start + BATCH, count)])


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of a `Split` as float32, images in [0, 1]."""
    return rows / np.float32(255) if rows.dtype == np.uint8 else rows


def _progress(things: Sequence, title: str, unit: str) -> Iterable:
    """`things`, with a bar on a terminal if they take long."""
    from tqdm import tqdm

    return tqdm(things, desc=title, unit=f" {unit}", delay=2, leave=False, disable=None)


@contextlib.contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Adds to `seconds[part]` what the block takes."""
    start = time.perf_counter()
    yield
    seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - start


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    """Turns any error of reading the cache into a warning on stderr; the block goes no further."""
    try:
        yield
    except Exception as error:  # damage shows as errors of many types
        print(f"zoo: warning: {path} is damaged and will be computed again: {error}", file=sys.stderr)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(record: dict) -> dict:
    """A record that strict JSON can hold: infinite values as strings."""
    return {key: str(value) if value in (float("inf"), float("-inf")) else value for key, value in record.items()}
