"""`zoo evaluate NAME --data D`: scores of a trained model on a dataset, next to those of real test data."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from zoo import console, evaluation
from zoo.artefacts.catalogue import find
from zoo.commands.arguments import stated_path
from zoo.commands.flags import SOURCES, add_protocol, read_protocol
from zoo.commands.tables import print_scores
from zoo.errors import InputError
from zoo.features.choice import CLASSIFIER
from zoo.files import make_folder
from zoo.images import drawable

HELP = "score a trained model, or samples of any generator, on a dataset, next to real test data"
EXAMPLE = "zoo evaluate dcgan-fashion_mnist --data fashion_mnist"

RUNS = Path("runs", "scores")


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help=SOURCES)
    add_protocol(command)
    command.add_argument(
        "--out",
        type=stated_path,
        help="folder for scores.json and neighbours.png (default: runs/scores/NAME, or NAME.1 and so on if it holds "
        "the scores of something else)",
    )
    command.add_argument("--card", action="store_true", help="write the scores into the model's card.json as well")


def run(arguments: argparse.Namespace) -> None:
    if arguments.card:
        require_card(arguments.model)
    console.import_tensorflow()
    sources, (real, scores, samples) = read_protocol(arguments, [arguments.model])
    (model,) = sources.values()
    data = real.dataset.name
    out = arguments.out or evaluation.place(RUNS / evaluation.name_of(model), model, data)
    evaluation.require_free(out, model, data)
    make_folder(out)

    of_samples = [name for name in scores if name != evaluation.TEST_ERRORS]
    report = evaluation.evaluate(model.sample, real, of_samples, samples)
    if evaluation.TEST_ERRORS in scores:
        report.records.append(evaluation.test_errors(model, real.dataset))
    neighbours = None
    if of_samples and len(shape := real.dataset.data_shape) == 3 and drawable(shape):
        neighbours = evaluation.nearest_training_images(model.sample, real)
    print_scores({arguments.model: report})
    paths = evaluation.write(out, model, report, neighbours)
    if arguments.card:
        paths.append(evaluation.add_to_card(model, report, command_line(model.card["name"], arguments, samples)))
    for path in paths:
        print(path)


def require_card(name: str) -> None:
    """Raises an `InputError` for samples, and for a model without a card."""
    if evaluation.is_given(name):
        raise InputError(f"--card goes with a model. Received: {name}")
    path, card = find(name)
    if not card:
        raise InputError(f"{path}: has no card.json for --card to write to.")


def command_line(name: str, arguments: argparse.Namespace, samples: int) -> str:
    """The command that repeats an evaluation of the model of this name, without paths on this machine."""
    stated = {
        "samples": samples,
        "scores": arguments.scores,
        "image_size": arguments.image_size,
        "features": arguments.features if arguments.features != CLASSIFIER else None,
    }
    flags = [f"--{name}={value}" for name, value in stated.items() if value]
    flags += ["--skip_corrupt"] * arguments.skip_corrupt
    return shlex.join(["zoo", "evaluate", name, f"--data={arguments.data}", *flags])
