"""Tables of text: columns aligned on their left, and scores with their floor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from zoo.errors import printable

if TYPE_CHECKING:
    from zoo import evaluation


def print_table(rows: Iterable[tuple[str, ...]]) -> None:
    """Prints rows of equally many cells, the columns aligned on their left."""
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_scores(reports: Mapping[str, evaluation.Report]) -> None:
    """Prints a row for each score, a column for each model and one for the floor; then what the numbers depend on."""
    first, *_ = reports.values()
    rows = [
        (
            records[0]["score"],
            records[0]["better"],
            *(measurement(record) for record in records),
            measurement(records[0], "floor"),
            f"{records[0]['n_fake']:,}" if records[0]["n_fake"] else "-",
            f"{records[0]['floor_n_fake']:,} {records[0]['floor_split']}" if records[0]["floor_n_fake"] else "-",
            f"{records[0]['n_real']:,} {records[0]['reference'].split()[-1]}" if records[0]["reference"] else "-",
        )
        for records in zip(*(report.records for report in reports.values()), strict=True)
    ]
    print_table([("SCORE", "BETTER", *reports, "FLOOR", "SAMPLES", "FLOOR ROWS", "REFERENCE ROWS"), *rows])
    print()
    of_samples = [record for record in first.records if record["n_fake"]]
    rounding = "images rounded to 8 bits" if any(record["rounding"] for record in of_samples) else "not rounded"
    print(f"data: {first.protocol['dataset']}" + (f"; samples: seeds from 0, {rounding}" if of_samples else ""))
    if of_samples:
        print("floor: the same score of real rows in place of the samples")
    for record in [record for record in first.records if record["features"]][:1]:
        print(f"features: {record['features']}, sha256 {record['features_sha256']:.12}…")
        print(f"features of the real data: {first.protocol['real_features']}")


def measurement(record: Mapping[str, object], field: str = "value") -> str:
    """A number of a record as tables show it, with its spread and what else it depends on: "7.5 ± 0.12"."""
    if record[field] is None:
        return "-"
    prefix = "" if field == "value" else f"{field}_"
    spreads = [f" ± {record[prefix + name]:.2g}" for name in ("std", "stderr") if prefix + name in record]
    settings = [
        f" ({name} {_number(record[prefix + name], 3)})"
        for name in ("sigma", "pairs", "scales")
        if prefix + name in record
    ]
    return "".join([_number(record[field], 4), *spreads, *settings])


def _number(value: float, digits: int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(value):.{digits}g}"  # a card has infinity as text
