"""The `zoo` command: list, show, sample, score and compare trained models, and train new ones."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo import data, evaluation, features, quiet
from zoo.artefacts.catalogue import LoadedModel, find, load, pretrained
from zoo.artefacts.safety import read_graph
from zoo.errors import InputError, printable, run_command
from zoo.files import make_folder, replacing
from zoo.images import drawable, picture, write_png
from zoo.recipe.catalogue import recipes, run_recipe, title
from zoo.sampling import check_seeds_and_labels

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo


LISTED = 2  # scores of a model that `zoo list` shows


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

    command = add(
        "evaluate",
        evaluate,
        "score a trained model on a dataset, beside real test data",
        "zoo evaluate dcgan-fashion_mnist --data fashion_mnist",
    )
    add_model(command)
    add_protocol(command)
    command.add_argument("--out", help="folder for scores.json and neighbours.png (default: scores/NAME)")
    command.add_argument("--card", action="store_true", help="write the scores into the model's card.json as well")

    command = add(
        "compare",
        compare,
        "score trained models side by side, and let their discriminators judge each other's samples",
        "zoo compare runs/gan_mnist/gan-mnist runs/dcgan_mnist/dcgan-mnist --data mnist",
    )
    command.add_argument(
        "models", nargs="+", metavar="NAME", help="two or more names from `zoo list`, or paths of SavedModels"
    )
    add_protocol(command)

    command = add("train", train, "run a recipe, or list them", "zoo train dcgan_fashion_mnist --steps 1000")
    command.usage = "zoo train [-h] [RECIPE [FLAG ...]]"
    command.add_argument(
        "recipe",
        nargs=argparse.REMAINDER,
        metavar="RECIPE [FLAG ...]",
        help="a name, or the path of a script of yours, and its flags, which `zoo train RECIPE --help` lists; "
        "without a name, the recipes are listed",
    )
    return parser


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help="a name from `zoo list`, or the path of a SavedModel")


def add_protocol(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", required=True, help="dataset to compare with, as `zoo train` takes it")
    command.add_argument("--data_dir", help="where TensorFlow Datasets keeps its files")
    command.add_argument("--image_size", type=int, help="crop and resize the data's images, as in training")
    command.add_argument("--skip_corrupt", action="store_true", help="leave out image files that cannot be read")
    command.add_argument("--samples", type=int, default=10_000, help="how many samples (default: %(default)s)")
    command.add_argument(
        "--scores",
        help=f"some of {', '.join(evaluation.SCORES)} (default: those that suit the data)",
    )
    command.add_argument(
        "--features",
        choices=["classifier", "inception"],
        default="classifier",
        help="what images are compared through: the zoo's classifier of the data (default), or the Inception graph",
    )
    command.add_argument("--inception", metavar="PATH", help="file of the Inception graph")


def list_models(arguments: argparse.Namespace) -> None:
    """`zoo list`"""
    models = [
        (
            name,
            card["model"],
            card["dataset"],
            f"{sum(card['parameters'].values()):,}",
            listed(card["scores"]),
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


def evaluate(arguments: argparse.Namespace) -> None:
    """`zoo evaluate NAME --data D`"""
    quiet.import_tensorflow()
    model = load(arguments.model)
    if arguments.card and not model.card:
        raise InputError(f"{model.path}: has no card.json for --card to write to.")
    reference, scores = read_protocol(arguments, [model])
    out = Path(arguments.out or Path("scores", evaluation.artefact(model)["name"]))
    make_folder(out)

    report = evaluation.evaluate(model.sample, reference, scores, arguments.samples)
    neighbours = None
    if len(shape := reference.dataset.data_shape) == 3 and drawable(np.empty((0, *shape))):
        neighbours = evaluation.nearest_training_images(model.sample, reference)
    print_scores({arguments.model: report})
    paths = evaluation.write(out, model, report, neighbours)
    if arguments.card:
        paths.append(evaluation.add_to_card(model, report, command_line(model.card["name"], arguments)))
    for path in paths:
        print(path)


def compare(arguments: argparse.Namespace) -> None:
    """`zoo compare NAME NAME ... --data D`"""
    if len(set(arguments.models)) < max(2, len(arguments.models)):
        raise InputError(f"zoo compare takes two or more different models. Received: {' '.join(arguments.models)}")
    quiet.import_tensorflow()
    models = {name: load(name) for name in arguments.models}
    reference, scores = read_protocol(arguments, list(models.values()))
    print_scores(
        {
            name: evaluation.evaluate(model.sample, reference, scores, arguments.samples)
            for name, model in models.items()
        }
    )
    print()
    print_battles(evaluation.battles(models, reference.dataset))


def read_protocol(
    arguments: argparse.Namespace, models: Sequence[LoadedModel]
) -> tuple[evaluation.Reference, list[str]]:
    """The reference and the scores that the flags of `add_protocol` ask for, checked with every model."""
    if arguments.inception and arguments.features != "inception":
        raise InputError(f"--inception goes with --features inception. Received: --features {arguments.features}")
    dataset = data.load(arguments.data, arguments.data_dir, arguments.image_size, arguments.skip_corrupt)
    for model in models:
        evaluation.check_shape(model, dataset)
    scores = arguments.scores.split(",") if arguments.scores else evaluation.default_scores(dataset)
    extractor = None
    if evaluation.reads_features(scores) and len(dataset.data_shape) == 3:
        if arguments.features == "inception":
            extractor = features.InceptionFeatures(arguments.inception)
        else:
            extractor = features.ClassifierFeatures(arguments.data)
    reference = evaluation.Reference(dataset, extractor)
    for model in models:
        evaluation.check(model.sample, reference, scores, arguments.samples)
    return reference, scores


def command_line(name: str, arguments: argparse.Namespace) -> str:
    """The line that repeats an evaluation of the model of this name, without the places of this machine."""
    stated = {"samples": arguments.samples, "scores": arguments.scores, "image_size": arguments.image_size}
    flags = [f"--{name}={value}" for name, value in stated.items() if value]
    features = ["--features=inception"] if arguments.features == "inception" else []
    return shlex.join(["zoo", "evaluate", name, f"--data={arguments.data}", *flags, *features])


def print_scores(reports: Mapping[str, evaluation.Report]) -> None:
    """A row a score, a column a model and one for the floor, and below what the numbers depend on."""
    first, *_ = reports.values()
    rows = [
        (
            records[0]["score"],
            records[0]["better"],
            *(measurement(record) for record in records),
            measurement(records[0], "floor"),
            f"{records[0]['n_fake']:,}",
            f"{records[0]['floor_n_fake']:,} {records[0]['floor_split']}" if records[0]["floor_n_fake"] else "-",
            f"{records[0]['n_real']:,} {records[0]['reference'].split()[-1]}" if records[0]["reference"] else "-",
        )
        for records in zip(*(report.records for report in reports.values()), strict=True)
    ]
    print_table([("SCORE", "BETTER", *reports, "FLOOR", "SAMPLES", "FLOOR ROWS", "REFERENCE ROWS"), *rows])
    print()
    print(f"data: {first.protocol['dataset']}; samples: seeds from 0")
    print("floor: the same score of real rows in the place of the samples")
    for record in [record for record in first.records if record["features"]][:1]:
        print(f"features: {record['features']}, sha256 {record['features_sha256']:.12}…")
        print(f"reference statistics: {first.protocol['reference']}")


def print_battles(battles: Iterable[evaluation.Battle]) -> None:
    rows = [
        (
            f"{battle.first} - {battle.second}",
            *((f"{battle.result[ratio]:.3f}" if battle.result else "-") for ratio in ("r_test", "r_sample")),
            winner(battle),
        )
        for battle in battles
    ]
    print_table([("BATTLE (GAM)", "R_TEST", "R_SAMPLE", "WINNER"), *rows])


def winner(battle: evaluation.Battle) -> str:
    """The name of the model that won, "tie", or why there was no battle."""
    if battle.result is None:
        return f"- ({battle.reason})"
    return {"first": battle.first, "second": battle.second}.get(battle.result["winner"], "tie")


def measurement(record: Mapping[str, object], field: str = "value") -> str:
    """A number of a record as tables show it, with its spread and what else it depends on: "7.5 ± 0.12"."""
    if record[field] is None:
        return "-"
    prefix = "" if field == "value" else f"{field}_"
    spreads = [f" ± {record[prefix + name]:.2g}" for name in ("std", "stderr") if prefix + name in record]
    settings = [f" ({name} {record[prefix + name]:.3g})" for name in ("sigma", "scales") if prefix + name in record]
    return "".join([f"{record[field]:.4g}", *spreads, *settings])


def listed(scores: Sequence[Mapping[str, object]]) -> str:
    """The first scores of a card, rounded; an infinite one is a string there."""
    shown = [f"{score['score']} {float(score['value']):.3g}" for score in scores[:LISTED]]
    more = [f"{len(scores) - LISTED} more"] if len(scores) > LISTED else []
    return ", ".join(shown + more) or "-"


def train(arguments: argparse.Namespace) -> None:
    """`zoo train RECIPE [FLAG ...]`: the recipe sees the command line it would see as a script."""
    if not arguments.recipe:
        list_recipes()
        return
    name, *flags = arguments.recipe
    run_recipe(name, flags)


def list_recipes() -> None:
    print_table([("RECIPE", "WHAT IT TRAINS"), *((name, title(path)) for name, path in recipes().items())])


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
    rows = [tuple(map(printable, row)) for row in rows]
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
