"""DCGAN: the paper's settings, a step written out, and batch normalisation that never mixes real and fake."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import values

from zoo import losses
from zoo.errors import InputError
from zoo.models.dcgan import DCGAN
from zoo.optimizers import Adam

SHAPE = (16, 16, 1)  # of 8x8 pixels there would be no batch normalisation in the discriminator
IMAGES = tf.random.stateless_uniform([6, *SHAPE], [0, 1], -1, 1)
LATENTS = tf.random.stateless_uniform([2, 6, 3], [0, 2], -1, 1)


@pytest.fixture(scope="module")
def build():
    """A tiny model, the same every time; building networks is the slow part, so their weights are put back instead."""
    model = DCGAN(SHAPE, latent_size=3, filters=4)
    weights = model.get_weights()

    def build(generator_optimizer=None, discriminator_optimizer=None):
        model.set_weights(weights)
        model.compile(generator_optimizer, discriminator_optimizer)
        return model

    return build


@pytest.fixture
def logits(monkeypatch):
    """The (real, fake) logits of the discriminator's updates while the test runs."""
    seen, loss = [], losses.cross_entropy_discriminator_loss
    monkeypatch.setattr(losses, "cross_entropy_discriminator_loss", lambda *args: seen.append(args) or loss(*args))
    return seen


class TestPaperSettings:
    def test_latents_are_uniform_between_minus_1_and_1(self, build):
        np.testing.assert_array_equal(build().prior.quantile([[0.0], [1.0]]), [[-1] * 3, [1] * 3])

    def test_by_default_100_latents_and_128_filters(self):
        model = DCGAN((8, 8, 1))
        assert model.generator.input_shape == (None, 100)
        assert (model.generator.layers[2].output.shape[1:], model.discriminator.layers[1].filters) == ((4, 4, 128), 128)

    @pytest.mark.parametrize("player", DCGAN.players)
    def test_adam_has_a_low_rate_and_a_low_first_momentum(self, build, player):
        optimizer = build().optimizer_of(player)
        config = optimizer.get_config()
        assert type(optimizer) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [2e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_the_players_start_from_different_draws(self, build):
        model = build()
        kernels = [values(getattr(model, player).trainable_variables)[0].flat[:50] for player in model.players]
        assert not np.isclose(*kernels).any()


class TestStep:
    def test_each_player_moves_once(self, build):
        model = build()
        model.train_step({"image": IMAGES})
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1]

    def test_real_and_fake_rows_are_normalised_apart(self, build, logits):
        model = build()
        real = model.discriminator(IMAGES, training=True)
        fake = model.discriminator(model.generator(LATENTS[0], training=True), training=True)
        model.update_discriminator(IMAGES, LATENTS[0])
        np.testing.assert_allclose(logits[0], [real, fake], rtol=1e-6)

    def test_the_logits_of_real_rows_know_nothing_of_the_fakes(self, build, logits):
        model = build(discriminator_optimizer=keras.optimizers.SGD(0.0))
        for latents in LATENTS:
            model.update_discriminator(IMAGES, latents)
        (real, fake), (real_again, other_fake) = logits
        np.testing.assert_array_equal(real, real_again)
        assert not np.isclose(fake, other_fake).any()

    def test_the_discriminators_loss_is_the_whole_cross_entropy(self, build, logits):
        logs = build().update_discriminator(IMAGES, LATENTS[0])
        real, fake = (1 / (1 + np.exp(-rows.numpy().astype(np.float64))) for rows in logits[0])
        expected = -np.log(real).mean() - np.log(1 - fake).mean()
        assert float(logs["discriminator_loss"]) == pytest.approx(expected, rel=1e-5)

    def test_the_generators_loss_is_that_of_the_discriminator_that_has_moved(self, build):
        model = build(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0))
        fake = model.generator(model.draw_latents(IMAGES, "generator"), training=True)
        stale = self.non_saturating(model, fake)
        logs = model.train_step({"image": IMAGES})
        assert float(logs["generator_loss"]) == pytest.approx(self.non_saturating(model, fake), rel=1e-5)
        assert float(logs["generator_loss"]) != pytest.approx(stale, rel=1e-2)

    @staticmethod
    def non_saturating(model, fake):
        return np.log1p(np.exp(-model.discriminator(fake, training=True).numpy().astype(np.float64))).mean()

    def test_the_players_see_different_noise(self, build, monkeypatch):
        drawn, draw = [], DCGAN.draw_latents
        monkeypatch.setattr(DCGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
        build().train_step({"image": IMAGES})
        assert not np.isclose(*drawn).any()


@pytest.mark.parametrize(
    ("update", "mover", "bystander"),
    [
        (lambda model: model.update_discriminator(IMAGES, LATENTS[0]), "discriminator", "generator"),
        (lambda model: model.update_generator(LATENTS[0]), "generator", "discriminator"),
    ],
    ids=["discriminator", "generator"],
)
def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(build, update, mover, bystander):
    model = build()
    own, others = model.variables_of(mover), model.variables_of(bystander)
    before, kept = values(own), values(others)
    update(model)
    assert all((old != new).any() for old, new in zip(before, values(own), strict=True))
    assert all((old == new).all() for old, new in zip(kept, values(others), strict=True))


def dense(inputs, outputs):
    size = int(np.prod(outputs))
    return keras.Sequential(
        [keras.Input(inputs), keras.layers.Flatten(), keras.layers.Dense(size), keras.layers.Reshape(outputs)]
    )


def test_your_own_networks_are_trained_and_sampled():
    generator, discriminator = dense((3,), SHAPE), dense(SHAPE, (1,))
    model = DCGAN(SHAPE, latent_size=3, generator=generator, discriminator=discriminator)
    model.compile()
    before = values(generator.weights), values(discriminator.weights)
    model.train_step({"image": IMAGES})
    for old, network in zip(before, (generator, discriminator), strict=True):
        assert all((one != other).any() for one, other in zip(old, values(network.weights), strict=True))
    assert model.sampler is generator


@pytest.mark.parametrize(
    ("role", "inputs", "outputs", "wanted", "received"),
    [
        ("generator", (5,), SHAPE, "take inputs of shape (None, 3)", "(None, 5)"),
        ("generator", (3,), (9, 9, 1), "give outputs of shape (None, 16, 16, 1)", "(None, 9, 9, 1)"),
        ("discriminator", (9, 9, 1), (1,), "take inputs of shape (None, 16, 16, 1)", "(None, 9, 9, 1)"),
        ("discriminator", (16, 16, 3), (1,), "take inputs of shape (None, 16, 16, 1)", "(None, 16, 16, 3)"),
        ("discriminator", SHAPE, (2,), "give outputs of shape (None, 1)", "(None, 2)"),
    ],
)
def test_a_network_of_other_shapes_is_refused_with_both(role, inputs, outputs, wanted, received):
    message = rf"`{role}` must {re.escape(wanted)}\. Received: .*{re.escape(received)}"
    with pytest.raises(InputError, match=message):
        DCGAN(SHAPE, latent_size=3, filters=4, **{role: dense(inputs, outputs)})


@pytest.mark.parametrize(
    ("data_shape", "message"),
    [
        ((4, 4, 1), "at least 8x8 pixels. Received: data_shape=(4, 4, 1)"),
        ((18, 18, 1), "multiples of 4. Received: data_shape=(18, 18, 1)"),
        ((2,), "needs images: `data_shape` (height, width, channels). Received: data_shape=(2,)"),
        ((8, 8), "`data_shape` must be (height, width, channels) or (size,), all positive. Received: (8, 8)"),
    ],
)
def test_data_that_a_dcgan_cannot_make_are_refused(data_shape, message):
    with pytest.raises(InputError, match=re.escape(message)):
        DCGAN(data_shape, filters=4)
