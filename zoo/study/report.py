"""The report of a study: a page, a figure, the pictures most often taken for real, and the numbers as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select

from zoo.errors import InputError
from zoo.files import make_folder, replacing
from zoo.study import analysis, figures
from zoo.study.database import pictures
from zoo.study.pictures import Kind
from zoo.study.records import Record, read, write_csv
from zoo.study.store import Study

PICTURED = 10  # pictures in a row


def write(study: Study, directory: Path, attentive_only: bool) -> list[Path]:
    """Writes the report.

    Args:
        study: a study with answers.
        directory: the report's folder, made if it does not exist.
        attentive_only: leaves out the subjects who failed their checks.

    Returns:
        The paths written: the page, the figure, the tables, then rows of pictures.

    Raises:
        InputError: no answers, or a file that cannot be written.
    """
    records = read(study)
    subjects = analysis.attention(records)
    attentive = {subject.name for subject in subjects if subject.attentive}
    counted = [record for record in records if record.subject in attentive] if attentive_only else records
    if not counted:
        whose = "of attentive subjects " if attentive_only else ""
        raise InputError(f"{study.engine.url.database}: no answers {whose}to report.")
    exposures = study.protocol.exposures_ms or (None,)
    models = [name for name in study.tested if name != Kind.REAL]
    points = analysis.curve(counted, study.tested, exposures)
    sensitivities = analysis.sensitivities(counted, models, exposures)
    differences = analysis.differences(counted, models)
    ranks = _ranks(counted, study.tested)

    make_folder(directory)
    paths = [directory / name for name in ("index.html", "figure.png", "curve.csv", "sensitivity.csv")]
    paths += [directory / name for name in ("differences.csv", "subjects.csv", "pictures.csv")]
    page, figure, curve_csv, sensitivity_csv, differences_csv, subjects_csv, pictures_csv = paths
    figures.draw(figure, study.protocol, points, sensitivities)
    _write_curve(curve_csv, points)
    _write_sensitivities(sensitivity_csv, sensitivities)
    names = ["first", "second", "difference", "low", "high", "p_value"]
    write_csv(differences_csv, names, [(d.first, d.second, d.difference, *d.interval, d.p_value) for d in differences])
    write_csv(subjects_csv, analysis.Subject._fields, subjects)
    write_csv(
        pictures_csv,
        ["source", "seed", "label", "answers", "taken_for_real"],
        [(one.source, one.seed, one.label, count.n, count.taken) for one, count in ranks],
    )
    rows = _draw_pictures(study, directory, ranks)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, trim_blocks=True
    )
    environment.filters |= {"percent": figures.percent}
    text = environment.get_template("report.html").render(
        study=study,
        protocol=study.protocol,
        points=points,
        sensitivities=sensitivities,
        differences=differences,
        subjects=subjects,
        records=counted,
        attentive_only=attentive_only,
        overall=analysis.curve(_without_exposure(counted), study.tested, (None,)),
        within=analysis.within_a_frame(counted),
        restarts=sum(record.restarts for record in counted),
        rows=rows,
        confidence=analysis.CONFIDENCE,
        passed=analysis.PASSED,
    )
    with replacing(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [*paths, *(directory / row.file for row in rows)]


def _without_exposure(records: Sequence[Record]) -> list[Record]:
    return [record._replace(exposure_ms=None) for record in records]


def _write_curve(path: Path, points: Sequence[analysis.Point]) -> None:
    names = ["source", "exposure_ms", "taken_for_real", "answers", "share", "low", "high", "band_low", "band_high"]
    rows = [(p.source, p.exposure_ms, *p.count, p.count.share, *p.interval, *p.band, p.spread) for p in points]
    write_csv(path, [*names, "spread_between_subjects"], rows)


def _write_sensitivities(path: Path, found: Sequence[analysis.Sensitivity]) -> None:
    names = ["model", "exposure_ms", "d_prime", "d_prime_low", "d_prime_high", "right", "right_low", "right_high"]
    rows = [(s.model, s.exposure_ms, s.d_prime, *s.d_interval, s.right, *s.right_interval) for s in found]
    write_csv(path, names, rows)


def _ranks(records: Sequence[Record], sources: Sequence[str]) -> list[tuple[Record, analysis.Count]]:
    """A record of each picture and the count of its answers: by source, then the most surely taken for real first."""
    by_picture: dict[int, list[Record]] = {}
    for record in records:
        if record.source in sources:
            by_picture.setdefault(record.picture, []).append(record)
    ranks = [(answers[0], analysis.counted(answers)) for answers in by_picture.values()]
    return sorted(
        ranks, key=lambda rank: (sources.index(rank[0].source), -analysis.wilson(rank[1]).low, rank[1].n, rank[0].seed)
    )


class Shown(NamedTuple):
    """Pictures of one source side by side in a file, and the answers to each."""

    source: str
    title: str
    file: str
    pictures: list[tuple[Record, analysis.Count]]


def _draw_pictures(study: Study, directory: Path, ranks: Sequence[tuple[Record, analysis.Count]]) -> list[Shown]:
    """Writes, for each source, the pictures most often taken for real, and those never so, the most asked first."""
    rows = []
    for place, source in enumerate(study.tested):
        mine = [rank for rank in ranks if rank[0].source == source]
        often = [rank for rank in mine if rank[1].taken]
        never = sorted((rank for rank in mine if not rank[1].taken), key=lambda rank: -rank[1].n)
        rows.append(Shown(source, "most often taken for real", f"most_{place}.png", often[:PICTURED]))
        rows.append(Shown(source, "never taken for real", f"never_{place}.png", never[:PICTURED]))
    rows = [row for row in rows if row.pictures]
    for row in rows:
        figures.montage(directory / row.file, _pngs(study, [one.picture for one, _ in row.pictures]))
    return rows


def _pngs(study: Study, numbers: Sequence[int]) -> list[bytes]:
    with study.reading.begin() as connection:
        found = dict(connection.execute(select(pictures.c.id, pictures.c.png).where(pictures.c.id.in_(numbers))).all())
    return [found[number] for number in numbers]
