"""The entry of the `zoo` command: list, sample, score, serve and study trained models, and train new ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zoo.commands import compare, evaluate, list_models, results, sample, serving, show, study, sweep, train
from zoo.console import run_command

COMMANDS = {
    "list": list_models,
    "show": show,
    "sample": sample,
    "evaluate": evaluate,
    "compare": compare,
    "train": train,
    "sweep": sweep,
    "serving": serving,
    "study": study,
    "results": results,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `zoo` on `argv`, the process's own arguments by default, and returns its exit status."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: arguments.run(arguments))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zoo", description="Sample trained GANs, and train your own.")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=command.HELP,
            description=f"{command.HELP[0].upper()}{command.HELP[1:]}.",
            epilog=f"example: {command.EXAMPLE}",
        )
        command.add_flags(subparser)
        subparser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
