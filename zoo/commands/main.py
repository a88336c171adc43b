"""The entry of the `zoo` command: list, sample, score, serve and study trained models, and train new ones."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence

from zoo.console import escape_what_cannot_be_shown, run_command

COMMANDS = {  # and the modules of this package that hold them
    "list": "list_models",
    "show": "show",
    "sample": "sample",
    "interpolate": "interpolate",
    "evaluate": "evaluate",
    "compare": "compare",
    "train": "train",
    "sweep": "sweep",
    "new": "new",
    "export": "export",
    "serving": "serving",
    "study": "study",
    "results": "results",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `zoo` on `argv`, the process's own arguments by default, and returns its exit status."""
    escape_what_cannot_be_shown()
    argv = sys.argv[1:] if argv is None else argv
    asked_for = [name for name in argv[:1] if name in COMMANDS]  # the others need not be imported
    arguments = build_parser(asked_for or COMMANDS).parse_args(argv)
    return run_command(lambda: arguments.run(arguments))


def build_parser(names: Iterable[str]) -> argparse.ArgumentParser:
    """A parser that knows the commands of these names."""
    parser = argparse.ArgumentParser(prog="zoo", description="Sample trained GANs, and train your own.")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in names:
        command = importlib.import_module(f"zoo.commands.{COMMANDS[name]}")
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
