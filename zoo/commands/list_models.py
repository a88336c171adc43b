"""`zoo list`: the trained models and the recipes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from zoo.artefacts.catalogue import pretrained
from zoo.commands.tables import print_table
from zoo.commands.train import print_recipes

HELP = "list the trained models and the recipes"
EXAMPLE = "zoo list"

LISTED = 2  # scores of a model that are shown


def add_flags(command: argparse.ArgumentParser) -> None:
    """`zoo list` has none."""


def run(arguments: argparse.Namespace) -> None:
    models = [
        (
            name,
            card["model"],
            card["dataset"],
            f"{sum(card['parameters'].values()):,}",
            listed(card["scores"]),
        )
        for name, card in pretrained().items()
    ]
    print_table([("MODEL", "CLASS", "DATASET", "PARAMETERS", "SCORES"), *models])
    print()
    print_recipes()


def listed(scores: Sequence[Mapping[str, object]]) -> str:
    """The first scores of a card, rounded; an infinite one is a string there."""
    shown = [f"{score['score']} {float(score['value']):.3g}" for score in scores[:LISTED]]
    more = [f"{len(scores) - LISTED} more"] if len(scores) > LISTED else []
    return ", ".join(shown + more) or "-"
