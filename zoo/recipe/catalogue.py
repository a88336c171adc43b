"""The available recipes, and how one is found and run by its name or its path."""

from __future__ import annotations

import ast
import contextlib
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from zoo import console
from zoo.errors import unknown
from zoo.files import folder
from zoo.recipe.flags import HELP_FLAGS, described, flags_of


def recipes() -> dict[str, Path]:
    """The script of every recipe of the zoo, by the recipe's name."""
    return {path.stem: path for path in sorted(folder("recipes").glob("[!_]*.py"))}


def title(script: Path) -> str:
    """The first line of a recipe's docstring."""
    return (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def help_of(script: Path) -> str | None:
    """What a recipe's `--help` prints, read from its source, since importing what it trains takes seconds.

    Returns:
        The text; `None` for a script whose settings are known only when it runs.
    """
    tree = ast.parse(script.read_text(encoding="utf-8"))
    constants = [node for node in tree.body if isinstance(node, ast.Assign)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "main" and not node.decorator_list:
            bare = ast.copy_location(ast.FunctionDef(**{**vars(node), "body": [ast.Pass()]}), node)
            module = ast.fix_missing_locations(ast.Module([*constants, bare], type_ignores=[]))
            namespace = {}
            with contextlib.suppress(Exception):  # a default that is none of the script's own constants
                exec(compile(module, str(script), "exec"), namespace)
                return described(ast.get_docstring(tree), flags_of(namespace["main"]))
    return None


def find(name: str) -> str:
    """The script of a recipe, by a name of `recipes()` or by its path, which ends in .py or has a separator.

    Raises:
        InputError: there is no such recipe; the message gives the nearest names.
    """
    known = recipes()
    is_path = name.endswith(".py") or os.sep in name
    script = os.path.expanduser(name) if is_path else str(known.get(name, ""))
    if not os.path.isfile(script):
        raise unknown("recipe", name, known)
    return script


def run_recipe(name: str, flags: Sequence[str]) -> None:
    """Runs a recipe, by its name or path, on the command line that it would see as a script.

    Raises:
        InputError: there is no such recipe.
        SystemExit: at its end, with the status of the run.
    """
    sys.argv = [find(name), *flags]
    if HELP_FLAGS & set(flags) and (text := help_of(Path(sys.argv[0]))):
        print(text)
        return
    console.import_tensorflow()
    runpy.run_path(sys.argv[0], run_name="__main__")
