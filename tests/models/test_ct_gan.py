"""CT-GAN: the consistency term in NumPy, its two passes, what its loss is made of, the paper's settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import values

from zoo import losses, networks
from zoo.errors import InputError
from zoo.layers import GlobalBatchDropout
from zoo.models import ct_gan
from zoo.models.ct_gan import CTGAN, consistency_term
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_normal([8, 2], [0, 2])
SHARES = tf.random.stateless_uniform([8, 1], [0, 3])


def critic(dropout):
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=keras.random.SeedGenerator(2))
    layers = [keras.layers.Dense(16, "tanh", kernel_initializer=initializer)]
    if dropout:
        layers.append(GlobalBatchDropout(dropout))
    return keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1, kernel_initializer=initializer)])


def make(rate=0.5, **settings):
    own = {"generator": networks.mlp(2, 3, units=4, depth=1), "discriminator": critic(rate)}
    model = CTGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01))
    return model


@pytest.fixture
def passes(monkeypatch):
    """The arguments of the consistency terms of the test."""
    seen, term = [], consistency_term
    monkeypatch.setattr(ct_gan, "consistency_term", lambda *args: seen.append(args) or term(*args))
    return seen


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = CTGAN((16, 16, 1), filters=4)
        model.compile()
        return model

    def test_weights_margin_and_updates(self, model):
        assert (model.penalty_weight, model.consistency_weight, model.margin) == (10, 2, 0)
        assert (model.discriminator_updates, model.latent_size, model.decision_boundary) == (5, 128, None)
        assert CTGAN((8, 8, 1)).filters == 128

    def test_half_of_every_hidden_layer_of_the_critic_is_dropped(self, model):
        kinds = [type(layer).__name__ for layer in model.discriminator.layers]
        assert kinds == ["InputLayer", *["Conv2D", "LeakyReLU", "GlobalBatchDropout"] * 2, "Flatten", "Dense"]
        assert model.discriminator.count_params() == 25 * (4 + 4 * 8) + 4 + 8 + 4 * 4 * 8
        assert {layer.rate for layer in model.discriminator.layers if isinstance(layer, GlobalBatchDropout)} == {0.5}

    def test_the_features_are_the_inputs_of_the_last_layer(self, model):
        images = tf.random.stateless_normal([2, 16, 16, 1], [0, 4])
        features, scores = model.features_and_scores(images)
        assert features.shape == (2, 4 * 4 * 8)
        np.testing.assert_allclose(model.discriminator.layers[-1](features), scores, rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize("player", CTGAN.players)
    def test_adam(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.9, 1e-8], rel=1e-6
        )


class TestConsistency:
    @pytest.mark.parametrize("margin", [0.0, 0.6])
    def test_it_is_numpys(self, margin):
        random = np.random.default_rng(0)
        scores, features = random.normal(size=(2, 9, 1)), random.normal(size=(2, 9, 4))
        distance = (scores[0] - scores[1])[:, 0] ** 2 + 0.1 * ((features[0] - features[1]) ** 2).mean(axis=1)
        assert (distance > margin).any()
        expected = np.maximum(0, distance - margin).mean()
        found = consistency_term(*scores, *features, margin)
        assert found.dtype == tf.float32
        assert float(found) == pytest.approx(expected, rel=1e-6)

    def test_its_gradient_reaches_both_passes(self):
        random = np.random.default_rng(0)
        arguments = [tf.constant(random.normal(size=(9, size)), tf.float32) for size in (1, 1, 4, 4)]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            term = consistency_term(*arguments)
        first, second, first_features, second_features = tape.gradient(term, arguments)
        np.testing.assert_allclose(first, 2 * (arguments[0] - arguments[1]) / 9, rtol=1e-5)
        np.testing.assert_array_equal(first, -second)
        np.testing.assert_allclose(first_features, 0.1 * 2 * (arguments[2] - arguments[3]) / (9 * 4), rtol=1e-5)
        np.testing.assert_array_equal(first_features, -second_features)

    def test_without_dropout_it_is_0(self):
        assert float(make(rate=0).update_discriminator(DATA, LATENTS, SHARES)["consistency"]) == 0

    def test_with_dropout_it_is_the_distance_of_two_passes_of_the_same_real_rows(self, passes):
        model = make()
        drawn = model.discriminator.layers[-2]
        drawn.seed_generator.state.assign([3, 5])
        consistency = float(model.update_discriminator(DATA, LATENTS, SHARES)["consistency"])
        assert consistency > 0
        ((scores, other_scores, features, other_features, _),) = passes
        hidden = np.tanh(DATA.numpy() @ make().discriminator.layers[0].kernel.numpy())
        for one in (features, other_features):
            kept = one.numpy() != 0
            np.testing.assert_allclose(one, 2 * hidden * kept, rtol=1e-4, atol=1e-6)
            assert 0.3 < kept.mean() < 0.7
        assert ((features.numpy() == 0) != (other_features.numpy() == 0)).mean() > 0.3
        assert not np.isclose(scores, other_scores).any()

    def test_the_masks_follow_from_the_step(self, passes):
        for _ in range(2):
            model = make()
            rows = tf.data.Dataset.from_tensors({"image": tf.repeat(DATA, 5, axis=0)}).repeat()
            model.run_eagerly = True
            model.fit(rows, steps_per_epoch=1, verbose=0)
        assert len(passes) == 10
        np.testing.assert_allclose(passes[0][0], passes[5][0], rtol=1e-5)
        assert not np.isclose(passes[0][0], passes[1][0]).any()


class TestStep:
    def test_the_critics_loss_is_the_sum_of_its_terms(self):
        model = make(penalty_weight=3.0, consistency_weight=5.0)
        logs = {name: float(value) for name, value in model.update_discriminator(DATA, LATENTS, SHARES).items()}
        assert min(logs["gradient_penalty"], logs["consistency"]) > 1e-3
        expected = -logs["wasserstein_estimate"] + 3 * logs["gradient_penalty"] + 5 * logs["consistency"]
        assert logs["discriminator_loss"] == pytest.approx(expected, rel=1e-5)

    def test_the_estimate_takes_the_first_pass(self, passes, monkeypatch):
        seen, loss = [], losses.wasserstein_critic_loss
        monkeypatch.setattr(losses, "wasserstein_critic_loss", lambda *args: seen.append(args) or loss(*args))
        make().update_discriminator(DATA, LATENTS, SHARES)
        assert seen[0][0] is passes[0][0]

    def test_five_critic_updates_then_one_of_the_generator(self, monkeypatch):
        order, minimize = [], CTGAN.minimize
        monkeypatch.setattr(CTGAN, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        make().train_step({"image": tf.random.stateless_normal([40, 3], [0, 4])})
        assert order == [*["discriminator"] * 5, "generator"]

    def test_a_critics_update_moves_no_weight_of_the_generator_and_the_other_way(self):
        model = make()
        for player, update in (
            ("generator", lambda: model.update_discriminator(DATA, LATENTS, SHARES)),
            ("discriminator", lambda: model.update_generator(LATENTS)),
        ):
            before = values(model.variables_of(player))
            update()
            for old, new in zip(before, values(model.variables_of(player)), strict=True):
                np.testing.assert_array_equal(old, new)

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensor_slices({"image": tf.random.stateless_normal([80, 3], [0, 4])})
        one = make(discriminator_updates=2)
        one.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        with mirrored.scope():
            two = make(discriminator_updates=2)
        two.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        for player in CTGAN.players:
            for left, right in zip(values(one.variables_of(player)), values(two.variables_of(player)), strict=True):
                np.testing.assert_allclose(left, right, atol=1e-5)


def test_batch_normalisation_in_the_critic_draws_a_warning():
    with pytest.warns(UserWarning, match="has batch normalisation, and its gradient's norm is penalised"):
        make(discriminator=networks.normalized_mlp(3, 1, units=4, depth=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"consistency_weight": -1.0}, "`consistency_weight` must be 0 or more. Received: consistency_weight=-1.0"),
        ({"margin": float("nan")}, "`margin` must be 0 or more. Received: margin=nan"),
        ({"penalty_weight": -1.0}, "`penalty_weight` must be 0 or more. Received: penalty_weight=-1.0"),
        ({"dropout": 1.0}, "`dropout` must lie in [0, 1). Received: dropout=1.0"),
        ({"discriminator_updates": 0}, "must be a positive integer. Received: discriminator_updates=0"),
        (
            {"discriminator": keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), keras.layers.Reshape((1,))])},
            "must end in a Dense layer. Received: one that ends in Reshape",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
