"""Scores of a model on a dataset under one protocol, each beside its floor: what real test data score in its place.

A model is sampled by the seeds 0 to n - 1 and compared with the training split. The floor is the same score of test
rows in the place of the samples, of as many as there are up to n. What is needed of the data is computed once and kept
under `$GAN_ZOO_CACHE/scores`.
"""

from zoo.evaluation.artefacts import add_to_card, artefact, write
from zoo.evaluation.battle import Battle, battles
from zoo.evaluation.nearest import Neighbours, nearest_training_images
from zoo.evaluation.reference import DataFeatures, Reference
from zoo.evaluation.report import Report, check, check_shape, evaluate, score
from zoo.evaluation.scores import SCORES, VALUES, default_scores, leading_value, reads_features

__all__ = [
    "SCORES",
    "VALUES",
    "Battle",
    "DataFeatures",
    "Neighbours",
    "Reference",
    "Report",
    "add_to_card",
    "artefact",
    "battles",
    "check",
    "check_shape",
    "default_scores",
    "evaluate",
    "leading_value",
    "nearest_training_images",
    "reads_features",
    "score",
    "write",
]
