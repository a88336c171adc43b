"""What real rows score in place of samples, kept from run to run."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.evaluation.real_data import RealData, damage_reported
from zoo.evaluation.rows import ROWS
from zoo.evaluation.scores import SCORES, Measured, Rows
from zoo.files import write_json


def floor(real: RealData, name: str, samples: int) -> Measured | None:
    """A score of real rows in place of samples.

    Args:
        real: the data that the rows are taken from and compared with.
        name: the score's name in `SCORES`.
        samples: how many samples the rows replace; there are as many rows, up to `ROWS` and the size of the split.

    Returns:
        What the score found; None if there are fewer rows than it needs.
    """
    score = SCORES[name]
    images = getattr(real.dataset, score.stand_in).images
    count = min(samples, len(images), ROWS)
    if count < score.least(real):
        return None
    path, key = real.folder / "floors.json", f"{name}, {count} rows"
    floors = _kept(path)
    if key not in floors:
        extracted = (array[:count] for array in real.features.test) if score.reads_features else (None, None)
        floors[key] = score.measure(real, Rows(count, *extracted, images[: min(count, score.data_rows)]))
        write_json(path, {key: floor._asdict() for key, floor in floors.items()})
    return floors[key]


def _kept(path: Path) -> dict[str, Measured]:
    if not path.exists():
        return {}
    with damage_reported(path):
        floors = json.loads(path.read_text(encoding="utf-8"), object_hook=_numbers)
        return {key: Measured(**floor) for key, floor in floors.items()}
    return {}


def _numbers(values: dict) -> dict:
    """Reads back the infinities that `write_json` wrote as strings; a floor holds no other strings."""
    return {name: float(value) if isinstance(value, str) else value for name, value in values.items()}
