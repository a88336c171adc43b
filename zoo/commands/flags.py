"""The flags of the commands that score, and what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from zoo import data, evaluation
from zoo.artefacts.catalogue import LoadedModel, load
from zoo.commands.arguments import MODELS
from zoo.errors import InputError
from zoo.features import choice

SAMPLES = 10_000
SOURCES = f"{MODELS}; or samples: folder:PATH of images, or an .npz of `samples`"


class Protocol(NamedTuple):
    """How samples are scored.

    Args:
        real: what they are compared with.
        scores: names in `evaluation.SCORES`, and `evaluation.TEST_ERRORS` where models classify.
        samples: the number of samples.
    """

    real: evaluation.RealData
    scores: list[str]
    samples: int


def add_data(command: argparse.ArgumentParser, required: bool = True) -> None:
    command.add_argument("--data", required=required, help="dataset to compare with, as `zoo train` takes it")
    command.add_argument("--data_dir", help="where TensorFlow Datasets keeps its files")
    command.add_argument("--image_size", type=int, help="crop and resize images, as in training")
    command.add_argument("--skip_corrupt", action="store_true", help="leave out image files that cannot be read")


def add_protocol(command: argparse.ArgumentParser, needs_data: bool = True) -> None:
    add_data(command, needs_data)
    command.add_argument(
        "--samples", type=int, help=f"how many samples (default: {SAMPLES:,}, or all of a folder or an .npz if fewer)"
    )
    command.add_argument(
        "--scores",
        help=f"some of {', '.join([*evaluation.SCORES, evaluation.TEST_ERRORS])} (default: those that suit the data, "
        f"and {evaluation.TEST_ERRORS} of a model that classifies)",
    )
    command.add_argument("--features", default=choice.CLASSIFIER, help=f"{choice.HELP} (default: %(default)s)")
    command.add_argument("--inception", metavar="PATH", help=choice.INCEPTION_HELP)


def read_protocol(
    arguments: argparse.Namespace, names: Sequence[str]
) -> tuple[dict[str, LoadedModel | evaluation.GivenSamples], Protocol]:
    """The models or given samples of these names, and how the flags of `add_protocol` ask for them to be scored."""
    choice.check(arguments.features, arguments.inception)
    models = {name: load(name) for name in names if not evaluation.is_given(name)}
    dataset = data.load(arguments.data, arguments.data_dir, arguments.image_size, arguments.skip_corrupt)
    for model in models.values():
        evaluation.check_shape(model, dataset)
    read = {"image_size": arguments.image_size, "skip_corrupt": arguments.skip_corrupt}
    sources = {name: models.get(name) or evaluation.given_samples(name, dataset.data_shape, **read) for name in names}
    scores = asked(arguments.scores, sources, dataset)
    known = [name for name in scores if name != evaluation.TEST_ERRORS]
    extractor = None
    if evaluation.reads_features(known) and len(dataset.data_shape) == 3:
        extractor = choice.extractor(arguments.features, arguments.data, arguments.inception)
    real = evaluation.RealData(dataset, extractor)
    counts = [source.count for source in sources.values() if isinstance(source, evaluation.GivenSamples)]
    samples = arguments.samples if arguments.samples is not None else min([SAMPLES, *counts])
    for source in sources.values():
        evaluation.check(source.sample, real, known, samples)
        if isinstance(source, evaluation.GivenSamples) and known:
            source.require(samples)
    return sources, Protocol(real, scores, samples)


def asked(
    scores: str | None, sources: Mapping[str, LoadedModel | evaluation.GivenSamples], dataset: data.Dataset
) -> list[str]:
    """The scores that `--scores` names, or those that suit the data and what is scored on them."""
    if scores:
        names = list(dict.fromkeys(scores.split(",")))
        if evaluation.TEST_ERRORS in names and not all(map(evaluation.classifies, sources.values())):
            raise InputError(f"{evaluation.TEST_ERRORS} are of models that classify. Received: {', '.join(sources)}")
        return names
    sampled = all(map(evaluation.samples_by_seed, sources.values()))
    classified = dataset.num_classes is not None and all(map(evaluation.classifies, sources.values()))
    if classified:
        return [*(evaluation.default_scores(dataset) if sampled else []), evaluation.TEST_ERRORS]
    return evaluation.default_scores(dataset)
