"""`zoo train RECIPE [FLAG ...]`: runs a recipe or all recipes of a list, or lists the recipes."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.commands.arguments import add_jobs, stated_path
from zoo.commands.tables import print_table
from zoo.errors import InputError
from zoo.recipe import many
from zoo.recipe.catalogue import recipes, run_recipe, title

HELP = "run a recipe, run all recipes of a list, or list them"
EXAMPLE = "zoo train dcgan_fashion_mnist --steps 1000"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.usage = "zoo train [-h] [RECIPE [FLAG ...]]\n       zoo train [--jobs N] --all LIST"
    command.add_argument(
        "--all",
        type=stated_path,
        metavar="LIST",
        help="a file with a recipe and its flags on each line: each runs in its own workdir in runs/LIST; finished "
        "runs are skipped, interrupted ones are resumed",
    )
    add_jobs(command)
    command.add_argument(
        "recipe",
        nargs=argparse.REMAINDER,
        metavar="RECIPE [FLAG ...]",
        help="a name, or the path of a script of yours, and its flags, which `zoo train RECIPE --help` lists; "
        "without a name, the recipes are listed",
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs a recipe with the command line that it would see as a script, or a list of recipes, or lists them."""
    if arguments.all:
        if arguments.recipe:
            raise InputError(f"--all takes its recipes from the list. Received: {' '.join(arguments.recipe)} as well")
        many.run_all(many.read_list(arguments.all), Path("runs") / arguments.all.stem, arguments.jobs)
        return
    if not arguments.recipe:
        print_recipes()
        return
    name, *flags = arguments.recipe
    run_recipe(name, flags)


def print_recipes() -> None:
    print_table([("RECIPE", "WHAT IT TRAINS"), *((name, title(path)) for name, path in recipes().items())])
