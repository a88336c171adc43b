"""GAN: the authors' settings, Algorithm 1 written out, and who may move whose weights."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import sigmoid, softplus

from zoo.errors import InputError
from zoo.models.gan import GAN
from zoo.optimizers import MomentumRampSGD

DATA = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)


def linear(inputs, outputs, seed):
    initializer = keras.initializers.RandomNormal(seed=seed, stddev=1.0)
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs, kernel_initializer=initializer)])


@pytest.fixture
def make():
    """Builds linear players on points of the plane; gradient descent with rates of 0.1 (generator) and 0.2."""

    def make(**settings):
        model = GAN((2,), latent_size=3, generator=linear(3, 2, seed=1), discriminator=linear(2, 1, seed=2), **settings)
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
        return model

    return make


@pytest.fixture
def updates(monkeypatch):
    """The updates that models make while the test runs: (name, arguments as arrays)."""
    seen = []
    for name in ("update_discriminator", "update_generator"):
        method = getattr(GAN, name)

        def spy(self, *args, name=name, method=method):
            seen.append((name, *(np.array(arg) for arg in args)))
            return method(self, *args)

        monkeypatch.setattr(GAN, name, spy)
    return seen


class TestPaperSettings:
    """Those of mnist.yaml in the authors' code."""

    @pytest.fixture(scope="class")
    def model(self):
        model = GAN((28, 28, 1))
        model.compile()
        return model

    def test_latents_are_100_uniforms_of_unit_variance(self, model):
        assert model.prior.batch_shape == (100,)
        np.testing.assert_allclose(model.prior.quantile([[0.0], [1.0]])[:, 0], [-np.sqrt(3), np.sqrt(3)], rtol=1e-6)

    def test_the_generator_is_1200_and_1200_rectified_units_and_sigmoid_pixels(self, model):
        dense = [layer for layer in model.generator.layers if isinstance(layer, keras.layers.Dense)]
        assert [(layer.units, layer.activation.__name__) for layer in dense] == [
            (1200, "relu"), (1200, "relu"), (784, "linear"),
        ]  # fmt: skip
        assert model.generator.layers[-2].activation.__name__ == "sigmoid"
        assert not model.generator.non_trainable_variables  # neither dropout nor batch normalisation

    def test_the_discriminator_is_240_and_240_maxout_units_of_5_pieces(self, model):
        assert model.discriminator.count_params() == 785 * 1200 + 241 * 1200 + 241
        order = [type(layer).__name__ for layer in model.discriminator.layers]
        assert order == [
            "InputLayer",
            "Flatten",
            "GlobalBatchDropout",
            "Maxout",
            "GlobalBatchDropout",
            "Maxout",
            "GlobalBatchDropout",
            "Dense",
        ]

    def test_a_fifth_of_the_pixels_and_half_of_the_hidden_units_are_dropped(self, model):
        rates = [layer.rate for layer in model.discriminator.layers if isinstance(layer, keras.layers.Dropout)]
        assert rates == [0.2, 0.5, 0.5]

    @pytest.mark.parametrize(("player", "limit"), [("generator", 0.05), ("discriminator", 0.005)])
    def test_weights_start_uniform_and_biases_at_zero(self, model, player, limit):
        for variable in getattr(model, player).trainable_variables:
            values = variable.numpy()
            if variable.name == "bias":
                assert not values.any()
            else:
                assert np.abs(values).max() == pytest.approx(limit, rel=0.02)
                assert values.std() == pytest.approx(limit / np.sqrt(3), rel=4 / np.sqrt(values.size))

    def test_the_players_start_from_different_draws(self, model):
        first, second = (getattr(model, player).trainable_variables[0].numpy().flat[:100] for player in model.players)
        assert not np.isclose(first / 0.05, second / 0.005).any()

    @pytest.mark.parametrize("player", GAN.players)
    def test_both_optimisers_follow_the_published_schedule(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert isinstance(model.optimizer_of(player), MomentumRampSGD)
        assert {name: config[name] for name in ("decay", "minimum", "momentum", "final_momentum", "ramp")} == {
            "decay": 1.000004, "minimum": 1e-6, "momentum": 0.5, "final_momentum": 0.7, "ramp": 250 * 500,
        }  # fmt: skip
        assert config["learning_rate"] == pytest.approx(0.1)

    def test_one_discriminator_update_and_the_non_saturating_objective(self, model):
        assert (model.discriminator_updates, model.objective) == (1, "non_saturating")


class TestAlgorithm1:
    @pytest.mark.parametrize("k", [1, 3])
    def test_a_step_is_k_discriminator_updates_and_one_generator_update(self, make, updates, k):
        model = make(discriminator_updates=k)
        for _ in range(2):
            model.train_step({"image": tf.constant(DATA)})
        assert [name for name, *_ in updates] == 2 * (k * ["update_discriminator"] + ["update_generator"])
        assert int(model.discriminator_optimizer.iterations) == 2 * k
        assert int(model.generator_optimizer.iterations) == 2

    def test_the_k_minibatches_share_no_row_and_use_every_row(self, make, updates):
        make(discriminator_updates=3).train_step({"image": tf.constant(DATA)})
        rows = np.concatenate([real for name, real, *_ in updates if name == "update_discriminator"])
        assert sorted(rows.tolist()) == sorted(DATA.tolist())

    def test_every_update_has_noise_of_its_own(self, make, updates):
        make(discriminator_updates=3).train_step({"image": tf.constant(DATA)})
        latents = np.concatenate([arguments[-1] for _, *arguments in updates])
        assert latents.shape == (4 * 4, 3)  # of 12 rows, each update has 4
        assert len(np.unique(latents)) == latents.size

    def test_a_batch_that_k_does_not_divide_is_refused(self, make):
        with pytest.raises(InputError, match=r"need a batch that 5 divides\. Received: a batch of 12 rows"):
            make(discriminator_updates=5).train_step({"image": tf.constant(DATA)})

    @pytest.mark.parametrize("objective", ["non_saturating", "saturating"])
    def test_a_step_is_that_of_the_equations_in_numpy(self, make, updates, objective):
        model = make(objective=objective)
        weights = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        a, a_bias, w, w_bias = (array.astype(np.float64) for array in weights)
        logs = model.train_step({"image": tf.constant(DATA)})
        (_, real, z_discriminator), (_, z_generator) = updates
        n = len(real)

        fake = z_discriminator @ a + a_bias
        real_logits, fake_logits = real @ w + w_bias, fake @ w + w_bias
        d_real, d_fake = -sigmoid(-real_logits) / (2 * n), sigmoid(fake_logits) / (2 * n)  # of half of the equation
        loss = (softplus(-real_logits).mean() + softplus(fake_logits).mean()) / 2
        w = w - 0.2 * (real.T @ d_real + fake.T @ d_fake)
        w_bias = w_bias - 0.2 * (d_real.sum(0) + d_fake.sum(0))
        assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)

        logits = (z_generator @ a + a_bias) @ w + w_bias  # of the discriminator that has just moved
        if objective == "saturating":
            loss, d_logits = -softplus(logits).mean(), -sigmoid(logits) / n
        else:
            loss, d_logits = softplus(-logits).mean(), -sigmoid(-logits) / n
        a = a - 0.1 * z_generator.T @ d_logits @ w.T
        a_bias = a_bias - 0.1 * (d_logits @ w.T).sum(0)
        assert float(logs["generator_loss"]) == pytest.approx(loss, rel=1e-5)

        after = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        for value, expected in zip(after, (a, a_bias, w, w_bias), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


class TestPlayersThatMoveAtOnce:
    @pytest.mark.parametrize("graph", [False, True])
    def test_both_follow_gradients_at_the_same_weights_and_samples(self, make, graph):
        model = make(at_once=True)
        weights = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        a, a_bias, w, w_bias = (array.astype(np.float64) for array in weights)
        z = model.draw_latents(tf.constant(DATA), "both").numpy().astype(np.float64)
        step = tf.function(model.train_step, autograph=False) if graph else model.train_step
        logs = step({"image": tf.constant(DATA)})
        n = len(DATA)

        fake = z @ a + a_bias
        real_logits, fake_logits = DATA @ w + w_bias, fake @ w + w_bias
        d_real, d_fake = -sigmoid(-real_logits) / (2 * n), sigmoid(fake_logits) / (2 * n)
        d_logits = -sigmoid(-fake_logits) / n
        expected = (
            a - 0.1 * z.T @ d_logits @ w.T,
            a_bias - 0.1 * (d_logits @ w.T).sum(0),
            w - 0.2 * (DATA.T @ d_real + fake.T @ d_fake),
            w_bias - 0.2 * (d_real.sum(0) + d_fake.sum(0)),
        )
        after = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        for value, wanted in zip(after, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
        half = (softplus(-real_logits).mean() + softplus(fake_logits).mean()) / 2
        assert float(logs["discriminator_loss"]) == pytest.approx(half, rel=1e-5)
        assert float(logs["generator_loss"]) == pytest.approx(softplus(-fake_logits).mean(), rel=1e-5)

    def test_they_make_one_update_each(self, make):
        with pytest.raises(InputError, match="Received: at_once=True, discriminator_updates=2"):
            make(at_once=True, discriminator_updates=2)


@pytest.mark.parametrize(
    ("update", "mover", "bystander"),
    [("update_discriminator", "discriminator", "generator"), ("update_generator", "generator", "discriminator")],
)
def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(make, update, mover, bystander):
    model = make()
    moved, kept = getattr(model, mover).get_weights(), getattr(model, bystander).get_weights()
    real, latents = tf.constant(DATA), tf.random.stateless_normal([12, 3], [0, 1])
    getattr(model, update)(*([real, latents] if mover == "discriminator" else [latents]))
    for before, after in zip(moved, getattr(model, mover).get_weights(), strict=True):
        assert (before != after).all()
    for before, after in zip(kept, getattr(model, bystander).get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


class TestValueRange:
    SHAPE = (2, 2, 1)

    @pytest.fixture
    def model(self):
        """Every pixel that it generates is 1/4."""
        pixels = keras.layers.Dense(
            4, "sigmoid", kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(-np.log(3))
        )
        generator = keras.Sequential([keras.Input((3,)), pixels, keras.layers.Reshape(self.SHAPE)])
        discriminator = keras.Sequential([keras.Input(self.SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)])
        return GAN(self.SHAPE, latent_size=3, generator=generator, discriminator=discriminator)

    def test_images_arrive_as_0_to_1(self, model, updates):
        model.compile()
        model.train_step({"image": tf.reshape([0.0, 0.25, 0.5, 1.0], [1, 2, 2, 1])})
        np.testing.assert_array_equal(updates[0][1].ravel(), [0, 0.25, 0.5, 1])

    def test_samples_are_the_generators_pixels(self, model):
        np.testing.assert_allclose(model.sample(2), np.full((2, *self.SHAPE), 0.25), rtol=1e-6)

    def test_vectors_are_neither_scaled_nor_clipped(self, make, updates):
        model = make()
        model.train_step({"image": tf.constant(DATA * 10)})
        np.testing.assert_array_equal(updates[0][1], DATA * 10)
        model.generator.set_weights([np.zeros((3, 2)), np.array([7.0, -9.0])])
        np.testing.assert_array_equal(model.sample(1), [[7, -9]])


class TestPaperGenerator:
    def test_it_starts_from_the_mean_image(self):
        model = GAN((3, 2, 1), latent_size=4)
        images = np.random.default_rng(0).integers(0, 256, size=(50, 3, 2, 1)).astype(np.uint8)
        images[:, 0, 0], images[:, 0, 1] = 0, 255
        model.match_marginals(images / 255)
        from_floats = model.generator.get_layer("output").bias.numpy()
        model.match_marginals(images)
        np.testing.assert_allclose(model.generator.get_layer("output").bias, from_floats, rtol=1e-6)
        expected = images.mean(axis=0) / 255
        expected[0] = [[1e-7], [1 - 1e-7]]  # a logit must be finite
        # Latents of 0 leave every hidden unit at 0, as biases start there.
        np.testing.assert_allclose(model.generator(np.zeros((1, 4)))[0], expected, rtol=1e-5)

    def test_another_generator_does_not_start_from_it(self):
        with pytest.raises(InputError, match=r"'pixels'. Received: one with 'output' in its place"):
            GAN((2,), latent_size=4).match_marginals(np.zeros((3, 2)))
        generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="only")])
        with pytest.raises(InputError, match="Received: one with 'only' in its place"):
            GAN((2,), latent_size=4, generator=generator).match_marginals(np.zeros((3, 2)))

    def test_of_vectors_it_is_linear(self):
        model = GAN((2,), latent_size=4)
        model.generator.get_layer("output").bias.assign([7.0, -9.0])
        np.testing.assert_array_equal(model.generator(np.zeros((1, 4))), [[7, -9]])


OUTPUTS = "a network whose outputs have shape (None, {})"


@pytest.mark.parametrize(
    ("name", "value", "wanted", "received"),
    [
        ("discriminator_updates", 0, "be a positive integer", "discriminator_updates=0"),
        ("objective", "wgan", "be one of ['non_saturating', 'saturating']", "objective='wgan'"),
        ("generator", linear(5, 2, seed=1), "take inputs of shape (None, 3)", "a network for (None, 5)"),
        ("generator", linear(3, 4, seed=1), "give outputs of shape (None, 2)", OUTPUTS.format(4)),
        ("discriminator", linear(2, 2, seed=1), "give outputs of shape (None, 1)", OUTPUTS.format(2)),
    ],
    ids=["updates", "objective", "generator input", "generator output", "discriminator output"],
)
def test_a_bad_argument_is_named_with_what_arrived(name, value, wanted, received):
    with pytest.raises(InputError, match=re.escape(f"`{name}` must {wanted}. Received: {received}")):
        GAN((2,), latent_size=3, **{name: value})
