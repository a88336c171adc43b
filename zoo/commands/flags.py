"""Flags that several commands share, and what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from zoo import data, evaluation
from zoo.artefacts.catalogue import LoadedModel
from zoo.features import choice


def add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="NAME", help="a name from `zoo list`, or the path of a SavedModel")


def add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument("--jobs", type=int, default=1, help="how many runs are trained at once (default: 1)")


def add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", required=True, help="dataset to compare with, as `zoo train` takes it")
    command.add_argument("--data_dir", help="where TensorFlow Datasets keeps its files")
    command.add_argument("--image_size", type=int, help="crop and resize the data's images, as in training")
    command.add_argument("--skip_corrupt", action="store_true", help="leave out image files that cannot be read")


def add_protocol(command: argparse.ArgumentParser) -> None:
    add_data(command)
    command.add_argument("--samples", type=int, default=10_000, help="how many samples (default: %(default)s)")
    command.add_argument(
        "--scores",
        help=f"some of {', '.join(evaluation.SCORES)} (default: those that suit the data)",
    )
    command.add_argument("--features", default=choice.CLASSIFIER, help=f"{choice.HELP} (default: %(default)s)")
    command.add_argument("--inception", metavar="PATH", help=choice.INCEPTION_HELP)


def read_protocol(
    arguments: argparse.Namespace, models: Sequence[LoadedModel]
) -> tuple[evaluation.Reference, list[str]]:
    """The reference and the scores that the flags of `add_protocol` ask for, checked with every model."""
    choice.check(arguments.features, arguments.inception)
    dataset = data.load(arguments.data, arguments.data_dir, arguments.image_size, arguments.skip_corrupt)
    for model in models:
        evaluation.check_shape(model, dataset)
    scores = arguments.scores.split(",") if arguments.scores else evaluation.default_scores(dataset)
    extractor = None
    if evaluation.reads_features(scores) and len(dataset.data_shape) == 3:
        extractor = choice.extractor(arguments.features, arguments.data, arguments.inception)
    reference = evaluation.Reference(dataset, extractor)
    for model in models:
        evaluation.check(model.sample, reference, scores, arguments.samples)
    return reference, scores
