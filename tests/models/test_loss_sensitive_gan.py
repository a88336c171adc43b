"""Loss-sensitive GAN: a step in NumPy, the margins, the slopes that make it another model, and the code's settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense

from zoo.errors import InputError
from zoo.models.loss_sensitive_gan import LossSensitiveGAN, loss_network, margins
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_uniform([8, 2], [0, 2], -1, 1)
RATES = {"generator": 0.3, "discriminator": 0.2}


def make(**settings):
    """A linear model of 3-vectors, trained by gradient descent."""
    own = {"generator": dense(2, 3, seed=1), "discriminator": dense(3, 1, seed=2)}
    model = LossSensitiveGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


def losses(model, latents=LATENTS):
    """The margins, and the losses of data and of samples, float64 `(8, 1)` each."""
    kernel, bias, w, w_bias = arrays(model.generator, model.discriminator)
    real, fake = DATA.numpy().astype(np.float64), latents.numpy() @ kernel + bias
    distances = np.abs(real - fake).sum(axis=1, keepdims=True)
    return model.margin_weight * distances, real @ w + w_bias, fake @ w + w_bias


class TestCodesSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = LossSensitiveGAN((16, 16, 1))
        model.compile()
        return model

    def test_latents_margin_slope_and_weight_of_the_data(self, model):
        assert model.generator.input_shape == (None, 100)
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 100, [1] * 100])
        assert (model.margin_weight, model.slope, model.real_weight) == (2e-4, 0, 0)

    @pytest.mark.parametrize("player", LossSensitiveGAN.players)
    def test_adam_has_a_rate_of_a_ten_thousandth_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_losses_are_rectified_for_the_hinge_and_linear_for_other_slopes(self, model):
        assert isinstance(model.discriminator.layers[-1], keras.layers.ReLU)
        general = LossSensitiveGAN((8, 8, 1), filters=4, slope=0.5)
        assert isinstance(general.discriminator.layers[-1], keras.layers.Dense)
        images = tf.random.stateless_uniform([64, 8, 8, 1], [0, 3], -1, 1)
        linear_losses = loss_network((8, 8, 1), 4, rectified=False)(images).numpy()
        assert linear_losses.min() < 0 < linear_losses.max()
        np.testing.assert_array_equal(loss_network((8, 8, 1), 4)(images), np.maximum(linear_losses, 0))


SETTINGS = [
    {"margin_weight": 0.1},
    {"margin_weight": 0.1, "real_weight": 0.8},
    {"margin_weight": 0.1, "slope": 0.4},
    {"margin_weight": 0.1, "slope": -1.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_step_is_that_of_the_equations_in_numpy(settings):
    model = make(**settings)
    slope, gamma = model.slope, model.real_weight
    kernel, bias, w, w_bias = arrays(model.generator, model.discriminator)
    z_discriminator, z_generator = (model.draw_latents(DATA, player) for player in ("discriminator", "generator"))
    margin, real_losses, fake_losses = losses(model, z_discriminator)
    logs = model.train_step({"image": DATA})

    excess = margin + real_losses - fake_losses
    positive = excess > 0
    assert 0 < positive.sum() < 8  # both sides of the hinge are there
    cost = np.where(positive, excess, slope * excess)
    assert float(logs["discriminator_loss"]) == pytest.approx(gamma * real_losses.mean() + cost.mean(), rel=1e-5)
    assert float(logs["margin"]) == pytest.approx(margin.mean(), rel=1e-5)
    assert float(logs["real_loss"]) == pytest.approx(real_losses.mean(), rel=1e-4)
    assert float(logs["fake_loss"]) == pytest.approx(fake_losses.mean(), rel=1e-4)
    real, fake = DATA.numpy().astype(np.float64), z_discriminator.numpy() @ kernel + bias
    share = np.where(positive, 1, slope) / 8
    w = w - 0.2 * (gamma * real.mean(axis=0)[:, None] + (real - fake).T @ share)
    w_bias = w_bias - 0.2 * gamma

    loss = ((z_generator.numpy() @ kernel + bias) @ w + w_bias).mean()
    assert float(logs["generator_loss"]) == pytest.approx(loss, rel=1e-4)
    kernel = kernel - 0.3 * z_generator.numpy().T @ np.tile(w.T / 8, (8, 1))
    bias = bias - 0.3 * w[:, 0]

    after = arrays(model.generator, model.discriminator)
    for value, wanted in zip(after, (kernel, bias, w, w_bias), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1]


def test_the_players_see_different_noise(monkeypatch):
    drawn, draw = [], LossSensitiveGAN.draw_latents
    monkeypatch.setattr(LossSensitiveGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
    make().train_step({"image": DATA})
    assert not np.isclose(*drawn).any()


class TestCost:
    def value(self, model):
        """The loss that an update of L reports."""
        return float(model.update_discriminator(DATA, LATENTS)["discriminator_loss"])

    def test_pairs_that_keep_their_margin_cost_nothing_and_move_nothing(self):
        model = make(margin_weight=0.3)
        kernel = model.discriminator.weights[0]
        # Along the axis of the means, far enough that every sample has a greater loss than its partner.
        model.generator.weights[1].assign([50.0, 0.0, 0.0])
        kernel.assign([[1.0], [0.0], [0.0]])
        before = arrays(model.discriminator)
        margin, real, fake = losses(model)
        assert (fake - real >= margin).all()
        assert self.value(model) == 0
        for old, new in zip(before, arrays(model.discriminator), strict=True):
            np.testing.assert_array_equal(old, new)

    def test_a_slope_of_1_gives_the_value_of_wgan_and_the_mean_margin(self):
        model = make(margin_weight=0.3, slope=1.0)
        margin, real, fake = losses(model)
        assert self.value(model) == pytest.approx(real.mean() - fake.mean() + margin.mean(), rel=1e-5)

    def test_a_slope_of_minus_1_gives_the_absolute_value(self):
        model = make(margin_weight=0.3, slope=-1.0)
        margin, real, fake = losses(model)
        assert self.value(model) == pytest.approx(np.abs(margin + real - fake).mean(), rel=1e-5)

    def test_each_row_has_its_own_margin(self):
        real = tf.constant([[[[1.0], [2.0]]], [[[0.0], [0.0]]]])
        fake = tf.constant([[[[-1.0], [2.5]]], [[[-3.0], [4.0]]]])
        np.testing.assert_array_equal(margins(real, fake), [[2.5], [7.0]])

    def test_margins_are_computed_in_float32(self):
        real, fake = tf.ones([1, 3000], tf.bfloat16), tf.zeros([1, 3000], tf.bfloat16)
        np.testing.assert_array_equal(margins(real, fake), [[3000.0]])


@pytest.mark.parametrize(
    ("update", "mover", "bystander"),
    [
        (lambda model: model.update_discriminator(DATA, LATENTS), "discriminator", "generator"),
        (lambda model: model.update_generator(LATENTS), "generator", "discriminator"),
    ],
    ids=["discriminator", "generator"],
)
def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(update, mover, bystander):
    model = make(margin_weight=0.3, real_weight=0.1)  # without the data's term the bias of L would cancel
    before, kept = arrays(getattr(model, mover)), arrays(getattr(model, bystander))
    update(model)
    assert all((old != new).any() for old, new in zip(before, arrays(getattr(model, mover)), strict=True))
    assert all((old == new).all() for old, new in zip(kept, arrays(getattr(model, bystander)), strict=True))


def test_the_score_is_minus_the_loss_and_has_no_boundary():
    model = make()
    np.testing.assert_array_equal(model.score(DATA, None), -model.discriminator(DATA))
    assert model.decision_boundary is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margin_weight": -1.0}, "`margin_weight` must be 0 or more. Received: margin_weight=-1.0"),
        ({"real_weight": float("nan")}, "`real_weight` must be 0 or more. Received: real_weight=nan"),
        ({"slope": 1.5}, "`slope` must be a number of at most 1. Received: slope=1.5"),
        ({"slope": float("nan")}, "`slope` must be a number of at most 1. Received: slope=nan"),
        ({"discriminator": None}, "needs images: `data_shape` (height, width, channels). Received: data_shape=(3,)"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
