"""`zoo sample NAME --seeds SEEDS`: samples of a trained model, as a picture and as arrays."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo import console
from zoo.artefacts.catalogue import LoadedModel, load
from zoo.artefacts.signatures import ROWS_AT_ONCE
from zoo.commands.arguments import add_model
from zoo.errors import InputError, unknown
from zoo.files import expanded, make_folder, replacing, require_possible_folder
from zoo.images import picture, to_bytes, write_png
from zoo.sampling import MOST, check_seeds_and_labels

HELP = "draw samples from a trained model"
ALL = "all"
MOST_TILES = 10_000  # samples in one picture
EXAMPLE = "zoo sample dcgan-fashion_mnist --seeds 0-63 --out grid.png"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)
    command.add_argument(
        "--seeds", required=True, help=f"a sample for each seed: 0-63, or 1,5,9, or 0-7,42; at most {MOST:,}"
    )
    command.add_argument(
        "--label",
        help="one class for all samples, or one for each: Sneaker, or 3, or Sneaker,3,-1; with -1 the seed draws the "
        "class (default: -1); all draws a row of the seeds for each class",
    )
    command.add_argument(
        "--out",
        help=f"picture to write, .png, of at most {MOST_TILES:,} samples, or a folder, FOLDER/, for one picture of "
        "each sample (default: grid.png)",
    )
    command.add_argument("--npz", help="arrays to write, .npz: samples, seeds and labels")
    command.add_argument(
        "--trusted",
        action="store_true",
        help="load the model even if it could run other programs or read your files",
    )


def run(arguments: argparse.Namespace) -> None:
    out = "grid.png" if arguments.out is None and arguments.npz is None else arguments.out
    is_folder = out is not None and out.endswith(("/", os.sep))
    if is_folder:
        require_possible_folder(expanded(out))
    else:
        check_output(out, ".png")
    check_output(arguments.npz, ".npz")
    seeds = parse_seeds(arguments.seeds)
    console.import_tensorflow()
    model = load(arguments.model, trusted=arguments.trusted)
    columns = None
    if arguments.label == ALL:
        labels = classes(model)
        require_at_most(len(seeds) * len(labels))
        columns, seeds, labels = len(seeds), np.tile(seeds, len(labels)), np.repeat(labels, len(seeds))
    else:
        labels = parse_labels(arguments.label, model.class_names)
    seeds, labels = check_seeds_and_labels(seeds, labels, model.sampled_classes)
    require_at_most(len(seeds))
    if out and not is_folder and len(seeds) > MOST_TILES:
        raise InputError(
            f"A picture holds at most {MOST_TILES:,} samples; --npz FILE and --out FOLDER/ take more. "
            f"Received: {len(seeds):,}"
        )
    shown: list[np.ndarray] = []
    with contextlib.ExitStack() as all_or_none:
        append = all_or_none.enter_context(npz_in_parts(arguments.npz, seeds, labels)) if arguments.npz else None
        for start in console.progress(range(0, len(seeds), ROWS_AT_ONCE), "sampling", "batches"):
            rows = slice(start, start + ROWS_AT_ONCE)
            samples = model.sample(seeds[rows], labels[rows])
            if append:
                append(samples)
            if is_folder:
                write_pictures(expanded(out), samples, seeds[rows], labels[rows])
            elif out:
                shown.append(samples)
        if shown:
            write_png(out, picture(np.concatenate(shown), columns))
    for path in filter(None, (out, arguments.npz)):
        print(f"{path}: {len(seeds)} samples")


@contextlib.contextmanager
def npz_in_parts(path: str, seeds: np.ndarray, labels: np.ndarray) -> Iterator[Callable[[np.ndarray], None]]:
    """Writes the .npz of one sample for each seed, completely or not at all, without holding them all in memory.

    Yields:
        A function that takes the next samples, float32 `[n, *data_shape]`.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in {"seeds": seeds, "labels": labels}.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)
        with archive.open("samples.npy", "w", force_zip64=True) as file:
            is_begun = False

            def append(samples: np.ndarray) -> None:
                nonlocal is_begun
                if not is_begun:
                    form = {"descr": "<f4", "fortran_order": False, "shape": (len(seeds), *samples.shape[1:])}
                    np.lib.format.write_array_header_1_0(file, form)
                    is_begun = True
                file.write(samples.astype("<f4").tobytes())

            yield append


def classes(model: LoadedModel) -> np.ndarray:
    """The labels of all classes of a model that samples by class.

    Raises:
        InputError: the model does not sample by class.
    """
    count = model.card.get("num_classes")
    if not count or not model.card.get("conditional", True):
        raise InputError(f"{model.path}: --label {ALL} needs a model that samples by class.")
    require_at_most(count)
    return np.arange(count, dtype=np.int32)


def require_at_most(count: int, most: int = MOST) -> None:
    """Raises an `InputError` for more samples than one command draws."""
    if count > most:
        raise InputError(f"At most {most:,} samples are drawn at once. Received: {count:,}")


def write_pictures(folder: Path, samples: np.ndarray, seeds: np.ndarray, labels: np.ndarray) -> None:
    """Writes each image in its own size as SEED.png, or as SEED-LABEL.png where a class was asked for."""
    make_folder(folder)
    for pixels, seed, label in zip(to_bytes(samples), seeds, labels, strict=True):
        write_png(folder / (f"{seed}.png" if label < 0 else f"{seed}-{label}.png"), pixels)


def parse_seeds(text: str) -> np.ndarray:
    """int64 seeds from numbers of at most 18 digits and ranges of them, both ends included: "0-7,42".

    Raises:
        InputError: anything else, or more than `MOST` seeds.
    """
    ranges = []
    count = 0
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise InputError(f"--seeds should look like 0-63, or 1,5,9, or 0-7,42. Received: {text!r}")
        count += last - first + 1
        if count > MOST:
            raise InputError(f"--seeds should be at most {MOST:,} seeds. Received: {count:,} or more")
        ranges.append(np.arange(first, last + 1))
    return np.concatenate(ranges)


def parse_labels(text: str | None, class_names: Sequence[str] | None) -> int | list[int] | None:
    """One label for all samples, or one for each, from class names or numbers; names take precedence.

    Raises:
        InputError: a part that is neither.
    """
    if text is None:
        return None
    label_of = {name: label for label, name in enumerate(class_names or ())}
    labels = []
    for part in [text] if text in label_of else text.split(","):  # names may hold commas
        if part not in label_of and not re.fullmatch(r"-1|\d{1,9}", part, re.ASCII):
            raise unknown("class", part, label_of)
        labels.append(label_of[part] if part in label_of else int(part))
    return labels if len(labels) > 1 else labels[0]


def check_output(path: str | None, ending: str) -> None:
    """Raises an `InputError` if `path` is given and could not be written with this ending."""
    if path is None:
        return
    if Path(path).suffix != ending:
        raise InputError(f"{path or repr(path)}: should end in {ending}.")
    folder = expanded(path).parent
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: its folder {folder} does not exist or cannot be written.")
