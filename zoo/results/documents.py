"""The documents that follow from the record: which there are, what they hold, and how they are written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.errors import InputError, unknown
from zoo.files import replacing
from zoo.results.gallery import gallery
from zoo.results.headers import with_scores
from zoo.results.numbers import number, protocol, spread, time
from zoo.results.records import Record, read_object, read_records, trainings
from zoo.results.tables import NOTED, markdown, parameters, table

TABLES, PUBLISHED = "tables.json", "published.json"  # in scores/
MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL)
PUBLISHED_FIELDS = ("recipe", "score", "published", "source", "protocol", "differences")
HEAD = """# Results

Every number here is read from a card in `pretrained/` or a score file in `scores/`, or, where it says "published", from
`scores/published.json`. `zoo results` writes this file, docs/gallery.html, the tables of README.md and of docs/, and
what the headers of recipes say of their models; a test holds that they agree. A *floor* is the same score of real test
rows in the place of the samples. Times are of machines that may have had other work too.
"""


def documents(root: Path) -> dict[Path, str]:
    """What each document should hold, by its path.

    Args:
        root: a checkout of the zoo.

    Raises:
        InputError: not a checkout, a record that cannot be read, or a table that is not defined.
    """
    for name in ("README.md", "docs", "recipes", "pretrained", f"scores/{TABLES}"):
        if not os.path.exists(root / name):  # unlike `Path.exists`, no error for a name that is too long
            raise InputError(f"zoo results works in a checkout of the zoo. Received: {root.absolute()}, without {name}")
    records = read_records(root)
    settings = read_object(root / "scores" / TABLES, "renamed_recipes", "tables")
    published = read_object(root / "scores" / PUBLISHED, "published")["published"]
    texts = {root / "RESULTS.md": _results(records, published, settings["renamed_recipes"])}
    for page in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        texts[page] = _with_tables(page.read_text(encoding="utf-8"), records, settings["tables"])
    texts[root / "docs" / "gallery.html"] = gallery(records, root)
    for path in sorted((root / "recipes").glob("*.py")):
        made = [record for record in records if _recipe(record, settings["renamed_recipes"]) == path.stem]
        texts[path] = with_scores(path.read_text(encoding="utf-8"), made)
    return texts


def out_of_date(root: Path) -> list[Path]:
    """The paths of the documents that do not hold what they should."""
    return [path for path, text in documents(root).items() if not path.exists() or path.read_bytes() != text.encode()]


def write(root: Path) -> list[Path]:
    """Writes the documents that do not hold what they should, and returns their paths."""
    texts, stale = documents(root), out_of_date(root)
    for path in stale:
        with replacing(path) as temporary:
            temporary.write_text(texts[path], encoding="utf-8", newline="\n")
    return stale


def _with_tables(text: str, records: Sequence[Record], tables: Mapping[str, Mapping]) -> str:
    """A text with its tables, between `<!-- table: NAME -->` and `<!-- end of table -->`, made anew."""

    def replaced(match: re.Match) -> str:
        start, name, _, end = match.groups()
        if name not in tables:
            raise unknown("table", name, tables)
        return f"{start}\n{table(records, tables[name])}\n\n{end}"

    return MARKED.sub(replaced, text)


def _recipe(record: Record, renamed: Mapping[str, str]) -> str | None:
    return renamed.get(record.recipe, record.recipe)


def _results(records: Sequence[Record], published: Sequence[Mapping], renamed: Mapping[str, str]) -> str:
    parts = [HEAD]
    for dataset in sorted({str(record.facts.get("dataset")) for record in records if record.scores}):
        parts.append(f"## {dataset}\n")
        parts += [_section(record) for record in records if str(record.facts.get("dataset")) == dataset]
    if published:
        parts += ["## Beside the papers\n", _beside(records, published, renamed)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _section(record: Record) -> str:
    facts = record.facts
    lines = [
        ("class", f"`{facts.get('model', '-')}`"),
        ("parameters", parameters(facts)),
        ("command", f"`{facts['command']}`" if facts.get("command") else "-"),
        ("steps, precision", f"{number({'value': facts.get('steps')})}, {facts.get('precision', 'not stated')}"),
        ("time", time(facts)),
        ("trained model", f"`pretrained/{record.name}`" if record.shipped else "was not kept"),
    ]
    if facts.get("note"):
        lines.append(("note", facts["note"]))
    rows = [("score", "value", "floor", "features", "depends on")]
    rows += [
        (
            str(score["score"]),
            spread(score),
            number(score, "floor"),
            f"{score['features']}, {score.get('features_sha256', '-')!s:.8}" if score.get("features") else "-",
            protocol(score),
        )
        for score in record.scores
    ]
    note = f"\n{NOTED} {record.note}\n" if record.note else ""
    listed = "\n".join(f"- {title}: {value}" for title, value in lines)
    return f"### {record.name}\n\n{listed}\n\n{markdown(rows)}\n{note}"


def _beside(records: Sequence[Record], published: Sequence[Mapping], renamed: Mapping[str, str]) -> str:
    """What papers report, labelled as published, next to our value by the same recipe if there is one."""
    rows = [("recipe", "score", "published", "source", "protocol of the paper", "ours", "differences")]
    for one in published:
        if missing := set(PUBLISHED_FIELDS) - one.keys():
            raise InputError(f"scores/{PUBLISHED}: {one} lacks {', '.join(sorted(missing))}")
        ours = [
            f"{number(score)} ({protocol(score)})"
            for record, *_ in trainings(records)
            if _recipe(record, renamed) == one["recipe"] and (score := record.score(one["score"]))
        ]
        cells = (one[field] for field in ("score", "published", "source", "protocol"))
        rows.append((f"`{one['recipe']}`", *cells, "; ".join(ours) or "not scored yet", one["differences"]))
    return markdown(rows)
