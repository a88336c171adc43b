"""The answers of a study as rows, and as a CSV file."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from zoo.files import replacing
from zoo.study.database import answers, pictures, sessions, sources, subjects, trials
from zoo.study.pictures import Kind
from zoo.study.store import Study


class Record(NamedTuple):
    """An answer and all that belongs to it; times of day are in seconds since 1970, UTC."""

    subject: str
    session: int
    position: int
    source: str
    kind: str
    picture: int
    seed: int
    label: int
    exposure_ms: float | None
    achieved_ms: float
    frame_ms: float
    taken_for_real: bool
    reaction_ms: float
    restarts: int
    shown: float
    answered: float

    @property
    def right(self) -> bool:
        return self.taken_for_real == (self.kind == Kind.REAL)


def read(study: Study) -> list[Record]:
    """Every answer of a study, in the order of subjects, sessions and trials."""
    columns = {"subject": subjects.c.name, "session": sessions.c.number, "picture": pictures.c.id}
    columns |= {"source": sources.c.name, "kind": sources.c.kind}
    for table in (pictures, trials, answers):
        columns |= {column.name: column for column in table.c if column.name in Record._fields}
    chosen = (
        select(*(columns[name] for name in Record._fields))
        .select_from(answers)
        .join(trials, answers.c.trial_id == trials.c.id)
        .join(sessions, trials.c.session_id == sessions.c.id)
        .join(subjects, sessions.c.subject_id == subjects.c.id)
        .join(pictures, trials.c.picture_id == pictures.c.id)
        .join(sources, pictures.c.source_id == sources.c.id)
        .order_by(subjects.c.id, sessions.c.number, trials.c.position)
    )
    with study.reading.begin() as connection:
        return [Record(*row) for row in connection.execute(chosen)]


def export(records: Iterable[Record], path: Path) -> None:
    """Writes the answers as CSV, one per row, with times of day in ISO 8601.

    Raises:
        InputError: the file cannot be written.
    """
    names = [*Record._fields, "right"]
    rows = []
    for record in records:
        times = {name: _iso(getattr(record, name)) for name in ("shown", "answered")}
        rows.append([*record._replace(**times), record.right])
    write_csv(path, names, rows)


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table as CSV, completely or not at all; None becomes an empty cell, a truth value 1 or 0.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([int(cell) if isinstance(cell, bool) else cell for cell in row] for row in rows)


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")
