"""`zoo sample NAME --seeds SEEDS`: samples of a trained model, as a picture and as arrays."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from pathlib import Path

import numpy as np

from zoo import console
from zoo.artefacts.catalogue import load
from zoo.commands.flags import add_model
from zoo.errors import InputError
from zoo.files import replacing
from zoo.images import picture, write_png
from zoo.sampling import check_seeds_and_labels

HELP = "draw samples from a trained model"
EXAMPLE = "zoo sample dcgan-fashion_mnist --seeds 0-63 --out grid.png"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)
    command.add_argument("--seeds", required=True, help="a sample for each seed: 0-63, or 1,5,9, or 0-7,42")
    command.add_argument("--label", type=int, help="class of every sample (default: drawn by the seed)")
    command.add_argument("--out", help="picture to write, .png (default: grid.png, unless --npz is given)")
    command.add_argument("--npz", help="arrays to write, .npz: samples, seeds and labels")
    command.add_argument(
        "--trusted",
        action="store_true",
        help="load the model even if it could run other programs or read your files",
    )


def run(arguments: argparse.Namespace) -> None:
    out = arguments.out or (None if arguments.npz else "grid.png")
    check_output(out, ".png")
    check_output(arguments.npz, ".npz")
    seeds, labels = check_seeds_and_labels(parse_seeds(arguments.seeds), arguments.label, num_classes=None)
    console.import_tensorflow()
    samples = load(arguments.model, trusted=arguments.trusted).sample(seeds, labels)
    with contextlib.ExitStack() as both_or_none:
        if arguments.npz:
            temporary = both_or_none.enter_context(replacing(arguments.npz))
            np.savez(temporary, samples=samples, seeds=seeds, labels=labels)
        if out:
            write_png(out, picture(samples))
    for path in filter(None, (out, arguments.npz)):
        print(f"{path}: {len(samples)} samples")


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
