"""Which source is shown for how long: as often as every other, to within one, whenever a subject stops."""

from __future__ import annotations

import math
import random


def cells(seed: int, first: int, count: int, sources: int, exposures: int) -> list[tuple[int, int]]:
    """A part of one subject's endless sequence of pairs of a source and an exposure.

    Of the first n pairs of the sequence, whatever n, no source comes more than once more often than another, no
    exposure does, and no pair does. The order within the part says nothing; whoever shows it shuffles it.

    Args:
        seed: the subject's, which chooses the sources and the exposures that come first.
        first: where the part begins: the number of pairs the subject has been given before.
        count: its length.
        sources: how many there are.
        exposures: how many there are.

    Returns:
        `count` pairs of a source in [0, sources) and an exposure in [0, exposures).
    """
    chance = random.Random(seed)
    source_order = chance.sample(range(sources), sources)
    exposure_order = chance.sample(range(exposures), exposures)
    # Along a diagonal of the table of all pairs, both go round evenly; once it closes, the next begins a step aside.
    diagonal = math.lcm(sources, exposures)
    return [
        (source_order[i % sources], exposure_order[(i + i % (sources * exposures) // diagonal) % exposures])
        for i in range(first, first + count)
    ]
