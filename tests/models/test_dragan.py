"""DRAGAN: where its points lie, the penalty of known slopes, its gradient by finite differences, the settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import dense, values

from zoo import losses, networks
from zoo.errors import InputError
from zoo.models.dragan import DRAGAN, notebook_discriminator, notebook_generator, perturbed
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_uniform([8, 2], [0, 2], -1, 1)
NOISE = tf.random.stateless_uniform([8, 3], [0, 3])
SHARES = tf.random.stateless_uniform([8, 1], [0, 4])


def make(rate=0.1, **settings):
    own = {"generator": dense(2, 3, seed=1), "discriminator": dense(3, 5, 1, seed=2)}
    model = DRAGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    return model


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = DRAGAN((16, 16, 1))
        model.compile()
        return model

    def test_penalty_perturbation_and_latents(self, model):
        assert (model.penalty_weight, model.slope, model.perturbation) == (10, 1, 0.5)
        assert (model.discriminator_updates, model.latent_size, model.decision_boundary) == (1, 100, 0)
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 100, [1] * 100])

    def test_the_discriminator_has_no_batch_normalisation_and_the_generator_has(self, model):
        kinds = [
            {type(layer).__name__ for layer in network.layers} for network in (model.generator, model.discriminator)
        ]
        assert ["FusedBatchNormalization" in kind for kind in kinds] == [True, False]

    @pytest.mark.parametrize("player", DRAGAN.players)
    def test_adam(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.9, 1e-8], rel=1e-6
        )

    def test_the_notebooks_perceptrons(self):
        generator, discriminator = notebook_generator((28, 28, 1), 100), notebook_discriminator((28, 28, 1))
        assert generator.count_params() == 100 * 128 + 128 + 128 * 784 + 784
        assert discriminator.count_params() == 784 * 128 + 128 + 128 + 1
        kernel = discriminator.layers[2].kernel.numpy()
        assert kernel.std() == pytest.approx(np.sqrt(2 / 784), rel=0.02)
        assert (np.abs(kernel) > 2.5 * np.sqrt(2 / 784)).mean() == pytest.approx(0.0124, rel=0.15)  # of a whole normal
        images = generator(100 * np.random.default_rng(0).normal(size=(2, 100))).numpy()
        assert images.shape == (2, 28, 28, 1)
        assert 0.9 < np.abs(images).max() <= 1
        assert notebook_generator((2,), 3)(1000 * np.ones((1, 3))).numpy().max() > 1


class TestPoints:
    def test_the_perturbation_is_half_the_deviation_of_all_values_times_the_noise(self):
        expected = DATA.numpy() + 0.5 * DATA.numpy().std() * NOISE.numpy()
        np.testing.assert_allclose(perturbed(DATA, NOISE, 0.5), expected, rtol=1e-5)
        assert (perturbed(DATA, NOISE, 0.5) >= DATA).numpy().all()

    def test_data_of_one_value_stay(self):
        np.testing.assert_allclose(perturbed(tf.fill([8, 3], 0.3), NOISE, 0.5), 0.3, rtol=1e-6)

    def test_the_points_of_a_step_are_an_eighth_of_a_deviation_away_by_one_share_a_row(self, monkeypatch):
        seen, norms = [], losses.gradient_norms
        monkeypatch.setattr(losses, "gradient_norms", lambda score, x: seen.append(x.numpy()) or norms(score, x))
        data = tf.random.stateless_normal([2000, 3], [0, 5]) * 4
        model = make()
        model.train_step({"image": data})
        (points,) = seen
        moved = (points - data.numpy()) / data.numpy().std()
        assert moved.min() > -1e-6
        assert moved.max() < 0.5
        assert moved.mean() == pytest.approx(0.125, abs=4 * 0.1 / np.sqrt(2000))
        noise = model.draw_uniform(data, (3,), "perturbation").numpy()
        shares = moved / (0.5 * noise)
        np.testing.assert_allclose(shares, shares[:, :1].repeat(3, axis=1), atol=1e-2)
        assert abs(np.corrcoef(shares[:, 0], noise[:, 0])[0, 1]) < 0.1

    def test_two_replicas_share_the_deviation_and_follow_one(self, mirrored):
        spread = np.concatenate([np.full(10, 0.1), np.full(10, 3.0)] * 4)[:, None]  # a replica each, batch by batch
        rows = tf.data.Dataset.from_tensor_slices(
            {"image": tf.constant(spread * np.random.default_rng(0).normal(size=(80, 3)), tf.float32)}
        )
        one = make(rate=0.01)
        one.fit(rows.batch(20).repeat(), steps_per_epoch=6, verbose=0)
        with mirrored.scope():
            two = make(rate=0.01)
        two.fit(rows.batch(20).repeat(), steps_per_epoch=6, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


class TestPenalty:
    @pytest.mark.parametrize(("slope", "target", "expected"), [(3.0, 1.0, 4), (3.0, 2.0, 1), (1.0, 1.0, 0)])
    def test_it_is_of_the_logits_slope_however_sure_the_discriminator(self, slope, target, expected):
        sure = dense(3, 1, seed=0)
        sure.set_weights([np.array([[0.0], [slope], [0.0]]), np.array([40.0])])  # of D itself the slope would be 0
        logs = make(discriminator=sure, slope=target).update_discriminator(DATA, LATENTS, NOISE, SHARES)
        assert float(logs["gradient_penalty"]) == pytest.approx(expected, rel=1e-5, abs=1e-10)
        assert float(logs["slope"]) == pytest.approx(slope, rel=1e-5)

    def test_the_update_is_that_of_finite_differences_in_numpy(self):
        model = make(rate=0.01)
        weights = [weight.astype(np.float64) for weight in model.discriminator.get_weights()]
        real, fake, noise, shares = (
            tensor.numpy().astype(np.float64) for tensor in (DATA, model.generator(LATENTS), NOISE, SHARES)
        )
        points = real + shares * 0.5 * real.std() * noise

        def loss(v, v_bias, w, w_bias):
            def logits(x):
                return np.tanh(x @ v + v_bias) @ w + w_bias

            hidden = np.tanh(points @ v + v_bias)
            norms = np.linalg.norm((1 - hidden**2) * w[:, 0] @ v.T, axis=1)
            entropy = np.log1p(np.exp(-logits(real))).mean() + np.log1p(np.exp(logits(fake))).mean()
            return entropy + 10 * ((norms - 1) ** 2).mean()

        logs = model.update_discriminator(DATA, LATENTS, NOISE, SHARES)
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


class TestStep:
    def test_each_player_moves_once(self, monkeypatch):
        order, minimize = [], DRAGAN.minimize
        monkeypatch.setattr(DRAGAN, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        make().train_step({"image": DATA})
        assert order == ["discriminator", "generator"]

    def test_an_update_moves_no_weight_of_the_other_player(self):
        model = make()
        for player, update in (
            ("generator", lambda: model.update_discriminator(DATA, LATENTS, NOISE, SHARES)),
            ("discriminator", lambda: model.update_generator(LATENTS)),
        ):
            before = values(model.variables_of(player))
            update()
            for old, new in zip(before, values(model.variables_of(player)), strict=True):
                np.testing.assert_array_equal(old, new)

    def test_the_generators_loss_does_not_saturate(self):
        model = make()
        logits = model.discriminator(model.generator(LATENTS)).numpy().astype(np.float64)
        loss = float(model.update_generator(LATENTS)["generator_loss"])
        assert loss == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-5)


def test_batch_normalisation_in_the_discriminator_draws_a_warning():
    with pytest.warns(UserWarning, match="has batch normalisation, and its gradient's norm is penalised"):
        make(discriminator=networks.normalized_mlp(3, 1, units=4, depth=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty_weight": -1.0}, "`penalty_weight` must be 0 or more. Received: penalty_weight=-1.0"),
        ({"slope": float("nan")}, "`slope` must be 0 or more. Received: slope=nan"),
        ({"perturbation": -0.5}, "`perturbation` must be 0 or more. Received: perturbation=-0.5"),
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
        ({"discriminator": None}, "needs images: `data_shape` (height, width, channels). Received: data_shape=(3,)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
