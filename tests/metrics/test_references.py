"""Agreement with torch-fidelity, prdc and SciPy, whose answers `references.py` has written down."""

import json

import pytest
import references

from zoo import metrics

EXPECTED = json.loads(references.FILE.read_text())
DATA = references.data()


def test_inception_score():
    from scipy.special import softmax

    score = metrics.inception_score(softmax(DATA["logits"], axis=1), references.SPLITS)
    assert score == pytest.approx(EXPECTED["inception_score"], rel=1e-6)


def test_frechet_distance():
    distance = metrics.frechet_distance(DATA["real"], DATA["fake"])
    assert distance == pytest.approx(EXPECTED["frechet_distance"], rel=1e-6)


def test_kernel_distance_of_the_same_subsets():
    distance = metrics.kernel_distance(
        DATA["real"], DATA["fake"], references.SUBSETS, references.SUBSET_SIZE, references.SEED
    )
    assert distance == pytest.approx(EXPECTED["kernel_distance"], rel=1e-6)


def test_precision_and_recall():
    scores = metrics.precision_recall(
        DATA["real"], DATA["fake"], references.NEIGHBOURS, density_k=references.NEIGHBOURS
    )
    assert scores == pytest.approx(EXPECTED["prdc"], rel=1e-6)
    assert {name: scores[name] for name in ("precision", "recall")} == pytest.approx(
        EXPECTED["precision_recall"], rel=1e-6
    )


def test_parzen_log_likelihood():
    score = metrics.parzen_log_likelihood(DATA["samples"], DATA["test"], DATA["test"], sigmas=[references.SIGMA])
    assert score["mean"] == pytest.approx(EXPECTED["log_likelihood"], rel=1e-6)
