"""`zoo compare NAME NAME ... --data D`: scores of models side by side, and battles between them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from zoo import console, evaluation
from zoo.commands.flags import SOURCES, add_protocol, read_protocol
from zoo.commands.tables import print_scores, print_table
from zoo.errors import InputError

HELP = "score trained models side by side, and let their discriminators judge each other's samples"
EXAMPLE = "zoo compare runs/gan_mnist/gan-mnist runs/dcgan_mnist/dcgan-mnist --data mnist"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("models", nargs="+", metavar="NAME", help=f"two or more, each {SOURCES}")
    add_protocol(command)


def run(arguments: argparse.Namespace) -> None:
    if len(set(arguments.models)) < max(2, len(arguments.models)):
        raise InputError(f"zoo compare takes two or more different models. Received: {' '.join(arguments.models)}")
    console.import_tensorflow()
    models, (real, scores, samples) = read_protocol(arguments, arguments.models)
    of_samples = [name for name in scores if name != evaluation.TEST_ERRORS]
    reports = {name: evaluation.evaluate(model.sample, real, of_samples, samples) for name, model in models.items()}
    if evaluation.TEST_ERRORS in scores:
        for name, model in models.items():
            reports[name].records.append(evaluation.test_errors(model, real.dataset))
    print_scores(reports)
    print()
    print_battles(evaluation.battles(models, real.dataset))


def print_battles(battles: Iterable[evaluation.Battle]) -> None:
    rows = [
        (
            f"{battle.first} - {battle.second}",
            *((f"{battle.result[ratio]:.3f}" if battle.result else "-") for ratio in ("r_test", "r_sample")),
            winner(battle),
        )
        for battle in battles
    ]
    print_table([("BATTLE (GAM)", "R_TEST", "R_SAMPLE", "WINNER"), *rows])


def winner(battle: evaluation.Battle) -> str:
    """The name of the model that won, "tie", or why there was no battle."""
    if battle.result is None:
        return f"- ({battle.reason})"
    return {"first": battle.first, "second": battle.second}.get(battle.result["winner"], "tie")
