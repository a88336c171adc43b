"""WGAN-GP: the penalty of known slopes, its gradient by finite differences, where its points lie, the settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import dense, values

from zoo import losses, networks
from zoo.errors import InputError
from zoo.models.wgan_gp import WGANGP
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_normal([8, 2], [0, 2])
SHARES = tf.random.stateless_uniform([8, 1], [0, 3])


def make(rate=0.1, **settings):
    own = {"generator": dense(2, 3, seed=1), "discriminator": dense(3, 5, 1, seed=2)}
    model = WGANGP((3,), latent_size=2, **{**own, **settings})
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    return model


def of_slope(slope):
    """f(x) = slope x_2 + 5."""
    critic = dense(3, 1, seed=0)
    critic.set_weights([np.array([[0.0], [slope], [0.0]]), np.array([5.0])])
    return critic


@pytest.fixture
def points(monkeypatch):
    """Where gradients' norms were taken while the test runs."""
    seen, norms = [], losses.gradient_norms
    monkeypatch.setattr(losses, "gradient_norms", lambda score, x: seen.append(x.numpy()) or norms(score, x))
    return seen


class TestPaperSettings:
    def test_algorithm_1(self):
        model = make()
        assert (model.penalty_weight, model.discriminator_updates, model.penalty) == (10, 5, "two_sided")
        assert WGANGP.decision_boundary is None

    @pytest.mark.parametrize("player", WGANGP.players)
    def test_adam_has_no_first_momentum(self, player):
        model = make()
        model.compile()
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.0, 0.9, 1e-8], rel=1e-6
        )

    def test_the_critic_of_images_has_no_batch_normalisation_and_the_generator_has(self):
        model = WGANGP((16, 16, 1))
        kinds = [
            {type(layer).__name__ for layer in network.layers} for network in (model.generator, model.discriminator)
        ]
        assert ["FusedBatchNormalization" in kind for kind in kinds] == [True, False]
        assert (model.latent_size, model.discriminator.layers[1].filters) == (128, 64)
        np.testing.assert_allclose(model.prior.quantile(np.full((1, 128), 0.975, np.float32)), 1.959964, rtol=1e-5)

    def test_the_networks_of_vectors_are_three_layers_of_512(self):
        model = WGANGP((2,), latent_size=2)
        hidden = 2 * 512 + 512 + 2 * (512 * 512 + 512)
        assert model.generator.count_params() == hidden + 512 * 2 + 2
        assert model.discriminator.count_params() == hidden + 512 + 1


class TestPenalty:
    @pytest.mark.parametrize(
        ("slope", "penalty", "expected"),
        [(3.0, "two_sided", 4), (3.0, "one_sided", 4), (0.5, "two_sided", 0.25), (0.5, "one_sided", 0)],
    )
    def test_of_a_linear_critic_is_known(self, slope, penalty, expected):
        model = make(discriminator=of_slope(slope), penalty=penalty, penalty_weight=7.0)
        fake = model.generator(LATENTS).numpy()
        logs = {name: float(value) for name, value in model.update_discriminator(DATA, LATENTS, SHARES).items()}
        estimate = slope * (DATA.numpy()[:, 1].mean() - fake[:, 1].mean())
        assert logs["wasserstein_estimate"] == pytest.approx(estimate, rel=1e-4)
        assert logs["gradient_penalty"] == pytest.approx(expected, rel=1e-5)
        assert logs["slope"] == pytest.approx(slope, rel=1e-5)
        assert logs["discriminator_loss"] == pytest.approx(-estimate + 7 * expected, rel=1e-5)

    def test_a_critic_of_slope_1_has_none(self):
        logs = make(discriminator=of_slope(1.0)).update_discriminator(DATA, LATENTS, SHARES)
        assert float(logs["gradient_penalty"]) < 1e-12

    @pytest.mark.parametrize("penalty", ["two_sided", "one_sided"])
    def test_the_update_is_that_of_finite_differences_in_numpy(self, penalty):
        model = make(rate=0.01, penalty=penalty)
        weights = [weight.astype(np.float64) for weight in model.discriminator.get_weights()]
        real, fake, shares = (tensor.numpy().astype(np.float64) for tensor in (DATA, model.generator(LATENTS), SHARES))

        def loss(v, v_bias, w, w_bias):
            def score(x):
                return np.tanh(x @ v + v_bias) @ w + w_bias

            hidden = np.tanh((shares * real + (1 - shares) * fake) @ v + v_bias)
            norms = np.linalg.norm((1 - hidden**2) * w[:, 0] @ v.T, axis=1)
            excess = norms - 1 if penalty == "two_sided" else np.maximum(norms - 1, 0)
            return score(fake).mean() - score(real).mean() + 10 * (excess**2).mean()

        logs = model.update_discriminator(DATA, LATENTS, SHARES)
        assert float(logs["discriminator_loss"]) == pytest.approx(loss(*weights), rel=1e-5)
        moved = zip(weights, model.discriminator.get_weights(), strict=True)
        for index, (old, new) in enumerate(moved):
            slope = np.zeros_like(old)
            for place in np.ndindex(old.shape):
                sides = []
                for change in (1e-6, -1e-6):
                    changed = [weight.copy() for weight in weights]
                    changed[index][place] += change
                    sides.append(loss(*changed))
                slope[place] = (sides[0] - sides[1]) / 2e-6
            np.testing.assert_allclose(new, old - 0.01 * slope, rtol=1e-4, atol=1e-6)

    def test_it_has_a_gradient_for_every_weight_of_the_critic_but_the_last_bias(self):
        critic = networks.dcgan_discriminator((16, 16, 1), filters=4, normalized=False)
        images = tf.random.stateless_normal([4, 16, 16, 1], [0, 5])
        with tf.GradientTape() as tape:
            penalty = losses.two_sided_penalty(losses.gradient_norms(critic, images))
        *weights, bias = tape.gradient(penalty, critic.trainable_variables)
        assert bias is None
        kernels = [gradient for gradient in weights if gradient is not None and len(gradient.shape) > 1]
        assert len(kernels) == 3
        assert all(np.abs(kernel).max() > 0 for kernel in kernels)


class TestPoints:
    def test_they_lie_between_each_sample_and_its_row_of_data_by_one_share_a_row(self, points):
        model = make(rate=0.0)
        model.train_step({"image": tf.random.stateless_normal([40, 3], [0, 4])})
        real = tf.random.stateless_normal([40, 3], [0, 4]).numpy()
        assert len(points) == 5
        shares = []
        for k, where in enumerate(points):
            fake = model.generator(model.draw_latents(where, f"discriminator {k}")).numpy()
            along = (where - fake) / (real[k::5] - fake)
            np.testing.assert_allclose(along, along[:, :1].repeat(3, axis=1), atol=1e-3)
            shares.append(along[:, 0])
        assert 0 < np.min(shares) < 0.2
        assert 0.8 < np.max(shares) < 1
        assert len(np.unique(np.round(shares, 3))) > 30

    def test_a_share_is_one_number_an_image(self, points):
        zeros = dense(2, 64, seed=0)
        zeros.set_weights([np.zeros((2, 64)), np.zeros(64)])
        black = keras.Sequential([zeros, keras.layers.Reshape((8, 8, 1))])
        model = WGANGP((8, 8, 1), latent_size=2, generator=black, filters=4, discriminator_updates=1)
        model.compile()
        model.train_step({"image": tf.ones([6, 8, 8, 1])})
        (where,) = points
        assert where.shape == (6, 8, 8, 1)
        np.testing.assert_array_equal(np.ptp(where, axis=(1, 2, 3)), 0)
        assert len(np.unique(where)) == 6


class TestStep:
    def test_five_critic_updates_then_one_of_the_generator_each_on_noise_of_its_own(self, monkeypatch):
        order, drawn, minimize, draw = [], [], WGANGP.minimize, WGANGP.draw_latents
        monkeypatch.setattr(WGANGP, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        monkeypatch.setattr(WGANGP, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
        make().train_step({"image": tf.random.stateless_normal([40, 3], [0, 4])})
        assert order == [*["discriminator"] * 5, "generator"]
        assert len(np.unique(np.round(np.stack(drawn), 5))) == 6 * 8 * 2

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

    def test_the_generator_climbs_the_critic(self):
        model = make(discriminator=of_slope(2.0))
        before = model.generator(LATENTS).numpy()
        logs = model.update_generator(LATENTS)
        assert float(logs["generator_loss"]) == pytest.approx(-(2 * before[:, 1] + 5).mean(), rel=1e-5)
        moved = model.generator(LATENTS).numpy() - before
        np.testing.assert_allclose(moved[:, [0, 2]], 0, atol=1e-7)
        assert moved[:, 1].mean() > 0

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensor_slices({"image": tf.random.stateless_normal([80, 3], [0, 4])})
        one = make(rate=0.01, discriminator_updates=2)
        one.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        with mirrored.scope():
            two = make(rate=0.01, discriminator_updates=2)
        two.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


def test_batch_normalisation_in_the_critic_draws_a_warning():
    with pytest.warns(UserWarning, match="has batch normalisation, and its gradient's norm is penalised"):
        make(discriminator=networks.normalized_mlp(3, 1, units=4, depth=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": "none"}, "one of ['one_sided', 'two_sided']. Received: penalty='none'"),
        ({"penalty_weight": -1.0}, "`penalty_weight` must be 0 or more. Received: penalty_weight=-1.0"),
        ({"discriminator_updates": 0}, "must be a positive integer. Received: discriminator_updates=0"),
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
