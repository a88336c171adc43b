"""Writes what an evaluation found: to a folder of its own, and to the card of the model."""

from __future__ import annotations

from pathlib import Path

from zoo import images, machine
from zoo.artefacts.card import CARD, read_card
from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.safety import GRAPH
from zoo.evaluation.nearest import Neighbours
from zoo.evaluation.report import Report
from zoo.files import make_folder, sha256, write_json

IN_CARD = ("score", "value", "std", "stderr", "features", "n_real", "n_fake", "reference", "floor", "floor_n_fake")


def artefact(model: LoadedModel) -> dict:
    """Which model was scored: "name", "version" and the sha256 of its "files", of its graph alone without a card."""
    if model.card:
        return {key: model.card[key] for key in ("name", "version", "files")}
    path = model.path
    versioned = path.name.isdecimal()
    return {
        "name": path.parent.name if versioned else path.name,
        "version": int(path.name) if versioned else None,
        "files": {GRAPH: sha256(path / GRAPH)},
    }


def write(directory: Path, model: LoadedModel, report: Report, neighbours: Neighbours | None) -> list[Path]:
    """Writes `scores.json`, and `neighbours.png` if there are any, each whole or not at all.

    The JSON holds the report's protocol, the artefact, the peak memory of this process in MiB (null on Windows), the
    neighbours and the records, under "scores". An infinite value is the string "inf".

    Returns:
        The paths written.

    Raises:
        InputError: a file cannot be written.
    """
    make_folder(directory)
    paths = [directory / "scores.json"]
    seconds = report.protocol["seconds"] | ({"neighbours": round(neighbours.seconds, 3)} if neighbours else {})
    contents = {
        "artefact": artefact(model),
        **report.protocol,
        "seconds": seconds,
        "peak_memory_mib": machine.peak_memory(),
        "neighbours": neighbours and neighbours.found,
        "scores": report.records,
    }
    write_json(paths[0], contents)
    if neighbours:
        paths.append(directory / "neighbours.png")
        images.write_png(paths[1], neighbours.picture)
    return paths


def add_to_card(model: LoadedModel, report: Report, command: str) -> Path:
    """Adds the records to the scores of the artefact's card, in place of older ones of the same score and data.

    Args:
        model: with a card.
        report: of this model.
        command: the line that repeats it.

    Returns:
        The card's path.

    Raises:
        InputError: the card cannot be written.
    """

    def subject(record: dict) -> tuple:
        return tuple(record.get(key) for key in ("score", "features", "reference"))

    path = model.path.parent / CARD
    card = read_card(path)
    records = [
        {key: value for key, value in record.items() if key in IN_CARD} | {"command": command}
        for record in report.records
    ]
    subjects = {subject(record) for record in records}
    card["scores"] = [record for record in card["scores"] if subject(record) not in subjects] + records
    write_json(path, card)
    return path
