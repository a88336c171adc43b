"""Writes what an evaluation found: to a folder of its own, and to the card of the model."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

from zoo import images, machine
from zoo.artefacts.card import CARD, read_card
from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.safety import GRAPH
from zoo.errors import InputError
from zoo.evaluation.given import GivenSamples
from zoo.evaluation.nearest import Neighbours
from zoo.evaluation.report import Report
from zoo.files import make_folder, sha256, write_json

SCORES = "scores.json"
PACKAGES = ("gan-zoo", "tensorflow", "numpy", "scipy")
# The fields of a card that a score depends on, or that tables state.
STATED = (
    *("name", "version", "files", "model", "dataset", "command", "settings", "precision", "seed", "steps", "seconds"),
    *("machine", "parameters", "conditional", "label_counts"),
)


def artefact(model: LoadedModel | GivenSamples) -> dict:
    """What was scored: "name", "version", the sha256 of its "files", and what else its card states.

    For a SavedModel without a card, only the graph is hashed.
    """
    if isinstance(model, GivenSamples):
        return model.facts
    if model.card:
        return {key: model.card[key] for key in STATED if key in model.card}
    path = model.path
    versioned = path.name.isdecimal()
    return {
        "name": path.parent.name if versioned else path.name,
        "version": int(path.name) if versioned else None,
        "files": {GRAPH: sha256(path / GRAPH)},
    }


def name_of(model: LoadedModel | GivenSamples) -> str:
    """The name of what was scored, which can also name a folder."""
    return artefact(model)["name"]


def label_prior(model: LoadedModel | GivenSamples) -> str | None:
    """How the class of a sample was chosen; None where samples have no class."""
    if model.card.get("num_classes") is None or not model.card.get("conditional", True):
        return None
    return (
        "label -1: drawn by the seed, each class in its share of label_counts"
        if "label_counts" in model.card
        else "label -1: drawn by the seed, as the graph has it"
    )


def place(directory: Path, model: LoadedModel | GivenSamples, dataset: str) -> Path:
    """The first of DIRECTORY, DIRECTORY.1, DIRECTORY.2, ... that holds no scores of another model or on other data."""
    number, free = 0, directory
    while not _is_free(free, model, dataset):
        number += 1
        free = directory.with_name(f"{directory.name}.{number}")
    return free


def require_free(directory: Path, model: LoadedModel | GivenSamples, dataset: str) -> None:
    """Raises an `InputError` for a folder that holds scores of another model or on other data."""
    if not _is_free(directory, model, dataset):
        raise InputError(
            f"{directory / SCORES} holds other scores than those of {artefact(model)['name']} on {dataset}, "
            "and is not overwritten: name another --out"
        )


def _is_free(directory: Path, model: LoadedModel | GivenSamples, dataset: str) -> bool:
    path = directory / SCORES
    if not os.path.lexists(path):
        return True
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return (found["artefact"]["files"], found["dataset"]) == (artefact(model)["files"], dataset)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # whatever it is, it is not ours
        return False


def write(
    directory: Path, model: LoadedModel | GivenSamples, report: Report, neighbours: Neighbours | None
) -> list[Path]:
    """Writes `scores.json`, and `neighbours.png` if there are neighbours, each completely or not at all.

    The JSON holds the report's protocol, the artefact, the peak memory of this process in MiB (null on Windows), the
    neighbours and, under "scores", what the model's recipe measured and then the records. An infinite value is the
    string "inf".

    Returns:
        The paths written.

    Raises:
        InputError: a file cannot be written.
    """
    make_folder(directory)
    paths = [directory / SCORES]
    seconds = report.protocol["seconds"] | ({"neighbours": round(neighbours.seconds, 3)} if neighbours else {})
    contents = {
        "artefact": artefact(model),
        "labels": label_prior(model),
        "packages": {name: version(name) for name in PACKAGES},
        **report.protocol,
        "seconds": seconds,
        "peak_memory_mib": machine.peak_memory(),
        "neighbours": neighbours and neighbours.found,
        "scores": [record for record in model.card.get("scores", []) if "function" not in record] + report.records,
    }
    write_json(paths[0], contents)
    if neighbours:
        paths.append(directory / "neighbours.png")
        images.write_png(paths[1], neighbours.picture)
    return paths


def add_to_card(model: LoadedModel, report: Report, command: str) -> Path:
    """Adds the records to the scores of the artefact's card, in place of older ones of the same score and data.

    Args:
        model: a model with a card.
        report: what `evaluate` found for this model.
        command: the command that repeats the evaluation.

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
        {key: value for key, value in record.items() if key != "seconds"}
        | {"labels": label_prior(model) if record["n_fake"] else None, "command": command}
        for record in report.records
    ]
    subjects = {subject(record) for record in records}
    card["scores"] = [record for record in card["scores"] if subject(record) not in subjects] + records
    write_json(path, card)
    return path
