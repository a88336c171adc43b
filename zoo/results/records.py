"""The record of trained models: cards, and score files of models that were not kept."""

from __future__ import annotations

import json
import math
import re
import shlex
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.artefacts.card import CARD, read_card
from zoo.errors import InputError

SCORES = "scores.json"
SAME = ("score", "features", "reference", "n_fake")  # fields in which two records of the same number agree
REPEATED = re.compile(r"--(seed|workdir|checkpoint_every)\b")  # flags in which two runs of one training may differ


@dataclass(frozen=True)
class Record:
    """What is known about a trained model.

    Args:
        name: the artefact's name.
        facts: what its card or its score file says about it: "model", "dataset", "command", "parameters", "seconds",
            "machine" and so on, as far as they are known.
        scores: as cards hold them, the card's own first.
        shipped: whether the artefact is in the catalogue.
        note: what its numbers lack, in words; empty if nothing.
    """

    name: str
    facts: dict
    scores: list[dict]
    shipped: bool
    note: str = ""

    @property
    def recipe(self) -> str | None:
        """The recipe that made the model, according to its command."""
        words = shlex.split(str(self.facts.get("command") or ""))
        return words[2] if words[:2] == ["zoo", "train"] and len(words) > 2 else None

    @property
    def training(self) -> tuple:
        """What was trained, whatever the seed: equal for the records of runs of one training with several seeds."""
        if self.recipe is None:
            return (self.name,)
        flags = shlex.split(self.facts["command"])[3:]
        return (self.recipe, self.facts.get("dataset"), *sorted(flag for flag in flags if not REPEATED.match(flag)))

    def score(self, title: str) -> dict | None:
        """The first of its scores with this title."""
        return next((score for score in self.scores if score.get("score") == title), None)


def read_records(root: Path) -> list[Record]:
    """The records from a checkout's `pretrained/` and `scores/`, sorted by name.

    Raises:
        InputError: a file that cannot be read, or two that say different things about one model.
    """
    records = {}
    for path in sorted((root / "pretrained").glob(f"*/{CARD}")):
        card = read_card(path)
        records[card["name"]] = Record(card["name"], card, card["scores"], shipped=True)
    for path in sorted((root / "scores").glob(f"*/{SCORES}")):
        contents = read_object(path, "artefact", "scores")
        facts, scores = contents["artefact"], contents["scores"]
        name = facts.get("name")
        known = records.get(name)
        if known is None:
            records[name] = Record(name, {"dataset": contents.get("dataset"), **facts}, scores, False, note(contents))
            continue
        if known.facts.get("files") != facts.get("files"):
            raise InputError(f"{path}: scores of other files than those of {name} that are known already")
        records[name] = Record(name, known.facts, _united(path, known.scores, scores), known.shipped, known.note)
    return [records[name] for name in sorted(records)]


def trainings(records: Iterable[Record]) -> list[list[Record]]:
    """The records of each training, one for each of its seeds, the lowest seed first."""
    runs = {}
    for record in records:
        runs.setdefault(record.training, []).append(record)
    return [sorted(several, key=lambda record: record.facts.get("seed") or 0) for several in runs.values()]


def seeds_of(runs: Iterable[Record]) -> str:
    """The training seeds of these runs: "0, 1, 2"."""
    return ", ".join(str(run.facts.get("seed")) for run in runs)


def mean_score(runs: Sequence[Record], title: str) -> dict | None:
    """The score with this title: that of a single run, or the mean over several.

    Args:
        runs: the records of one training.
        title: the score's title.

    Returns:
        The score, whose `std` is, for several runs, the sample standard deviation over them, or NaN if a value is
        infinite; None if a run lacks it, or if the runs were not all scored by the same protocol.
    """
    scores = [run.score(title) for run in runs]
    if len(scores) == 1:
        return scores[0]
    if None in scores or len({tuple(score.get(field) for field in SAME) for score in scores}) > 1:
        return None
    values = [float(score["value"]) for score in scores]
    kept = {field: scores[0].get(field) for field in ("score", "function")}
    deviation = statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan
    return {**kept, "value": statistics.fmean(values), "std": deviation}


def read_object(path: Path, *fields: str) -> dict:
    """A JSON object with these fields.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}.") from error
    if not isinstance(contents, dict) or set(fields) - contents.keys():
        received = ", ".join(contents) or "an empty object" if isinstance(contents, dict) else type(contents).__name__
        raise InputError(f"{path}: expected an object with {', '.join(fields)}. Received: {received}")
    return contents


def note(contents: dict) -> str:
    """What the numbers of a score file lack, according to the file."""
    return str(contents.get("note") or "")


def _united(path: Path, known: list[dict], found: list[dict]) -> list[dict]:
    """The scores of a card, then those of a score file that it lacks."""
    united = list(known)
    for score in found:
        twin = next((other for other in known if all(other.get(key) == score.get(key) for key in SAME)), None)
        if twin is None:
            united.append(score)
        elif twin["value"] != score["value"]:
            raise InputError(
                f"{path}: {score['score']} is {score['value']} there and {twin['value']} in the card. "
                "`zoo evaluate --card` writes both"
            )
    return united
