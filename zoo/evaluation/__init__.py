"""Scores of a model on a dataset under one protocol, each with its floor: what real test data score in its place.

A model is sampled by the seeds 0 to n - 1, its images are rounded to 8 bits like those of the data, and compared with
the training split. The floor is the same score of test rows in place of the samples: n rows, or all if there are fewer.
What the scores need of the data is computed once and kept under `$GAN_ZOO_CACHE/scores`.
"""

from zoo.evaluation.artefacts import add_to_card, artefact, name_of, place, require_free, write
from zoo.evaluation.battle import Battle, battles
from zoo.evaluation.classified import TEST_ERRORS, classifies, samples_by_seed, test_errors
from zoo.evaluation.differences import Difference, differences
from zoo.evaluation.given import GivenSamples, given_samples, is_given
from zoo.evaluation.nearest import Neighbours, nearest_training_images
from zoo.evaluation.real_data import DataFeatures, RealData
from zoo.evaluation.report import Report, check, check_shape, evaluate, score
from zoo.evaluation.scores import SCORES, VALUES, default_scores, leading_value, reads_features

__all__ = [
    "SCORES",
    "TEST_ERRORS",
    "VALUES",
    "Battle",
    "DataFeatures",
    "Difference",
    "GivenSamples",
    "Neighbours",
    "RealData",
    "Report",
    "add_to_card",
    "artefact",
    "battles",
    "check",
    "check_shape",
    "classifies",
    "default_scores",
    "differences",
    "evaluate",
    "given_samples",
    "is_given",
    "leading_value",
    "name_of",
    "nearest_training_images",
    "place",
    "reads_features",
    "require_free",
    "samples_by_seed",
    "score",
    "test_errors",
    "write",
]
