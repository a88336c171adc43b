"""The record of trained models: cards, and score files of models that were not kept."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from zoo.artefacts.card import CARD, read_card
from zoo.errors import InputError

SCORES = "scores.json"
SAME = ("score", "features", "reference", "n_fake")  # fields in which two records of the same number agree


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
