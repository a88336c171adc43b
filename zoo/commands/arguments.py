"""Arguments of commands that need no data; those of scores, in `flags`, import what reads them."""

from __future__ import annotations

import argparse


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help="a name from `zoo list`, or the path of a SavedModel")


def add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--jobs", type=int, default=1, help="how many runs are trained at once (default: 1)")
