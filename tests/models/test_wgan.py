"""WGAN: steps written out in NumPy, weights in their cube after every update, the paper's settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import values

from zoo import networks
from zoo.errors import InputError
from zoo.models.wgan import WGAN

DATA = tf.random.stateless_normal([20, 3], [0, 1])
RATES = {"generator": 0.3, "discriminator": 0.2}


def linear(size, outputs, seed):
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    return keras.Sequential([keras.Input((size,)), keras.layers.Dense(outputs, None, True, initializer, initializer)])


def make(**settings):
    """A model of 3-vectors with linear networks, trained by gradient descent."""
    own = {"generator": linear(2, 3, seed=1), "discriminator": linear(3, 1, seed=2)}
    model = WGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = WGAN((16, 16, 1), filters=4)
        model.compile()
        return model

    def test_five_critic_updates_weights_of_a_hundredth_and_normal_latents(self, model):
        assert (model.discriminator_updates, model.clip_limit, model.latent_size) == (5, 0.01, 100)
        assert WGAN((8, 8, 1)).filters == 64
        np.testing.assert_allclose(model.prior.quantile(np.full((1, 100), 0.975, np.float32)), 1.959964, rtol=1e-5)

    def test_scores_have_no_boundary(self, model):
        assert model.decision_boundary is None

    @pytest.mark.parametrize("player", WGAN.players)
    def test_rmsprop_is_pytorchs(self, model, player):
        """v <- 0.99 v + 0.01 g^2, w <- w - 5e-5 g / (sqrt(v) + 1e-8), also for gradients as small as 1e-5."""
        optimizer = keras.optimizers.RMSprop.from_config(model.optimizer_of(player).get_config())
        weight = tf.Variable([0.3, 0.3])
        expected, square = np.array([0.3, 0.3]), np.zeros(2)
        for gradient in np.array([[1e-5, 2.0], [-3e-5, 1.0], [2e-5, -4.0]]):
            optimizer.apply([tf.constant(gradient, tf.float32)], [weight])
            square = 0.99 * square + 0.01 * gradient**2
            expected -= 5e-5 * gradient / (np.sqrt(square) + 1e-8)
        np.testing.assert_allclose(weight.numpy() - 0.3, expected - 0.3, rtol=0.02)  # 1e-8 is 1 % of the first root


class TestStep:
    def test_it_is_algorithm_1_in_numpy(self):
        model = make(clip_limit=0.4)
        (a, a_bias), (w, w_bias) = (
            [weight.astype(np.float64) for weight in network.get_weights()]
            for network in (model.generator, model.discriminator)
        )
        draws = [model.draw_latents(DATA[:4], f"discriminator {k}").numpy().astype(np.float64) for k in range(5)]
        last = model.draw_latents(DATA[:4], "generator").numpy().astype(np.float64)
        logs = model.train_step({"image": DATA})
        for k, latents in enumerate(draws):
            real, fake = DATA.numpy()[k::5].mean(axis=0), (latents @ a + a_bias).mean(axis=0)
            estimate = (real - fake) @ w
            w = np.clip(w + 0.2 * (real - fake)[:, None], -0.4, 0.4)
            w_bias = np.clip(w_bias, -0.4, 0.4)
        assert float(logs["wasserstein_estimate"]) == pytest.approx(estimate.item(), rel=1e-4)
        assert float(logs["discriminator_loss"]) == -float(logs["wasserstein_estimate"])
        loss = -((last @ a + a_bias) @ w + w_bias).mean()
        assert float(logs["generator_loss"]) == pytest.approx(loss, rel=1e-4)
        a = a + 0.3 * last.mean(axis=0)[:, None] * w.T
        a_bias = a_bias + 0.3 * w[:, 0]
        after = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        for found, expected in zip(after, (a, a_bias, w, w_bias), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)

    def test_every_weight_is_in_the_cube_after_every_critic_update(self, monkeypatch):
        critic = networks.normalized_mlp(3, 1, units=4, depth=2, name="discriminator")
        model = make(discriminator=critic)
        largest, clip = [], WGAN.clip_weights

        def watched(self):
            outside = max(np.abs(weight).max() for weight in values(self.variables_of("discriminator")))
            clip(self)
            largest.append((outside, [np.abs(weight).max() for weight in values(self.variables_of("discriminator"))]))

        monkeypatch.setattr(WGAN, "clip_weights", watched)
        model.train_step({"image": DATA})
        assert len(largest) == 5
        limit = np.float32(0.01)
        assert all(outside > limit for outside, _ in largest)  # or there would be nothing to clip
        assert all(max(after) == limit for _, after in largest)
        gains = [weight for weight in critic.trainable_variables if weight.name == "gamma"]
        assert len(gains) == 2
        assert all(np.abs(gain.numpy()).max() <= limit for gain in gains)

    def test_five_critic_updates_come_before_one_of_the_generator(self, monkeypatch):
        order, minimize = [], WGAN.minimize
        monkeypatch.setattr(WGAN, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        make().train_step({"image": DATA})
        assert order == [*["discriminator"] * 5, "generator"]

    def test_neither_the_running_averages_nor_the_generator_are_clipped(self):
        critic = networks.normalized_mlp(3, 1, units=4, depth=1, name="discriminator")
        for average in critic.non_trainable_variables:
            average.assign(tf.fill(average.shape, 7.0))
        model = make(discriminator=critic)
        before = values(model.variables_of("generator"))
        model.update_discriminator(DATA, tf.zeros([20, 2]))
        assert all(average.numpy().min() > 1 for average in critic.non_trainable_variables)
        for old, new in zip(before, values(model.variables_of("generator")), strict=True):
            np.testing.assert_array_equal(old, new)

    def test_the_generators_update_moves_no_weight_of_the_critic(self):
        model = make()
        before = values(model.variables_of("discriminator"))
        model.update_generator(tf.ones([4, 2]))
        for old, new in zip(before, values(model.variables_of("discriminator")), strict=True):
            np.testing.assert_array_equal(old, new)

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensor_slices({"image": tf.random.stateless_normal([80, 3], [0, 4])})
        one = make(discriminator_updates=2)
        one.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        with mirrored.scope():
            two = make(discriminator_updates=2)
        two.fit(rows.batch(20).repeat(), steps_per_epoch=4, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)
        assert max(np.abs(weight).max() for weight in two.discriminator.get_weights()) == np.float32(0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip_limit": 0.0}, "`clip_limit` must be positive. Received: clip_limit=0.0"),
        ({"clip_limit": float("nan")}, "`clip_limit` must be positive. Received: clip_limit=nan"),
        ({"discriminator_updates": 0}, "must be a positive integer. Received: discriminator_updates=0"),
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
        ({"discriminator": None}, "needs images: `data_shape` (height, width, channels). Received: data_shape=(3,)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
