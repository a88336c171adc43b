"""Arguments that need no data; those of the commands that score are in `flags`, which imports what reads data."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.errors import InputError
from zoo.files import expanded

MODELS = "a name from `zoo list`, or the path of a SavedModel or of a workdir whose run has exported one"


def stated_path(text: str) -> Path:
    """The path that a flag states, its leading `~` expanded; argparse calls this.

    Raises:
        argparse.ArgumentTypeError: the text is empty, or names the home of a user who does not exist.
    """
    try:
        if text:
            return expanded(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    raise argparse.ArgumentTypeError("expected a path. Received: ''")


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help=MODELS)


def add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--jobs", type=int, default=1, help="how many runs are trained at once (default: 1)")
