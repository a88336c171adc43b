"""Tables of records, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zoo.errors import InputError
from zoo.results.numbers import number, spread, time
from zoo.results.records import Record, mean_score, seeds_of, trainings

NOTED = "\\*"  # next to a name whose numbers lack something; the lines below the table say what
SEEDS = "training seeds"  # the column of a table whose rows are trainings, with means over their seeds
# Columns that are not scores: functions from a record to a cell.
FACTS = {
    "model": lambda record: f"`{record.name}`",
    "recipe": lambda record: f"`{record.recipe}`" if record.recipe else "-",
    "class": lambda record: f"`{record.facts.get('model')}`",
    "dataset": lambda record: f"`{record.facts.get('dataset')}`",
    "steps": lambda record: f"{record.facts['steps']:,}" if record.facts.get("steps") else "-",
    "time": lambda record: time(record.facts),
    "parameters": lambda record: parameters(record.facts),
}


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table whose first row is its head."""
    head, *body = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def parameters(facts: Mapping[str, object]) -> str:
    """How many parameters each player has: "834,369 generator, 213,249 discriminator"."""
    counts = facts.get("parameters") or {}
    return ", ".join(f"{count:,} {player}" for player, count in counts.items()) or "-"


def table(records: Sequence[Record], asked: Mapping[str, object]) -> str:
    """A table as `scores/tables.json` asks for it.

    Args:
        records: all records.
        asked: "where", what the facts of a row (or "shipped") must be; "columns", names in `FACTS`, "differences", or
            titles of scores, at least one of which a row must have; "sort", the column that orders the rows, lowest
            first; "floors", whether the table ends with the scores of real rows, for each dataset; "differences", texts
            by the record's name: where it is given, the records that it names are the only rows. A row is a record;
            with the column "training seeds" it is a training, stated by the record of its lowest seed, and a score is
            the mean over the seeds with its standard deviation.

    Raises:
        InputError: a field that is missing, or a name that no record has.
    """
    columns = asked.get("columns", [])
    if missing := {"where", "columns", *({"differences"} & set(columns))} - asked.keys():
        raise InputError(f"a table needs {', '.join(sorted(missing))}. Received: {', '.join(asked)}")
    titles = [column for column in columns if column not in {*FACTS, SEEDS, "differences"}]
    differences = asked.get("differences", {})
    if unknown := differences.keys() - {record.name for record in records}:
        raise InputError(f"a table states differences of models that exist. Received: {', '.join(sorted(unknown))}")
    rows = trainings(records) if SEEDS in columns else [[record] for record in records]
    rows = [runs for runs in rows if _is(runs[0], asked["where"]) and any(map(runs[0].score, titles))]
    if differences:
        rows = [runs for runs in rows if runs[0].name in differences]
    if sort := asked.get("sort"):
        rows.sort(key=lambda runs: float((mean_score(runs, sort) or {}).get("value", "inf")))
    lines = [columns, *([_cell(runs, column, differences) for column in columns] for runs in rows)]
    stated = [runs[0] for runs in rows]
    if asked.get("floors"):
        lines += _floors(stated, columns, titles)
    notes = sorted({record.note for record in stated if record.note})
    return "\n".join([markdown(lines), *(f"\n{NOTED} {text}" for text in notes)])


def _is(record: Record, where: Mapping[str, object]) -> bool:
    facts = {**record.facts, "shipped": record.shipped}
    return all(facts.get(name) == value for name, value in where.items())


def _cell(runs: Sequence[Record], column: str, differences: Mapping[str, str]) -> str:
    stated = runs[0]
    if column == "differences":
        return differences[stated.name]
    if column == SEEDS:
        return seeds_of(runs)
    if column in FACTS:
        marked = column in ("model", "recipe") and stated.note
        return FACTS[column](stated) + (f" {NOTED}" if marked else "")
    score = mean_score(runs, column) or {"score": column}
    return spread(score) if len(runs) > 1 else number(score)


def _floors(rows: Sequence[Record], columns: Sequence[str], titles: Sequence[str]) -> list[list[str]]:
    """A line for each dataset of the rows: what real rows score in place of samples."""
    lines = []
    for dataset in dict.fromkeys(record.facts.get("dataset") for record in rows):
        known = [record for record in rows if record.facts.get("dataset") == dataset]
        scores = {title: next((one for one in (r.score(title) for r in known) if one), None) for title in titles}
        cells = [number(scores[column], "floor") if scores.get(column) else "-" for column in columns]
        lines.append([f"floor of `{dataset}`", *cells[1:]])
    return lines
