"""The features that `--features` and `--inception` ask for."""

from __future__ import annotations

from zoo.errors import InputError
from zoo.features.classifier import ClassifierFeatures
from zoo.features.extractor import Extractor
from zoo.features.inception import InceptionFeatures

CLASSIFIER, INCEPTION = "classifier", "inception"
HELP = (
    f"what computes features of images: `{CLASSIFIER}`, the one that ships for the data; the path of another, which "
    f"`zoo train classifier --data D` wrote; or `{INCEPTION}`, the graph of 2015"
)
INCEPTION_HELP = f"file of the graph of `{INCEPTION}` (default: downloaded once)"


def check(features: str, inception: str | None) -> None:
    """Raises an `InputError` if `--inception` is given and `--features` asks for something else."""
    if inception and features != INCEPTION:
        raise InputError(f"--inception goes with --features {INCEPTION}. Received: --features {features}")


def extractor(features: str, dataset: str, inception: str | None = None) -> Extractor:
    """The extractor that the two flags ask for.

    Args:
        features: "classifier", the one that ships for `dataset`; the path of another classifier; or "inception".
        dataset: the name of the data.
        inception: the file of the Inception graph; None for the published one, downloaded.

    Raises:
        InputError: no such extractor.
    """
    if features == INCEPTION:
        return InceptionFeatures(inception)
    return ClassifierFeatures(dataset if features == CLASSIFIER else features)
