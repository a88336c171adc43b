"""Simulated subjects, who answer at random with given chances, and so show how many answers a study needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy import stats

from zoo.errors import InputError
from zoo.labels import NO_LABEL
from zoo.study import balance
from zoo.study.analysis import Count, p_value
from zoo.study.pictures import Kind
from zoo.study.protocol import FRAME_MS, Protocol
from zoo.study.records import Record

Chance = float | Callable[[float | None], float]  # of taking a picture for real; a function of the exposure in ms

LEVEL = 0.05  # how often two equal models may be told apart by accident
REACTION_MS = 600.0  # from the end of a picture to the answer
REPETITIONS = 4000  # simulated studies for one power
MOST_ANSWERS = 10**7


def answers(protocol: Protocol, chances: Mapping[str, Chance], subjects: int, seed: int) -> list[Record]:
    """What simulated subjects answer in one session each, as `records.read` gives the answers of people.

    Args:
        protocol: gives exposures and the number of trials; all checks are passed.
        chances: by source, of which one is "real".
        subjects: the number of subjects.
        seed: the seed of all random numbers.
    """
    chance = np.random.default_rng(seed)
    sources, exposures = list(chances), protocol.exposures_ms or (None,)
    made = []
    for subject in range(subjects):
        first = int(chance.integers(2**62))
        cells = balance.cells(first, 0, protocol.trials, len(sources), len(exposures))
        shown = [(sources[source], exposures[exposure]) for source, exposure in cells]
        shown += [(Kind.CHECK, exposures[-1])] * protocol.checks
        for position, (source, exposure) in enumerate(shown, start=1):
            asked = Record(
                subject=f"simulated-{subject}",
                session=1,
                position=position,
                source=source,
                kind=source if source in (*Kind,) else Kind.MODEL,
                picture=position,
                seed=position,
                label=NO_LABEL,
                exposure_ms=exposure,
                achieved_ms=REACTION_MS if exposure is None else exposure,
                frame_ms=FRAME_MS,
                taken_for_real=source != Kind.CHECK and bool(chance.random() < _at(chances[source], exposure)),
                reaction_ms=REACTION_MS + (exposure or 0),
                restarts=0,
                shown=0.0,
                answered=0.0,
            )
            made.append(asked)
    return made


def answers_needed(first: float, second: float, power: float) -> int:
    """How many answers to each of two models tell them apart, at a level of 5 %, with this probability.

    This is the textbook formula for the two-sided test of two shares that the report uses.

    Args:
        first: the share of one model's pictures that is taken for real, in (0, 1).
        second: the other's.
        power: the probability that the test finds the difference, in (0, 1).

    Raises:
        InputError: a number out of range, equal shares, or more than ten million answers.
    """
    for name, value in (("share", first), ("share", second), ("power", power)):
        if not 0 < value < 1:
            raise InputError(f"a {name} should lie between 0 and 1. Received: {value}")
    if first == second:
        raise InputError(f"two models that are taken for real equally often cannot be told apart. Received: {first}")
    mean = (first + second) / 2
    equal = stats.norm.isf(LEVEL / 2) * math.sqrt(2 * mean * (1 - mean))
    apart = stats.norm.ppf(power) * math.sqrt(first * (1 - first) + second * (1 - second))
    needed = ((equal + apart) / (first - second)) ** 2
    if needed > MOST_ANSWERS:
        raise InputError(
            f"shares as close as these need more than {MOST_ANSWERS:,} answers each. Received: {first}, {second}"
        )
    return max(2, math.ceil(needed))


def power(first: float, second: float, answers_each: int, seed: int = 0) -> float:
    """The share of simulated studies, with so many answers to each model, in which the report's test finds a winner."""
    chance = np.random.default_rng(seed)
    taken = chance.binomial(answers_each, [first, second], size=(REPETITIONS, 2))
    pairs, times = np.unique(taken, axis=0, return_counts=True)
    found = [p_value(Count(int(a), answers_each), Count(int(b), answers_each)) < LEVEL for a, b in pairs]
    return float(np.dot(found, times) / REPETITIONS)


def _at(chance: Chance, exposure: float | None) -> float:
    return chance(exposure) if callable(chance) else chance
