"""Computes scores of a model, each with its floor and all that its value depends on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.signatures import ROWS_AT_ONCE
from zoo.console import progress
from zoo.data import Dataset
from zoo.errors import InputError, require_positive
from zoo.evaluation.floors import floor
from zoo.evaluation.real_data import RealData, code_version
from zoo.evaluation.rows import Sampler, draw, unit
from zoo.evaluation.scores import SCORES, VALUES, Measured, Rows, named, reads_features
from zoo.features import Features
from zoo.sampling import MOST


def check(sample: Sampler, real: RealData, scores: Sequence[str], samples: int) -> None:
    """Raises an `InputError` unless every score can be computed from so many samples; draws only the first sample."""
    require_positive(samples=samples)
    if samples > MOST:
        raise InputError(f"`samples` must be at most {MOST:,}. Received: samples={samples:,}")
    dataset = real.dataset
    if scores:
        draw(sample, np.arange(1), dataset)
    for name in scores:
        score = named(name)
        score.require(dataset)
        if score.reads_features and real.extractor is None:
            raise InputError(
                f"{name} compares features, so it needs an extractor. "
                f"Received: none, for dataset {dataset.name!r} of shape {list(dataset.data_shape)}"
            )
        needed = score.least(real)
        for rows, what in ((samples, "samples"), (len(dataset.train), f"training rows of {dataset.name!r}")):
            if rows < needed:
                raise InputError(f"{name} needs {needed:,} {what} or more: {score.reason}. Received: {rows:,}")


def check_shape(model: LoadedModel, dataset: Dataset) -> None:
    """Raises an `InputError` if the model's card states another shape than the dataset has."""
    shape = model.card.get("data_shape", list(dataset.data_shape))
    if shape != list(dataset.data_shape):
        raise InputError(
            "a model and its data should have one shape. "
            f"Received: {shape} of {model.card['name']} and {list(dataset.data_shape)} of dataset {dataset.name!r}"
        )


def score(sample: Sampler, real: RealData, scores: Sequence[str], samples: int) -> dict[str, float]:
    """The values of scores, by the names of `VALUES`, without their floors: for the log of a training run.

    Args:
        sample: from seeds, int64 `[n]`, to samples, float32 `[n, *data_shape]`: images in [0, 1], vectors unscaled.
        real: what they are compared with.
        scores: names in `SCORES`.
        samples: the number of samples; their seeds are 0 to samples - 1.

    Raises:
        InputError: as `check`, and for samples or features of a wrong shape or range, or that are not finite.
    """
    check(sample, real, scores, samples)
    rows, _ = _gather(sample, real, scores, samples)
    return {
        name: found["value"]
        for measured in (SCORES[name].measure(real, rows) for name in scores)
        for name, found in measured.values.items()
    }


@dataclass(frozen=True)
class Report:
    """What `evaluate` found.

    Args:
        records: one for each value, with all that the value depends on; see `evaluate`.
        protocol: what all records share: "dataset", "fingerprint" (of its rows), "real_features" ("cached", "computed",
            or None where no score reads features), "code" (sha256 of the source of the scores), "seconds" of each part.
        rows: what the scores read of the samples; None where there are no scores.
    """

    records: list[dict]
    protocol: dict
    rows: Rows | None = None


def evaluate(sample: Sampler, real: RealData, scores: Sequence[str], samples: int = 10_000) -> Report:
    """Computes scores of a model, and their floors.

    Neither the samples nor the data are held in memory: only features, and as many images as a score itself reads.

    Args:
        sample: from seeds, int64 `[n]`, to samples, float32 `[n, *data_shape]`: images in [0, 1], vectors unscaled.
        real: what they are compared with.
        scores: names in `SCORES`; without any, the report has no records.
        samples: the number of samples; their seeds are 0 to samples - 1.

    Returns:
        A report whose records hold "score" (as tables call it), "function" (of `zoo.metrics`), "better", "value" (and
        "std", "stderr", "sigma", "pairs" and so on), "settings" (by the names of the function's arguments), "rounding"
        (of the samples: "8 bits" or None), "features" and "features_sha256", "reference" (the dataset and the split),
        "n_real", "n_fake", "seeds" ("0..9999"), "seconds", and "floor", the same value for "floor_n_fake" rows of
        "floor_split" (with "floor_n_real", and "floor_std" and so on), None where the split has too few. What does not
        apply is None.

    Raises:
        InputError: as `check`, and for samples or features of a wrong shape or range, or that are not finite.
    """
    scores = list(dict.fromkeys(scores))
    check(sample, real, scores, samples)
    seconds: dict[str, float] = {}
    with _timed(seconds, "real_data"):
        # First, since a score that fails on real data would also fail on samples.
        known = real.features if reads_features(scores) else None
        floors = {name: floor(real, name, samples) for name in progress(scores, "floors", "scores")}
    rows, gathering = _gather(sample, real, scores, samples) if scores else (None, {})
    seconds |= gathering
    records = []
    with _timed(seconds, "scores"):
        for name in progress(scores, "scores", "scores"):
            own: dict[str, float] = {}
            with _timed(own, name):
                measured = SCORES[name].measure(real, rows)
            records += _records(name, real, measured, floors[name], round(own[name], 3))
    return Report(
        records,
        {
            "dataset": real.dataset.name,
            "fingerprint": real.fingerprint,
            "real_features": known and ("cached" if known.cached else "computed"),
            "code": code_version(),
            "seconds": {part: round(taken, 3) for part, taken in seconds.items()},
        },
        rows,
    )


def _records(name: str, real: RealData, measured: Measured, floor: Measured | None, seconds: float) -> list[dict]:
    score, extractor = SCORES[name], real.extractor if SCORES[name].reads_features else None
    records = []
    for value, found in measured.values.items():
        title, better, settings = VALUES[value]
        floor_found = dict(floor.values[value]) if floor else {"value": None}
        records.append(
            {
                "score": title or extractor.score_names[value],
                "function": name,
                "better": better,
                **found,
                "settings": settings,
                "rounding": "8 bits" if len(real.dataset.data_shape) == 3 else None,
                "features": extractor and extractor.name,
                "features_sha256": extractor and extractor.sha256,
                "reference": score.split and f"{real.dataset.name} {score.split}",
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


def _gather(sample: Sampler, real: RealData, scores: Iterable[str], samples: int) -> tuple[Rows, dict[str, float]]:
    """What the scores read of the samples, and the seconds of "sampling" and of "features"."""
    data_rows = max(SCORES[name].data_rows for name in scores)
    extracts = reads_features(scores)
    seconds = {"sampling": 0.0, "features": 0.0}
    kept: list[np.ndarray] = []
    extracted: list[Features] = []
    for start in progress(range(0, samples, ROWS_AT_ONCE), "samples", "batches"):
        with _timed(seconds, "sampling"):
            data = draw(sample, np.arange(start, min(start + ROWS_AT_ONCE, samples)), real.dataset)
        if extracts:
            with _timed(seconds, "features"):
                extracted.append(real.extract(unit(data)))
        kept.append(data[: max(0, data_rows - start)])
    features = (np.concatenate(parts) for parts in zip(*extracted, strict=True)) if extracts else (None, None)
    return Rows(samples, *features, np.concatenate(kept)), seconds


@contextlib.contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Adds to `seconds[part]` what the block takes."""
    start = time.perf_counter()
    yield
    seconds[part] = seconds.get(part, 0.0) + time.perf_counter() - start
