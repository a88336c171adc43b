"""What the answers say: shares with their intervals, sensitivity, differences between models, attention.

Intervals take the answers as independent of each other. Those of one subject are not quite independent; the spread
between subjects, which the report also states, shows how much that matters.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from scipy import stats

from zoo.study.pictures import Kind
from zoo.study.records import Record

CONFIDENCE = 0.95
PASSED = 0.75  # the share of checks that an attentive subject passes


class Interval(NamedTuple):
    """Where a value lies with some confidence."""

    low: float
    high: float


class Count(NamedTuple):
    """How many of n answers took a picture for real."""

    taken: int
    n: int

    @property
    def share(self) -> float:
        return self.taken / self.n if self.n else math.nan


class Point(NamedTuple):
    """A point of the figure: what subjects said of one source's pictures at one exposure.

    Args:
        source: its name.
        exposure_ms: the exposure in milliseconds; None without a time limit.
        count: of the answers.
        interval: of the share at this point alone.
        band: wider, so that with the same confidence all points of the figure lie in their bands.
        spread: standard deviation of the share between subjects; NaN for one subject.
    """

    source: str
    exposure_ms: float | None
    count: Count
    interval: Interval
    band: Interval
    spread: float


class Sensitivity(NamedTuple):
    """How well a model's pictures are told from real ones, at one exposure or at all exposures together.

    Args:
        model: its name.
        exposure_ms: None for all answers.
        d_prime: z(share of real pictures taken for real) - z(share of the model's taken for real).
        d_interval: of d'.
        right: share of right answers, with equal weight for real and generated pictures.
        right_interval: of that share.
    """

    model: str
    exposure_ms: float | None
    d_prime: float
    d_interval: Interval
    right: float
    right_interval: Interval


class Difference(NamedTuple):
    """Which of two models is taken for real more often: the difference of shares, its interval, and its p-value."""

    first: str
    second: str
    difference: float
    interval: Interval
    p_value: float


class Subject(NamedTuple):
    """How one subject answered; `attentive` if the subject passed enough checks."""

    name: str
    sessions: int
    answers: int
    taken_for_real: float
    right: float
    checks_passed: int
    checks: int
    median_reaction_ms: float
    longest_run: int
    attentive: bool


def wilson(count: Count, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share; all of [0, 1] without answers."""
    if count.n == 0:
        return Interval(0.0, 1.0)
    z = stats.norm.ppf((1 + confidence) / 2)
    share, weight = count.share, z**2 / count.n
    centre = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    # The exact limits at the ends, which rounding would miss by a little.
    return Interval(
        0.0 if count.taken == 0 else max(0.0, centre - half), 1.0 if count.taken == count.n else min(1.0, centre + half)
    )


def difference_interval(first: Count, second: Count, confidence: float = CONFIDENCE) -> Interval:
    """Newcombe's interval of the difference of two shares, built from Wilson's of each (1998, method 10)."""
    (low1, high1), (low2, high2) = wilson(first, confidence), wilson(second, confidence)
    p1, p2 = first.share, second.share
    return Interval(
        p1 - p2 - math.hypot(p1 - low1, high2 - p2),
        p1 - p2 + math.hypot(high1 - p1, p2 - low2),
    )


def d_prime(real: Count, model: Count, confidence: float = CONFIDENCE) -> tuple[float, Interval]:
    """Sensitivity and its interval (Gourevitch & Galanter 1967); half an answer is added to each side of each share.

    Without that addition (Hautus 1995), a share of 0 or 1 would give an infinite value.
    """
    value, variance = 0.0, 0.0
    for sign, count in ((1, real), (-1, model)):
        share = (count.taken + 0.5) / (count.n + 1)
        z = stats.norm.ppf(share)
        value += sign * z
        variance += share * (1 - share) / ((count.n + 1) * stats.norm.pdf(z) ** 2)
    half = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(variance)
    return float(value), Interval(float(value - half), float(value + half))


def p_value(first: Count, second: Count) -> float:
    """How often two shares that are equal in truth would differ as much as these: the two-sided score test."""
    pooled = (first.taken + second.taken) / (first.n + second.n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n))
    return 1.0 if error == 0 else float(2 * stats.norm.sf(abs(first.share - second.share) / error))


def curve(records: Iterable[Record], sources: Sequence[str], exposures: Sequence[float | None]) -> list[Point]:
    """The figure's points, source by source, in the order of exposures."""
    grouped = _grouped(records, lambda record: (record.source, record.exposure_ms))
    pairs = list(itertools.product(sources, exposures))
    together = 1 - (1 - CONFIDENCE) / len(pairs)  # Bonferroni
    points = []
    for pair in pairs:
        count = counted(grouped[pair])
        shares = [counted(answers).share for answers in _grouped(grouped[pair], lambda record: record.subject).values()]
        spread = statistics.stdev(shares) if len(shares) > 1 else math.nan
        points.append(Point(*pair, count, wilson(count), wilson(count, together), spread))
    return points


def sensitivities(
    records: Iterable[Record], models: Sequence[str], exposures: Sequence[float | None]
) -> list[Sensitivity]:
    """Each model against the real pictures: over all exposures, then at each exposure if there are several."""
    records = list(records)
    found = []
    for model, exposure in itertools.product(models, [None, *exposures] if len(exposures) > 1 else [None]):
        real, generated = (
            counted(r for r in records if r.source == source and exposure in (None, r.exposure_ms))
            for source in (Kind.REAL, model)
        )
        if real.n and generated.n:
            low, high = difference_interval(real, generated)
            right = (1 + real.share - generated.share) / 2
            interval = Interval((1 + low) / 2, (1 + high) / 2)
            found.append(Sensitivity(model, exposure, *d_prime(real, generated), right, interval))
    return found


def differences(records: Iterable[Record], models: Sequence[str]) -> list[Difference]:
    """Every pair of models with answers, over all exposures, since both are shown equally often at each."""
    grouped = _grouped(records, lambda record: record.source)
    counts = {model: counted(grouped[model]) for model in models if grouped[model]}
    return [
        Difference(
            first,
            second,
            counts[first].share - counts[second].share,
            difference_interval(counts[first], counts[second]),
            p_value(counts[first], counts[second]),
        )
        for first, second in itertools.combinations(counts, 2)
    ]


def attention(records: Iterable[Record]) -> list[Subject]:
    """Each subject's answers and checks."""
    found = []
    for name, answers in _grouped(records, lambda record: record.subject).items():
        checks = [record for record in answers if record.kind == Kind.CHECK]
        asked = [record for record in answers if record.kind != Kind.CHECK]
        passed = sum(not record.taken_for_real for record in checks)
        runs = [len(list(run)) for _, run in itertools.groupby(answers, lambda record: record.taken_for_real)]
        found.append(
            Subject(
                name,
                len({record.session for record in answers}),
                len(answers),
                counted(asked).share,
                sum(record.right for record in asked) / len(asked) if asked else math.nan,
                passed,
                len(checks),
                statistics.median(record.reaction_ms for record in answers),
                max(runs),
                passed >= PASSED * len(checks),
            )
        )
    return found


def within_a_frame(records: Iterable[Record]) -> Count:
    """Of the answers with a limited exposure, how many achieved it to within one frame of the screen."""
    timed = [record for record in records if record.exposure_ms is not None]
    # The clock of a browser ticks in steps of up to a tenth of a millisecond.
    near = [record for record in timed if abs(record.achieved_ms - record.exposure_ms) <= record.frame_ms + 0.1]
    return Count(len(near), len(timed))


def counted(records: Iterable[Record]) -> Count:
    """How many answers took the picture for real, and how many there are."""
    taken = [record.taken_for_real for record in records]
    return Count(sum(taken), len(taken))


def _grouped(records: Iterable[Record], key: Callable[[Record], Hashable]) -> dict[Hashable, list[Record]]:
    groups: dict[Hashable, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return groups
