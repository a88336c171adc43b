"""`zoo sweep RECIPE --seed 0-4 [FLAG ...]`: one run for each combination of values, and the spread over the seeds."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.commands.arguments import add_jobs, stated_path
from zoo.commands.tables import print_table
from zoo.errors import InputError
from zoo.files import write_json
from zoo.recipe import many

HELP = "run a recipe for several seeds or values of its settings, and print means and standard deviations"
EXAMPLE = "zoo sweep dcgan_digits --seed 0-2 --filters 16,32 --score_every 1000"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.usage = "zoo sweep [-h] [--workdir FOLDER] [--jobs N] RECIPE FLAG ..."
    command.add_argument("--workdir", type=stated_path, help="folder of all runs (default: runs/RECIPE-sweep)")
    add_jobs(command)
    command.add_argument("recipe", metavar="RECIPE", help="as `zoo train` takes it")
    command.add_argument(
        "flags",
        nargs=argparse.REMAINDER,
        metavar="FLAG ...",
        help="of the recipe; a flag may have several numbers, such as 1e-4,2e-4, or a range, such as 0-4",
    )


def run(arguments: argparse.Namespace) -> None:
    """Makes the runs, resuming any that stopped; then prints one row for each combination of values but the seed."""
    if any(flag.lstrip("-").split("=")[0] in ("workdir", "jobs") for flag in arguments.flags):
        raise InputError("zoo sweep takes --workdir and --jobs before the recipe. Received: one of them after it")
    plan = many.sweep(arguments.recipe, arguments.flags)
    root = arguments.workdir or Path("runs") / f"{Path(arguments.recipe).stem}-sweep"
    summary = many.summary(many.run_all(plan, root, arguments.jobs))
    write_json(root / "summary.json", summary)
    print()
    print_summary(summary)


def print_summary(summary: Sequence[Mapping]) -> None:
    """Prints one row for each combination, with one column for each setting and each score."""
    settings, scores = list(summary[0]["settings"]), list(summary[0]["scores"])
    rows = [
        (
            *(group["settings"][name] for name in settings),
            str(group["runs"]),
            *(spread(group["scores"][name]) for name in scores),
        )
        for group in summary
    ]
    print_table([(*(name.upper() for name in settings), "RUNS", *scores), *rows])


def spread(score: Mapping) -> str:
    """A mean and a standard deviation: "7.5 ± 0.12"."""
    deviation = "" if score["std"] is None else f" ± {score['std']:.2g}"
    return f"{score['mean']:.4g}{deviation}"
