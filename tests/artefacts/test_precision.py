"""An export in bfloat16: smaller, near the model, with float32 at every door."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_model import batches, make

import zoo
from zoo.artefacts.precision import in_precision
from zoo.errors import InputError


@pytest.fixture(
    scope="module", params=["ALI", "AffGAN", "CGAN", "LAPGAN", "SemiSupervisedGAN", "SNGAN", "ThreePlayers"]
)
def models(request):
    """A model, averaged and trained a little, and its copy in bfloat16."""
    model = make(request.param, ema_decay=0.9)
    model.fit(batches(), steps_per_epoch=4, verbose=0)
    return model, in_precision(model, "bfloat16")


def test_kernels_are_halved_but_for_the_last_of_each_network(models):
    model, copy = models
    assert len(copy.weights) == len(model.weights)
    halved = [weight for weight in copy.weights if weight.dtype == "bfloat16"]
    for network in copy.networks_of("generator"):
        kernels = [weight.dtype for weight in network.weights if weight.path.endswith("/kernel")]
        assert kernels[-1] == "float32"
        assert set(kernels[:-1]) <= {"bfloat16"}
    assert halved or len(copy.generator.weights) <= 2


def test_samples_are_near_the_models(models):
    model, copy = models
    np.testing.assert_allclose(copy.sample(16, 1), model.sample(16, 1), atol=0.02)


def test_the_model_itself_is_left_alone(models):
    model, _ = models
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    assert in_precision(model, "float32") is model


def test_the_artefact_answers_in_float32_and_says_how_it_computes(tmp_path):
    model = make("DCGAN")
    versions = [model.export(tmp_path / "model", precision=precision) for precision in ("float32", "bfloat16")]
    assert json.loads((tmp_path / "model" / "card.json").read_text())["precision"] == "bfloat16"
    sizes = [sum(file.stat().st_size for file in (version / "variables").iterdir()) for version in versions]
    assert sizes[1] < 0.75 * sizes[0]
    loaded = zoo.load(versions[1])
    np.testing.assert_allclose(loaded.sample(8), model.sample(8), atol=0.02)
    outputs = {spec.dtype for graph in loaded.signatures.values() for spec in graph.structured_outputs.values()}
    assert outputs == {tf.float32, tf.string}


def test_the_artefact_is_restored_in_float32_with_its_optimisers_and_trains(tmp_path):
    model = make("ImprovedGAN")
    model.compile(generator_optimizer=keras.optimizers.SGD(0.125))
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    model.export(tmp_path / "half", precision="bfloat16")
    restored = zoo.restore(tmp_path / "half")
    assert {weight.dtype for weight in restored.trainable_variables} == {"float32"}
    np.testing.assert_allclose(restored.sample(16), model.sample(16), atol=0.02)
    assert restored.optimizer_of("generator").get_config()["learning_rate"] == 0.125
    restored.fit(batches(), steps_per_epoch=2, verbose=0)
    assert restored.step == model.step + 2


def test_weights_of_bfloat16_are_restored_exactly(tmp_path):
    model = make("ALI", ema_decay=0.9)
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    versions = [model.export(tmp_path / "model", precision=precision) for precision in ("float32", "bfloat16_weights")]
    sizes = [sum(file.stat().st_size for file in (version / "variables").iterdir()) for version in versions]
    assert sizes[1] < 0.8 * sizes[0]
    loaded, restored = zoo.load(tmp_path / "model"), zoo.restore(tmp_path / "model")
    np.testing.assert_allclose(loaded.sample(8), model.sample(8), atol=0.01)
    np.testing.assert_allclose(restored.sample(8), loaded.sample(8), atol=1e-6)
    assert {weight.dtype for weight in restored.trainable_variables} == {"float32"}


def test_another_precision_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"`precision` should be one of float32, bfloat16, bfloat16_weights\. Received: 'int8'"
    ):
        make("GAN").export(tmp_path / "model", precision="int8")
    assert not (tmp_path / "model").exists()
