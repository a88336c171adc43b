"""`zoo results`: RESULTS.md, the gallery, README's tables and the headers of recipes, from cards and score files."""

from __future__ import annotations

import argparse

from zoo import console, results
from zoo.commands.arguments import stated_path
from zoo.errors import InputError

HELP = "write the tables of a checkout from its cards and score files"
EXAMPLE = "zoo results"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("--root", default=".", type=stated_path, help="the checkout (default: the current folder)")
    command.add_argument("--check", action="store_true", help="write nothing, and fail if something would be written")
    command.add_argument("--pictures", action="store_true", help="draw the pictures of README and of the gallery first")


def run(arguments: argparse.Namespace) -> None:
    if arguments.check:
        if stale := results.out_of_date(arguments.root):
            raise InputError(
                f"{', '.join(map(str, stale))} should follow from the cards and score files: run `zoo results`"
            )
        return
    if arguments.pictures:
        console.import_tensorflow()
        for path in results.draw(arguments.root):
            print(path)
    for path in results.write(arguments.root):
        print(path)
