"""LSGAN: a step of eq. 2 in NumPy, its optimum and its divergence in closed form, codes, and the paper's settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense

from zoo.errors import InputError
from zoo.models.lsgan import LSGAN, least_squares, vgg_generator
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_uniform([8, 2], [0, 2], -1, 1)
RATES = {"generator": 0.3, "discriminator": 0.2}


def make(**settings):
    """A linear model of 3-vectors, trained by gradient descent."""
    model = LSGAN((3,), latent_size=2, generator=dense(2, 3, seed=1), discriminator=dense(3, 1, seed=2), **settings)
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = LSGAN((16, 16, 3))
        model.compile()
        return model

    def test_latents_are_1024_and_uniform_between_minus_1_and_1(self, model):
        assert model.generator.input_shape == (None, 1024)
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 1024, [1] * 1024])

    @pytest.mark.parametrize("player", LSGAN.players)
    def test_adam_has_a_rate_of_a_thousandth_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-3, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_the_default_codes_are_the_binary_ones(self, model):
        assert {"a": model.a, "b": model.b, "c": model.c} == LSGAN.BINARY == {"a": 0, "b": 1, "c": 1}
        assert LSGAN.PEARSON == {"a": -1, "b": 1, "c": 0}

    def test_the_discriminator_is_linear_in_its_last_features(self, model):
        features = keras.Model(model.discriminator.input, model.discriminator.layers[-1].input)
        images = tf.random.stateless_uniform([3, 16, 16, 3], [0, 3], -1, 1)
        kernel, bias = arrays(model.discriminator.layers[-1])
        np.testing.assert_allclose(model.discriminator(images), features(images).numpy() @ kernel + bias, atol=1e-5)


class TestPaperGenerator:
    @pytest.fixture(scope="class")
    def network(self):
        """Of 112x112 photographs, an eighth as wide as the paper's."""
        return vgg_generator((112, 112, 3), latent_size=4, filters=8)

    def test_its_maps_are_those_of_the_authors_code(self, network):
        maps = [
            layer for layer in network.layers if isinstance(layer, keras.layers.Reshape | keras.layers.Conv2DTranspose)
        ]
        assert [layer.output.shape[1:] for layer in maps] == [
            (7, 7, 32), (14, 14, 32), (14, 14, 32), (28, 28, 32), (28, 28, 32), (56, 56, 16), (112, 112, 8),
            (112, 112, 3),
        ]  # fmt: skip
        assert {layer.kernel_size for layer in maps[1:]} == {(3, 3)}

    def test_every_layer_but_the_output_is_normalised_and_rectified(self, network):
        hidden = ["FusedBatchNormalization", "ReLU", "Conv2DTranspose"]
        names = [type(layer).__name__ for layer in network.layers]
        assert names == ["InputLayer", "Dense", "Reshape", *7 * hidden, "Activation"]
        assert network.layers[-1].activation is keras.activations.tanh


@pytest.mark.parametrize("codes", [LSGAN.BINARY, LSGAN.PEARSON, {"a": -0.5, "b": 2.0, "c": 0.7}], ids=str)
def test_a_step_is_that_of_the_equations_in_numpy(codes):
    model = make(**codes)
    a, b, c = codes["a"], codes["b"], codes["c"]
    kernel, bias, w, w_bias = arrays(model.generator, model.discriminator)
    z_discriminator, z_generator = (
        model.draw_latents(DATA, purpose).numpy().astype(np.float64) for purpose in ("discriminator", "generator")
    )
    logs = model.train_step({"image": DATA})

    real, fake = DATA.numpy().astype(np.float64), z_discriminator @ kernel + bias
    real_error, fake_error = real @ w + w_bias - b, fake @ w + w_bias - a
    loss = (real_error**2).mean() / 2 + (fake_error**2).mean() / 2
    assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)
    accuracies = (real_error + b > (a + b) / 2).mean(), (fake_error + a < (a + b) / 2).mean()
    assert (float(logs["real_accuracy"]), float(logs["fake_accuracy"])) == accuracies
    w = w - 0.2 * (real.T @ real_error + fake.T @ fake_error) / 8
    w_bias = w_bias - 0.2 * (real_error + fake_error).mean(axis=0)

    error = (z_generator @ kernel + bias) @ w + w_bias - c
    assert float(logs["generator_loss"]) == pytest.approx((error**2).mean() / 2, rel=1e-5)
    kernel = kernel - 0.3 * z_generator.T @ (error @ w.T) / 8
    bias = bias - 0.3 * (error @ w.T).mean(axis=0)

    after = arrays(model.generator, model.discriminator)
    for value, wanted in zip(after, (kernel, bias, w, w_bias), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1]


def test_the_players_see_different_noise(monkeypatch):
    drawn, draw = [], LSGAN.draw_latents
    monkeypatch.setattr(LSGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
    make().train_step({"image": DATA})
    assert not np.isclose(*drawn).any()


@pytest.mark.parametrize(
    ("update", "mover", "bystander"),
    [
        (lambda model: model.update_discriminator(DATA, LATENTS), "discriminator", "generator"),
        (lambda model: model.update_generator(LATENTS), "generator", "discriminator"),
    ],
    ids=["discriminator", "generator"],
)
def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(update, mover, bystander):
    model = make()
    before, kept = arrays(getattr(model, mover)), arrays(getattr(model, bystander))
    update(model)
    assert all((old != new).any() for old, new in zip(before, arrays(getattr(model, mover)), strict=True))
    assert all((old == new).all() for old, new in zip(kept, arrays(getattr(model, bystander)), strict=True))


class TestTheory:
    """Of distributions p and q over four points, in twelfths: a point stands in as many rows as it has twelfths."""

    P, Q = np.array([6, 3, 2, 1]), np.array([1, 2, 3, 6])

    def losses(self, scores, a, b, c):
        """The players' losses, and the gradient of the discriminator's in the score of each point."""
        scores = tf.constant(scores, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(scores)
            real, fake = tf.repeat(scores, self.P), tf.repeat(scores, self.Q)
            loss = least_squares(real, b) + least_squares(fake, a)
        return float(loss), float(least_squares(fake, c)), tape.gradient(loss, scores)

    @pytest.mark.parametrize("codes", [LSGAN.BINARY, LSGAN.PEARSON, {"a": -0.5, "b": 2.0, "c": 0.7}], ids=str)
    def test_the_best_discriminator_weighs_the_codes_by_the_densities(self, codes):
        best = (codes["b"] * self.P + codes["a"] * self.Q) / (self.P + self.Q)
        np.testing.assert_allclose(self.losses(best, **codes)[2], np.zeros(4), atol=1e-7)
        assert self.losses(best, **codes)[0] < self.losses(best + np.array([0.1, 0, 0, 0]), **codes)[0]

    def test_the_pearson_codes_give_half_the_divergence_of_the_sum_from_twice_the_samples(self):
        p, q = self.P / 12, self.Q / 12
        best = (p - q) / (p + q)
        generator = self.losses(best, **LSGAN.PEARSON)[1]
        constant = (
            p * best**2
        ).sum() / 2  # the term of the data, which the generator cannot move by its samples' scores
        divergence = ((2 * q - (p + q)) ** 2 / (p + q)).sum()
        assert generator + constant == pytest.approx(divergence / 2, rel=1e-6)


def test_errors_are_computed_in_float32():
    loss = least_squares(tf.constant([[256.0], [3.0]], tf.bfloat16), 0.25)
    assert loss.dtype == tf.float32
    assert float(loss) == (255.75**2 + 2.75**2) / 4


def test_the_boundary_lies_between_the_codes_of_the_discriminator():
    assert [make(**codes).decision_boundary for codes in (LSGAN.BINARY, LSGAN.PEARSON)] == [0.5, 0]


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"a": 1.0}, "a=1.0, b=1.0, c=1.0"),
        ({"b": -1.0}, "a=0.0, b=-1.0, c=1.0"),
        ({"c": 0.0}, "a=0.0, b=1.0, c=0.0"),
        ({"b": float("nan")}, "a=0.0, b=nan, c=1.0"),
        ({"c": float("nan")}, "a=0.0, b=1.0, c=nan"),
        ({"c": float("inf")}, "a=0.0, b=1.0, c=inf"),
    ],
)
def test_codes_that_do_not_tell_real_from_fake_are_refused(settings, received):
    with pytest.raises(InputError, match=re.escape(f"must lie above `a`. Received: {received}")):
        make(**settings)
