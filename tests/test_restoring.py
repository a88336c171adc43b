"""A model comes back from its artefact or its workdir, and its weights go into another one."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_model import SHAPE, batches, make

import zoo
from zoo import callbacks
from zoo.artefacts.export import blueprint
from zoo.errors import InputError
from zoo.files import write_json
from zoo.restoring import BLUEPRINT, initialize

SEEDS = np.array([7, 0, 2**40, -3], np.int64)


def trained(name="DCGAN", steps=2, **settings):
    model = make(name, **settings)
    model.fit(batches(), steps_per_epoch=steps, verbose=0)
    return model


def test_an_artefact_is_a_model_again_that_trains_on(tmp_path):
    """`tests/artefacts/test_export.py` restores every other class."""
    model = trained("CGAN", ema_decay=0.9)
    model.export(tmp_path / "model")
    make("DCGAN")  # so that Keras counts layers from elsewhere
    restored = zoo.restore(tmp_path / "model")
    np.testing.assert_allclose(restored.sample(SEEDS, 1), zoo.load(tmp_path / "model").sample(SEEDS, 1), atol=1e-5)
    restored.fit(batches(), steps_per_epoch=2, verbose=0)
    assert restored.step == model.step + 2


def test_networks_and_optimisers_of_ones_own_come_back(tmp_path):
    layers = [keras.Input((4,)), keras.layers.Dense(int(np.prod(SHAPE)), "tanh"), keras.layers.Reshape(SHAPE)]
    model = zoo.DCGAN(SHAPE, latent_size=4, generator=keras.Sequential(layers), filters=2)
    model.compile(generator_optimizer=keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 100)))
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    model.export(tmp_path / "model")
    restored = zoo.restore(tmp_path / "model")
    assert isinstance(restored.generator_optimizer.get_config()["learning_rate"], dict)
    np.testing.assert_allclose(restored.sample(3), model.sample(3), atol=1e-6)


@pytest.fixture
def workdir(tmp_path):
    model = make("DCGAN", ema_decay=0.9)
    checkpoint, best = callbacks.Checkpoint(tmp_path / "checkpoints"), callbacks.Checkpoint(tmp_path / "best")
    write_json(tmp_path / BLUEPRINT, blueprint(model))
    model.fit(batches(), steps_per_epoch=2, epochs=2, verbose=0, callbacks=[checkpoint])
    best.set_model(model)
    best.save()
    model.fit(batches(), steps_per_epoch=2, verbose=0, callbacks=[checkpoint])
    return tmp_path, model


def test_a_workdir_is_a_model_again_with_its_optimisers(workdir):
    path, model = workdir
    restored = zoo.restore(path)
    np.testing.assert_array_equal(restored.sample(SEEDS), model.sample(SEEDS))
    for player in model.players:
        found, expected = restored.optimizer_of(player), model.optimizer_of(player)
        for slot, value in zip(found.variables, expected.variables, strict=True):
            np.testing.assert_array_equal(slot, value)


def test_a_workdirs_checkpoints_by_name(workdir):
    path, _ = workdir
    assert [zoo.restore(path, which).step for which in ("latest", "best", 4, 6)] == [6, 4, 4, 6]
    with pytest.raises(InputError, match="no checkpoint is there"):
        zoo.restore(path, 3)


def test_what_cannot_be_restored_says_why(tmp_path):
    with pytest.raises(InputError, match="Unknown pretrained model"):
        zoo.restore("dcgan-fashion_mnis")
    model = trained()
    model.export(tmp_path / "model")
    with pytest.raises(InputError, match="an artefact holds one state"):
        zoo.restore(tmp_path / "model", "best")
    path = tmp_path / "model" / "card.json"
    card = json.loads(path.read_text())
    write_json(path, card | {"configuration": None})
    with pytest.raises(InputError, match="does not say how to make the model again"):
        zoo.restore(tmp_path / "model")
    write_json(path, card | {"configuration": card["configuration"] | {"filters": 3, "generator": None}})
    with pytest.raises(InputError, match="holds weights of other shapes"):
        zoo.restore(tmp_path / "model")
    write_json(path, card | {"configuration": card["configuration"] | {"fliters": 3}})
    with pytest.raises(InputError, match=r"cannot be made again: .*fliters"):
        zoo.restore(tmp_path / "model")
    write_json(path, card | {"model": "DCGAM"})
    with pytest.raises(InputError, match="Did you mean DCGAN"):
        zoo.restore(tmp_path / "model")


def test_a_model_starts_from_anothers_weights():
    source, model = trained(ema_decay=0.9), make("DCGAN", ema_decay=0.9, seed=5)
    assert initialize(model, source) == []
    np.testing.assert_array_equal(model.sample(SEEDS), source.sample(SEEDS))
    for player in model.players:
        for weight, expected in zip(model.variables_of(player), source.variables_of(player), strict=True):
            np.testing.assert_array_equal(weight, expected)
    assert model.step == 0


def test_averages_start_from_the_network_where_the_source_has_none():
    source, model = trained(), make("DCGAN", ema_decay=0.9, seed=5)
    initialize(model, source)
    np.testing.assert_array_equal(model.sample(SEEDS), source.sample(SEEDS))


def test_what_does_not_fit_is_listed_and_nothing_changes():
    source = trained()
    model = zoo.DCGAN((16, 16, 1), latent_size=source.latent_size, filters=source.filters, seed=5)
    before = [weight.numpy() for weight in model.weights]
    with pytest.raises(InputError, match=r"do not fit DCGAN: .*weight 0 .*\[.*\] against \[.*\]"):
        initialize(model, source)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    misfits = initialize(model, source, partial=True)
    assert misfits
    np.testing.assert_array_equal(model.discriminator.weights[0], source.discriminator.weights[0])


def test_a_long_list_of_what_does_not_fit_is_cut():
    source = trained()
    model = zoo.DCGAN(SHAPE, latent_size=source.latent_size + 1, filters=source.filters + 1)
    with pytest.raises(InputError, match=r"\]; and \d+ more\. --init_partial would leave") as caught:
        initialize(model, source)
    assert str(caught.value).count(" against ") == 5


def test_players_of_other_names_do_not_fit():
    with pytest.raises(InputError, match="encoder: DCGAN has none"):
        initialize(make("ALI"), make("DCGAN"))


SHIPPED = [name for name, card in zoo.pretrained().items() if card["model"] in zoo.MODELS]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_samples_as_its_savedmodel_and_another_starts_from_it_and_trains(name):
    loaded, restored = zoo.load(name), zoo.restore(name)
    np.testing.assert_allclose(restored.sample(16), loaded.sample(16), atol=1e-5)
    assert {weight.dtype for weight in restored.trainable_variables} == {"float32"}

    other = type(restored).from_config(restored.get_config() | {"seed": restored.seed + 1})
    # Eagerly: the contract of the models traces steps, and a trace takes longer than a step.
    other.compile_from_config(restored.get_compile_config() | {"run_eagerly": True})
    assert initialize(other, restored) == []
    for player in other.players:
        for weight, expected in zip(other.variables_of(player), restored.variables_of(player), strict=True):
            np.testing.assert_array_equal(weight, expected)
    rng, rows = np.random.default_rng(0), 6 * other.discriminator_updates
    if other.reference is not None and not other.has_reference:  # `Run.fit` does this
        other.take_reference(rng.uniform(size=other.reference.shape).astype("float32"))
    batch = {
        "image": rng.uniform(size=(rows, *other.data_shape)).astype("float32"),
        "label": np.arange(rows) % (other.num_classes or 1),
    }
    other.fit(tf.data.Dataset.from_tensors(batch), steps_per_epoch=1, verbose=0)
    assert other.step == 1
    assert all(np.isfinite(weight).all() for weight in other.trainable_variables)


def test_every_class_ships():
    assert {zoo.pretrained()[name]["model"] for name in SHIPPED} >= zoo.MODELS.keys() - {"AffDG"}


@pytest.mark.parametrize("contents", ["[]", "{", '{"model": "GAN"}', "3"])
def test_a_workdir_whose_model_cannot_be_read_is_refused(tmp_path, contents):
    (tmp_path / BLUEPRINT).write_text(contents)
    with pytest.raises(InputError, match=r"model.json: expected what a run wrote there. Received: "):
        zoo.restore(tmp_path)
