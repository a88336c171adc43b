"""What is scored of a model that has learnt from few labels."""

import keras
import numpy as np
import pytest

from zoo.data.dataset import Dataset, Split
from zoo.data.semi_supervised import SemiSupervisedSplit
from zoo.models.semi_supervised_gan import SemiSupervisedGAN, dense_discriminator
from zoo.recipe.few_labels import classification_scores

SHAPE = (4, 4, 1)


@pytest.fixture
def data():
    """Images of which the half that is bright tells the class."""
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 2).astype(np.int32)
    images = rng.integers(0, 100, (60, *SHAPE)).astype("uint8")
    images[labels == 1, 2:] += 150
    images[labels == 0, :2] += 150
    return Dataset("halves", SHAPE, 2, None, "none", lambda split: Split(images, labels))


def test_the_model_and_its_classifier_on_the_labelled_rows_alone(data, capsys):
    keras.utils.set_random_seed(0)
    model = SemiSupervisedGAN(SHAPE, num_classes=2, generator_units=8, discriminator_units=(8,))
    model.compile()
    rows = SemiSupervisedSplit(data.train, 4, 2)
    model.fit(rows.stream(12), steps_per_epoch=30, verbose=0)
    before = model.get_weights()
    ours, baseline = classification_scores(model, data, rows, dense_discriminator(SHAPE, 2, (8,)))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert ours == {**model.test_score(data), "labels": 4}
    assert baseline["score"] == "test accuracy from the labelled rows alone"
    assert baseline["value"] > 0.9
    errors = round(60 * (1 - ours["value"]))
    assert f"test accuracy: {ours['value']:.2%}, {errors} errors of 60" in capsys.readouterr().out
