"""`zoo show NAME`: a model's card and its signatures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo import console
from zoo.artefacts.catalogue import find
from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import description
from zoo.commands.arguments import add_model
from zoo.commands.tables import measurement, print_table
from zoo.errors import InputError, first_line

HELP = "show a model's card and its signatures"
EXAMPLE = "zoo show dcgan-fashion_mnist"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)


def run(arguments: argparse.Namespace) -> None:
    version, card = find(arguments.model)
    facts = {"path": version, **card}
    for lengthy in ("configuration", "compiled"):  # they are for `zoo.restore` to read
        facts.pop(lengthy, None)
    if card:
        facts["files"] = f"{len(card['files'])}, as hashed in the card"
        facts["scores"] = "; ".join(map(told, card["scores"])) or "-"
    signatures = facts.pop("signatures", None) or read_signatures(version)
    try:
        rows = [(name, tensors(parts["inputs"]), tensors(parts["outputs"])) for name, parts in signatures.items()]
    except (AttributeError, KeyError, TypeError) as error:
        received = f"{signatures!r:.100}"
        raise InputError(
            f"{version}: its card states no signatures as the zoo writes them. Received: {received}"
        ) from error
    print_table([(field, plain(value)) for field, value in facts.items()])
    print()
    print_table([("SIGNATURE", "INPUTS", "OUTPUTS"), *rows])


def read_signatures(version: Path) -> dict[str, dict]:
    """The signatures of a SavedModel whose card does not state them.

    Raises:
        InputError: the graph cannot be read, or states types or shapes that do not exist.
    """
    console.import_tensorflow()
    try:
        return description(read_graph(version))
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{version}: its signatures cannot be read: {first_line(error)}") from error


def tensors(described: Mapping[str, Mapping[str, object]]) -> str:
    """The named tensors of a signature: "label int32 [n], seed int64 [n]"."""

    def shape(sides: Sequence[int | None] | None) -> str:
        return "?" if sides is None else f"[{', '.join('n' if side is None else str(side) for side in sides)}]"

    return ", ".join(f"{name} {tensor['dtype']} {shape(tensor['shape'])}" for name, tensor in described.items())


def told(score: object) -> str:
    """A card's score in short form; as it stands on the card if it is not in the form that the zoo writes."""
    try:
        return f"{score['score']} {measurement(score)}"
    except (TypeError, KeyError, ValueError):
        return plain(score)


def plain(value: object) -> str:
    """A value of a card as a reader would write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ("; " if any(isinstance(item, dict) for item in value) else ", ").join(map(plain, value)) or "-"
    return "-" if value is None else str(value)
