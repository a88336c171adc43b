"""Which source is shown for how long: all equally often, to within one, whenever a subject stops."""

from __future__ import annotations

import math
import random


def cells(seed: int, first: int, count: int, sources: int, exposures: int) -> list[tuple[int, int]]:
    """A part of one subject's endless sequence of pairs of a source and an exposure.

    Among the first n pairs of the sequence, for any n, the counts of any two sources differ by at most one; so do the
    counts of exposures, and those of pairs. The order within the part has no meaning; the caller shuffles it.

    Args:
        seed: the subject's seed, which chooses the sources and the exposures that come first.
        first: where the part begins: the number of pairs that the subject has been given before.
        count: the length of the part.
        sources: the number of sources.
        exposures: the number of exposures.

    Returns:
        `count` pairs of a source in [0, sources) and an exposure in [0, exposures).
    """
    chance = random.Random(seed)
    source_order = chance.sample(range(sources), sources)
    exposure_order = chance.sample(range(exposures), exposures)
    # Along a diagonal of the table of all pairs, both advance evenly; when it closes, the next begins one step aside.
    diagonal = math.lcm(sources, exposures)
    return [
        (source_order[i % sources], exposure_order[(i + i % (sources * exposures) // diagonal) % exposures])
        for i in range(first, first + count)
    ]
