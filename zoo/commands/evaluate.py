"""`zoo evaluate NAME --data D`: scores of a trained model on a dataset, beside those of real test data."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import numpy as np

from zoo import console, evaluation
from zoo.artefacts.catalogue import load
from zoo.commands.flags import add_model, add_protocol, read_protocol
from zoo.commands.tables import print_scores
from zoo.errors import InputError
from zoo.features.choice import CLASSIFIER
from zoo.files import make_folder
from zoo.images import drawable

HELP = "score a trained model on a dataset, beside real test data"
EXAMPLE = "zoo evaluate dcgan-fashion_mnist --data fashion_mnist"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)
    add_protocol(command)
    command.add_argument("--out", help="folder for scores.json and neighbours.png (default: scores/NAME)")
    command.add_argument("--card", action="store_true", help="write the scores into the model's card.json as well")


def run(arguments: argparse.Namespace) -> None:
    if arguments.out == "":
        raise InputError("--out should be a folder. Received: ''")
    console.import_tensorflow()
    model = load(arguments.model)
    if arguments.card and not model.card:
        raise InputError(f"{model.path}: has no card.json for --card to write to.")
    reference, scores = read_protocol(arguments, [model])
    out = Path(arguments.out or Path("scores", evaluation.artefact(model)["name"]))
    make_folder(out)

    report = evaluation.evaluate(model.sample, reference, scores, arguments.samples)
    neighbours = None
    if len(shape := reference.dataset.data_shape) == 3 and drawable(np.empty((0, *shape))):
        neighbours = evaluation.nearest_training_images(model.sample, reference)
    print_scores({arguments.model: report})
    paths = evaluation.write(out, model, report, neighbours)
    if arguments.card:
        paths.append(evaluation.add_to_card(model, report, command_line(model.card["name"], arguments)))
    for path in paths:
        print(path)


def command_line(name: str, arguments: argparse.Namespace) -> str:
    """The line that repeats an evaluation of the model of this name, without the places of this machine."""
    stated = {
        "samples": arguments.samples,
        "scores": arguments.scores,
        "image_size": arguments.image_size,
        "features": arguments.features if arguments.features != CLASSIFIER else None,
    }
    flags = [f"--{name}={value}" for name, value in stated.items() if value]
    return shlex.join(["zoo", "evaluate", name, f"--data={arguments.data}", *flags])
