"""The recipes there are, and how one is found and run by its name or its path."""

from __future__ import annotations

import ast
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo import console
from zoo.errors import unknown
from zoo.files import folder


def recipes() -> dict[str, Path]:
    """Name -> script of every recipe of the zoo."""
    return {path.stem: path for path in sorted(folder("recipes").glob("[!_]*.py"))}


def title(script: Path) -> str:
    """The first line of a recipe's docstring."""
    return (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def find(name: str) -> str:
    """The script of a recipe, by a name of `recipes()` or by its path, which ends in .py or has a separator.

    Raises:
        InputError: there is none; the message says the nearest names.
    """
    known = recipes()
    is_path = name.endswith(".py") or os.sep in name
    if not (Path(name).is_file() if is_path else name in known):
        raise unknown("recipe", name, known)
    return name if is_path else str(known[name])


def run_recipe(name: str, flags: Sequence[str]) -> None:
    """Runs a recipe, by its name or path, on the command line that it would see as a script.

    Raises:
        InputError: there is no such recipe.
        SystemExit: at its end, with the status of the run.
    """
    sys.argv = [find(name), *flags]
    console.import_tensorflow()
    runpy.run_path(sys.argv[0], run_name="__main__")
