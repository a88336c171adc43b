"""The `zoo` command: list, show and sample trained models, and train new ones."""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo import quiet
from zoo.errors import InputError, run_command, unknown
from zoo.files import folder, replacing
from zoo.images import picture, write_png
from zoo.pretrained import find, load, pretrained, read_graph
from zoo.sampling import check_seeds_and_labels

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `zoo` on `argv`, the process's own arguments by default, and returns its exit status."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: arguments.run(arguments))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zoo", description="Sample trained GANs, and train your own.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], None], help: str, example: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=f"example: {example}",
        )
        command.set_defaults(run=run)
        return command

    add("list", list_models, "list the trained models and the recipes", "zoo list")

    command = add("show", show, "show a model's card and its signatures", "zoo show dcgan-fashion_mnist")
    add_model(command)

    command = add(
        "sample",
        sample,
        "draw samples from a trained model",
        "zoo sample dcgan-fashion_mnist --seeds 0-63 --out grid.png",
    )
    add_model(command)
    command.add_argument("--seeds", required=True, help="one sample a seed: 0-63, or 1,5,9, or 0-7,42")
    command.add_argument("--label", type=int, help="class of every sample (default: drawn by the seed)")
    command.add_argument("--out", help="picture to write, .png (default: grid.png, unless --npz is given)")
    command.add_argument("--npz", help="arrays to write, .npz: samples, seeds and labels")
    command.add_argument(
        "--trusted",
        action="store_true",
        help="load the model even if it could run other programs or read your files",
    )

    command = add("train", train, "run a recipe, or list them", "zoo train dcgan_fashion_mnist --steps 1000")
    command.usage = "zoo train [-h] [RECIPE [FLAG ...]]"
    command.add_argument(
        "recipe",
        nargs=argparse.REMAINDER,
        metavar="RECIPE [FLAG ...]",
        help="a name and its own flags, which `zoo train RECIPE --help` lists; no name lists the recipes",
    )
    return parser


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help="a name from `zoo list`, or the path of a SavedModel")


def list_models(arguments: argparse.Namespace) -> None:
    """`zoo list`"""
    models = [
        (
            name,
            card["model"],
            card["dataset"],
            f"{sum(card['parameters'].values()):,}",
            ", ".join(f"{score['score']} {score['value']}" for score in card["scores"]) or "-",
        )
        for name, card in pretrained().items()
    ]
    print_table([("MODEL", "CLASS", "DATASET", "PARAMETERS", "SCORES"), *models])
    print()
    list_recipes()


def show(arguments: argparse.Namespace) -> None:
    """`zoo show NAME`"""
    version, card = find(arguments.model)
    quiet.import_tensorflow()
    signatures = [
        (name, tensors(signature.inputs), tensors(signature.outputs))
        for name, signature in sorted(read_graph(version).signature_def.items())
        if not name.startswith("__")  # the loader's own, such as __saved_model_init_op
    ]
    facts = {"path": version, **card}
    if card:
        facts["files"] = f"{len(card['files'])}, as hashed in the card"
    print_table([(field, plain(value)) for field, value in facts.items()])
    print()
    print_table([("SIGNATURE", "INPUTS", "OUTPUTS"), *signatures])


def sample(arguments: argparse.Namespace) -> None:
    """`zoo sample NAME --seeds SEEDS`"""
    out = arguments.out or (None if arguments.npz else "grid.png")
    check_output(out, ".png")
    check_output(arguments.npz, ".npz")
    seeds, labels = check_seeds_and_labels(parse_seeds(arguments.seeds), arguments.label, num_classes=None)
    quiet.import_tensorflow()
    samples = load(arguments.model, trusted=arguments.trusted).sample(seeds, labels)
    with contextlib.ExitStack() as both_or_none:
        if arguments.npz:
            temporary = both_or_none.enter_context(replacing(arguments.npz))
            np.savez(temporary, samples=samples, seeds=seeds, labels=labels)
        if out:
            write_png(out, picture(samples))
    for path in filter(None, (out, arguments.npz)):
        print(f"{path}: {len(samples)} samples")


def train(arguments: argparse.Namespace) -> None:
    """`zoo train RECIPE [FLAG ...]`: the recipe sees the command line it would see as a script."""
    if not arguments.recipe:
        list_recipes()
        return
    name, *flags = arguments.recipe
    known = recipes()
    if name not in known:
        raise unknown("recipe", name, known)
    sys.argv = [str(known[name]), *flags]
    quiet.import_tensorflow()
    runpy.run_path(sys.argv[0], run_name="__main__")


def list_recipes() -> None:
    def title(path: Path) -> str:
        return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]

    print_table([("RECIPE", "WHAT IT TRAINS"), *((name, title(path)) for name, path in recipes().items())])


def recipes() -> dict[str, Path]:
    """Name -> script of every recipe."""
    return {path.stem: path for path in sorted(folder("recipes").glob("[!_]*.py"))}


def parse_seeds(text: str) -> np.ndarray:
    """int64 seeds from numbers of at most 18 digits and ranges of them, both ends included: "0-7,42".

    Raises:
        InputError: anything else.
    """
    ranges = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise InputError(f"--seeds should look like 0-63, or 1,5,9, or 0-7,42. Received: {text!r}")
        ranges.append(np.arange(first, last + 1))
    return np.concatenate(ranges)


def check_output(path: str | None, ending: str) -> None:
    """Raises an `InputError` if `path` is given and could not be written with this ending."""
    if path is None:
        return
    if Path(path).suffix != ending:
        raise InputError(f"{path}: should end in {ending}.")
    if not os.access(Path(path).parent, os.W_OK):
        raise InputError(f"{path}: its folder {Path(path).parent} does not exist or cannot be written.")


def print_table(rows: Iterable[tuple[str, ...]]) -> None:
    """Prints rows of equally many cells, the columns aligned on their left."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def tensors(infos: Mapping[str, TensorInfo]) -> str:
    """The named tensors of a signature: "label int32 [n], seed int64 [n]"."""
    import tensorflow as tf

    def shape(info: TensorInfo) -> str:
        sizes = ("n" if dimension.size < 0 else str(dimension.size) for dimension in info.tensor_shape.dim)
        return "?" if info.tensor_shape.unknown_rank else f"[{', '.join(sizes)}]"

    return ", ".join(f"{name} {tf.as_dtype(info.dtype).name} {shape(info)}" for name, info in sorted(infos.items()))


def plain(value: object) -> str:
    """A value of a card as a reader would write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ("; " if any(isinstance(item, dict) for item in value) else ", ").join(map(plain, value)) or "-"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
