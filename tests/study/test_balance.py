"""The sequence of sources and exposures is even wherever it is cut."""

from collections import Counter

import pytest

from zoo.study.balance import cells


@pytest.mark.parametrize(("sources", "exposures"), [(2, 11), (3, 11), (2, 1), (4, 6), (6, 4), (5, 5), (1, 3)])
def test_every_prefix_is_even_to_within_one(sources, exposures):
    for seed in range(3):
        sequence = cells(seed, 0, 3 * sources * exposures + 1, sources, exposures)
        for length in range(len(sequence) + 1):
            prefix = sequence[:length]
            for counted, kinds in (
                (Counter(source for source, _ in prefix), sources),
                (Counter(exposure for _, exposure in prefix), exposures),
                (Counter(prefix), sources * exposures),
            ):
                assert max(counted.values(), default=0) - (min(counted.values()) if len(counted) == kinds else 0) <= 1


def test_parts_make_up_the_sequence_and_subjects_differ():
    whole = cells(5, 0, 40, 3, 11)
    assert cells(5, 0, 15, 3, 11) + cells(5, 15, 25, 3, 11) == whole
    assert len({cells(seed, 0, 1, 3, 11)[0] for seed in range(200)}) == 33
