"""`zoo train RECIPE [FLAG ...]`: runs a recipe, or lists them."""

from __future__ import annotations

import argparse

from zoo.commands.tables import print_table
from zoo.recipe.catalogue import recipes, run_recipe, title

HELP = "run a recipe, or list them"
EXAMPLE = "zoo train dcgan_fashion_mnist --steps 1000"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.usage = "zoo train [-h] [RECIPE [FLAG ...]]"
    command.add_argument(
        "recipe",
        nargs=argparse.REMAINDER,
        metavar="RECIPE [FLAG ...]",
        help="a name, or the path of a script of yours, and its flags, which `zoo train RECIPE --help` lists; "
        "without a name, the recipes are listed",
    )


def run(arguments: argparse.Namespace) -> None:
    """`zoo train RECIPE [FLAG ...]`: the recipe sees the command line it would see as a script."""
    if not arguments.recipe:
        print_recipes()
        return
    name, *flags = arguments.recipe
    run_recipe(name, flags)


def print_recipes() -> None:
    print_table([("RECIPE", "WHAT IT TRAINS"), *((name, title(path)) for name, path in recipes().items())])
