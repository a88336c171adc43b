"""`zoo new PAPER DATASET`: a recipe to start from, copied from the zoo's own."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from zoo.data import mixtures
from zoo.errors import InputError, unknown
from zoo.files import json_text, replacing
from zoo.recipe.catalogue import recipes

HELP = "write a recipe of your own, to change and to run"
EXAMPLE = "zoo new dcgan folder:photos"
DATA = re.compile(r'^    data="(\w+)"', re.MULTILINE)  # the setting of a recipe that says what it trains on
TOYS = (*mixtures.MIXTURES, "swiss_roll")
USUAL = "fashion_mnist"  # whose recipes have the networks that all papers share


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("paper", metavar="PAPER", help="such as dcgan or wgan_gp: a recipe's name without its dataset")
    command.add_argument("dataset", metavar="DATASET", help="as `zoo train --data` takes it")


def run(arguments: argparse.Namespace) -> None:
    if not arguments.dataset:
        raise InputError("DATASET should be a name, as `zoo train --data` takes it. Received: ''")
    name = re.sub(r"\W+", "_", arguments.dataset.removeprefix("folder:")).strip("_")
    path = Path(f"{arguments.paper}_{name}.py")
    source = recipe_of(arguments.paper, arguments.dataset, path)
    if os.path.lexists(path):  # unlike `Path.exists`, no error for a name that is too long
        raise InputError(f"{path} is there already.")
    with replacing(path) as temporary:
        temporary.write_text(source, encoding="utf-8")
    print(f"{path}: change it, then run `zoo train ./{path}`")


def recipe_of(paper: str, dataset: str, path: Path) -> str:
    """The source of the zoo's recipe of a paper, on another dataset, with a header of its own.

    Raises:
        InputError: no recipe of that paper.
    """
    sources = {name: script.read_text(encoding="utf-8") for name, script in recipes().items()}
    found = {}
    for name, source in sources.items():
        trained_on = match[1] if (match := DATA.search(source)) else None
        # Networks for points suit other points, and networks for images suit other images.
        rank = ((trained_on in TOYS) != (dataset in TOYS), trained_on != USUAL, name)
        found.setdefault(name.removesuffix(f"_{trained_on}"), []).append(rank)
    papers = {name: min(ranks)[-1] for name, ranks in found.items()}
    if paper not in papers:
        raise unknown("paper", paper, papers)
    body = sources[papers[paper]].split('"""', 2)[2]
    literal = json_text(dataset).rstrip()  # a JSON string is also a Python string
    body = DATA.sub(lambda _: f"    data={literal}", body, count=1)
    return f'"""A recipe of my own, from the zoo\'s {papers[paper]}.\n\nCommand    zoo train ./{path}\n"""{body}'
