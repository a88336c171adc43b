"""Keras' own methods on a model of several players: what would be ignored is refused, what is no use says so."""

import numpy as np
import pytest
from test_model import SHAPE, batches, make

from zoo.errors import InputError


@pytest.fixture(scope="module")
def model():
    return make("DCGAN")


@pytest.mark.parametrize("name", ["y", "sample_weight", "class_weight"])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_arguments_that_would_be_ignored_are_refused(model, method, name):
    with pytest.raises(InputError, match=f"DCGAN.{method} reads batches of image and label, and would ignore `{name}`"):
        getattr(model, method)(batches(), steps_per_epoch=1, **{name: {0: 1.0}})


def test_a_call_and_a_prediction_say_what_to_call(model):
    for method in (model, model.predict):
        with pytest.raises(InputError, match=r"`sample\(seeds\)` draws samples; its networks are in `generator`"):
            method(np.zeros((1, *SHAPE), np.float32))


def test_a_dataset_is_not_said_to_be_shuffled(model, recwarn):
    model.fit(batches(), steps_per_epoch=1, verbose=0)
    assert not [warning for warning in recwarn if "shuffle" in str(warning.message)]


def test_arrays_are_shuffled(model):
    rows = {"image": np.zeros((24, *SHAPE), np.uint8)}
    history = model.fit(rows, batch_size=12, verbose=0)
    assert np.isfinite(history.history["generator_loss"]).all()
