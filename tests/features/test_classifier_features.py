"""Features of the classifiers that ship: those of the artefact, its accuracy, and what is refused."""

import numpy as np
import pytest

import zoo
from zoo import data
from zoo.errors import InputError
from zoo.features import ClassifierFeatures
from zoo.metrics import inception_score

SHIPPED = {"digits": 0.97, "mnist": 0.993, "fashion_mnist": 0.925, "cifar10": 0.85}


@pytest.fixture(scope="module")
def digits():
    split = data.load("digits").test
    return split.images.astype("float32") / 255, split.labels


@pytest.fixture(scope="module")
def extractor():
    return ClassifierFeatures("digits")


def test_the_shipped_classifier_is_as_accurate_as_its_card_says(extractor, digits):
    images, labels = digits
    (score,) = zoo.pretrained()["classifier-digits"]["scores"]
    predictions = extractor(images).probabilities.argmax(axis=1)
    assert np.mean(predictions == labels) == score["value"] >= SHIPPED["digits"]
    assert score["n_real"] == len(labels)


@pytest.mark.parametrize("dataset", SHIPPED)
def test_every_classifier_that_ships_is_good_enough_to_judge_by(dataset):
    (score,) = zoo.pretrained()[f"classifier-{dataset}"]["scores"]
    assert (score["score"], score["reference"]) == ("test accuracy", f"{dataset} test")
    assert score["value"] >= SHIPPED[dataset]


def test_a_row_does_not_depend_on_its_batch(extractor, digits):
    images = digits[0][:20]
    together, alone = extractor(images), [extractor(image[None]) for image in images]
    np.testing.assert_allclose(together.features, np.concatenate([one.features for one in alone]), atol=1e-5)
    np.testing.assert_allclose(together.probabilities.sum(axis=1), 1, atol=1e-5)
    assert together.features.shape == (20, extractor.dimensions)


def test_real_digits_score_near_the_number_of_their_classes(extractor, digits):
    mean, _ = inception_score(extractor(digits[0]).probabilities, splits=1)
    assert 9 < mean <= 10


def test_its_scores_have_names_of_their_own(extractor):
    assert extractor.name == "classifier-digits"
    assert not {"FID", "KID", "Inception Score"} & set(extractor.score_names.values())


def test_the_hash_is_that_of_the_weights(extractor):
    files = zoo.pretrained()["classifier-digits"]["files"]
    assert extractor.sha256 == files["1/variables/variables.data-00000-of-00001"]


def test_what_it_cannot_read_is_refused(extractor):
    with pytest.raises(InputError, match=r"\[None, 16, 16, 1\].*\[2, 28, 28, 1\]"):
        extractor(np.zeros((2, 28, 28, 1), "float32"))
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        extractor(np.full((2, 16, 16, 1), 255.0, "float32"))
    with pytest.raises(InputError, match="finite"):
        extractor(np.full((2, 16, 16, 1), np.nan, "float32"))


def test_a_dataset_without_classifier_is_refused():
    with pytest.raises(InputError, match="classifier"):
        ClassifierFeatures("no_such_data")


def test_a_model_that_does_not_classify_is_refused():
    with pytest.raises(InputError, match="expected a signature classify"):
        ClassifierFeatures(str(zoo.load("dcgan-fashion_mnist").path))
