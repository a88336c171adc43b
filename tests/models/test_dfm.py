"""DFM: a step of the equations in NumPy, what each player takes as given, and the baseline without a denoiser."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, sigmoid, softplus, values

from zoo import networks
from zoo.errors import InputError
from zoo.models.dcgan import DCGAN
from zoo.models.dfm import DFM, squared_error
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_uniform([8, 2], [0, 2], -1, 1)
RATES = {"generator": 0.3, "discriminator": 0.2, "denoiser": 0.1}


def sequential(size, *dense, seed):
    """Dense layers of the given (units, activation), with kernels and biases of order one."""
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=keras.random.SeedGenerator(seed))
    layers = [keras.layers.Dense(units, activation, True, initializer, initializer) for units, activation in dense]
    return keras.Sequential([keras.Input((size,)), *layers])


def make(**settings):
    """A model of 3-vectors with 5 features, linear but for those, trained by gradient descent."""
    own = {
        "generator": sequential(2, (3, None), seed=1),
        "discriminator": sequential(3, (5, "relu"), (1, None), seed=6),
        "denoiser": sequential(5, (5, None), seed=3),
    }
    model = DFM((3,), latent_size=2, **{**own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


def identity():
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(5, use_bias=False, kernel_initializer="identity")])


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = DFM((32, 32, 3))
        model.compile()
        return model

    def test_the_denoiser_has_10_hidden_layers_of_1024_normalised_units_on_2048_features(self, model):
        hidden = ["Dense", "FusedBatchNormalization", "ReLU"]
        assert [type(layer).__name__ for layer in model.denoiser.layers] == ["InputLayer", *10 * hidden, "Dense"]
        weights = 2048 * 1024 + 9 * 1024**2 + 1024 * 2048 + 2048
        assert model.denoiser.count_params() == weights + 10 * 4 * 1024

    def test_weights_noise_and_latents(self, model):
        assert (model.denoise_weight, model.adversarial_weight, model.noise_stddev) == (0.03, 1, 1)
        assert model.generator.input_shape == (None, 128)
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 128, [1] * 128])

    def test_the_maps_are_those_that_the_first_author_names_for_cifar10(self, model):
        maps = [
            [layer.filters for layer in network.layers if hasattr(layer, "filters")]
            for network in (model.discriminator, model.generator)
        ]
        assert maps == [[32, 32, 64, 64, 128, 128], [64, 32, 32, 16, 16, 3]]

    @pytest.mark.parametrize("player", DFM.players)
    def test_adam_has_a_rate_of_a_ten_thousandth_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_the_players_start_from_different_draws(self, model):
        kernels = [values(getattr(model, player).trainable_variables)[0].flat[:50] for player in model.players]
        for one, other in zip(kernels, kernels[1:] + kernels[:1], strict=True):
            assert not np.isclose(one, other).any()

    def test_the_features_are_rectified_and_the_logit_is_linear_in_them(self, model):
        images = tf.random.stateless_uniform([4, 32, 32, 3], [0, 3], -1, 1)
        features, logits = (tensor.numpy() for tensor in model.features_and_logits(images, training=True))
        assert features.min() == 0
        assert 0.3 < (features > 0).mean() < 0.7
        np.testing.assert_allclose(features @ arrays(model.discriminator.layers[-1])[0], logits, rtol=1e-3, atol=1e-5)


class TestStep:
    @pytest.mark.parametrize("weights", [(0.7, 1.0), (0.0, 1.0), (2.0, 0.5)], ids=str)
    def test_it_is_that_of_the_equations_in_numpy(self, weights):
        denoise_weight, adversarial_weight = weights
        model = make(denoise_weight=denoise_weight, adversarial_weight=adversarial_weight, noise_stddev=0.5)
        a, a_bias, v, v_bias, w, w_bias, r, r_bias = arrays(model.generator, model.discriminator, model.denoiser)
        z_discriminator, z_generator = (
            model.draw_latents(DATA, purpose).numpy().astype(np.float64) for purpose in ("discriminator", "generator")
        )
        noise = model.corrupt(tf.zeros([8, 5])).numpy().astype(np.float64)
        logs = model.train_step({"image": DATA})
        real, n, n_h = DATA.numpy().astype(np.float64), 8, 5

        def phi(x):
            return np.maximum(x @ v + v_bias, 0)

        fake = z_discriminator @ a + a_bias
        loss, slopes = 0, [0, 0, 0, 0]
        for x, sign in ((real, -1), (fake, 1)):
            logits = phi(x) @ w + w_bias
            loss += softplus(sign * logits).mean()
            d_logits = sign * sigmoid(sign * logits) / n
            d_hidden = d_logits @ w.T * (phi(x) > 0)
            new = (x.T @ d_hidden, d_hidden.sum(0), phi(x).T @ d_logits, d_logits.sum(0))
            slopes = [slope + more for slope, more in zip(slopes, new, strict=True)]
        v, v_bias, w, w_bias = (x - 0.2 * slope for x, slope in zip((v, v_bias, w, w_bias), slopes, strict=True))
        assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)

        noisy = phi(real) + noise
        error = noisy @ r + r_bias - phi(real)  # from the clean features
        assert float(logs["denoiser_loss"]) == pytest.approx((error**2).sum(1).mean() / n_h, rel=1e-5)
        r = r - 0.1 * noisy.T @ (2 * error / (n * n_h))
        r_bias = r_bias - 0.1 * (2 * error / (n * n_h)).sum(0)

        features = phi(z_generator @ a + a_bias)
        assert 0.2 < (features > 0).mean() < 0.8
        logits = features @ w + w_bias
        error = features - (features @ r + r_bias)
        distance = (error**2).sum(1).mean() / n_h
        loss = denoise_weight * distance + adversarial_weight * softplus(-logits).mean()
        assert float(logs["feature_distance"]) == pytest.approx(distance, rel=1e-5)
        assert float(logs["generator_loss"]) == pytest.approx(loss, rel=1e-5)
        d_features = denoise_weight * 2 * error / (n * n_h) - adversarial_weight * sigmoid(-logits) / n @ w.T
        d_fake = d_features * (features > 0) @ v.T
        a = a - 0.3 * z_generator.T @ d_fake
        a_bias = a_bias - 0.3 * d_fake.sum(0)

        expected = (a, a_bias, v, v_bias, w, w_bias, r, r_bias)
        after = arrays(model.generator, model.discriminator, model.denoiser)
        for value, wanted in zip(after, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)

    def test_each_player_moves_once_in_the_order_discriminator_denoiser_generator(self, monkeypatch):
        order, minimize = [], DFM.minimize
        monkeypatch.setattr(DFM, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        model = make()
        model.train_step({"image": DATA})
        assert order == ["discriminator", "denoiser", "generator"]
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1, 1]

    def test_the_players_see_different_noise(self, monkeypatch):
        drawn, draw = [], DFM.draw_latents
        monkeypatch.setattr(DFM, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
        make().train_step({"image": DATA})
        assert not np.isclose(*drawn).any()

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensor_slices({"image": tf.random.stateless_normal([64, 3], [0, 4])})
        one = make()
        one.fit(rows.batch(16).repeat(), steps_per_epoch=12, verbose=0)
        with mirrored.scope():
            two = make()
        two.fit(rows.batch(16).repeat(), steps_per_epoch=12, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


UPDATES = {
    "discriminator": lambda model: model.update_discriminator(DATA, LATENTS),
    "denoiser": lambda model: model.update_denoiser(DATA),
    "generator": lambda model: model.update_generator(LATENTS),
}


class TestWhatIsFixed:
    @pytest.mark.parametrize("player", UPDATES)
    def test_an_update_moves_every_weight_of_its_player_and_none_of_the_others(self, player):
        model = make()
        before = {name: values(model.variables_of(name)) for name in model.players}
        UPDATES[player](model)
        for name, old in before.items():
            same = [np.array_equal(*pair) for pair in zip(old, values(model.variables_of(name)), strict=True)]
            assert same == [name != player] * len(same)

    @pytest.mark.parametrize(
        ("player", "through", "fixed"),
        [
            ("generator", ["generator", "discriminator"], ["denoiser"]),
            ("denoiser", ["denoiser"], ["discriminator", "generator"]),
        ],
    )
    def test_no_gradient_reaches_what_a_loss_takes_as_given(self, player, through, fixed):
        model = make()
        with tf.GradientTape(persistent=True) as tape:
            loss = UPDATES[player](model)[f"{player}_loss"]
        for name in through:
            gradients = tape.gradient(loss, model.variables_of(name))
            assert all(np.abs(gradient).max() > 0 for gradient in gradients)
        for name in fixed:
            assert tape.gradient(loss, model.variables_of(name)) == [None] * len(model.variables_of(name))


class TestDenoiser:
    def test_an_identity_has_no_error_on_features_without_noise(self):
        model = make(denoiser=identity(), noise_stddev=0.0)
        assert float(model.update_denoiser(DATA)["denoiser_loss"]) == 0
        np.testing.assert_array_equal(model.denoiser.get_weights()[0], np.eye(5))

    def test_an_identity_leaves_the_generator_to_the_discriminator(self):
        led, plain = make(denoiser=identity(), denoise_weight=5.0), make(denoise_weight=0.0)
        logs, plain_logs = led.update_generator(LATENTS), plain.update_generator(LATENTS)
        assert float(logs["feature_distance"]) == 0
        assert float(logs["generator_loss"]) == float(plain_logs["generator_loss"])
        for one, other in zip(led.generator.get_weights(), plain.generator.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_the_noise_is_normal_with_the_given_deviation_and_new_at_every_step(self):
        model = make(noise_stddev=2.0)
        clean = tf.random.stateless_normal([20_000, 5], [0, 5])
        noise = (model.corrupt(clean) - clean).numpy()
        standard_error = 2 / np.sqrt(noise.size)
        assert noise.mean() == pytest.approx(0, abs=4 * standard_error)
        assert noise.std() == pytest.approx(2, abs=4 * standard_error)
        assert (noise**4).mean() == pytest.approx(3 * 2**4, rel=0.05)
        np.testing.assert_allclose(model.corrupt(clean) - clean, noise, atol=1e-6)
        model.step_counter.assign_add(1)
        assert abs(np.corrcoef((model.corrupt(clean) - clean).numpy().ravel(), noise.ravel())[0, 1]) < 0.02

    def test_data_and_samples_are_normalised_by_their_own_batch_alone(self):
        model = make(denoiser=None, denoiser_units=4, denoiser_depth=1)
        kernel, gamma, beta, out, out_bias = values(model.denoiser.trainable_variables)
        for variable in model.denoiser.non_trainable_variables:
            variable.assign(tf.fill(variable.shape, 1e3))  # running averages that would show

        def denoise(features):
            hidden = features @ kernel
            hidden = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-5) * gamma + beta
            return np.maximum(hidden, 0) @ out + out_bias

        fake, _ = model.features_and_logits(model.generator(LATENTS))
        distance = ((fake - denoise(fake.numpy())) ** 2).numpy().mean()
        assert float(model.update_generator(LATENTS)["feature_distance"]) == pytest.approx(distance, rel=1e-4)
        real, _ = model.features_and_logits(DATA)
        loss = ((denoise(model.corrupt(real).numpy()) - real) ** 2).numpy().mean()
        assert float(model.update_denoiser(DATA)["denoiser_loss"]) == pytest.approx(loss, rel=1e-4)

    def test_its_error_is_computed_in_float32(self):
        features = tf.constant([[256.0, 1.0], [0.0, 3.0]], tf.bfloat16)
        error = squared_error(features, tf.constant([[255.5, 1.0], [0.0, 0.0]], tf.float32))
        assert error.dtype == "float32"
        assert float(error) == (0.5**2 + 3**2) / 4


def test_without_its_term_the_players_are_those_of_dcgan_bit_for_bit():
    shape, images = (16, 16, 1), tf.random.stateless_uniform([6, 16, 16, 1], [0, 6], -1, 1)
    trained = []
    for cls, settings in ((DCGAN, {}), (DFM, {"denoise_weight": 0.0, "denoiser_units": 4, "denoiser_depth": 1})):
        generator = networks.dcgan_generator(shape, 3, filters=4)
        discriminator = networks.dcgan_discriminator(shape, filters=4, seed=1)
        model = cls(shape, latent_size=3, generator=generator, discriminator=discriminator, **settings)
        model.compile(
            generator_optimizer=keras.optimizers.Adam(1e-3), discriminator_optimizer=keras.optimizers.Adam(1e-3)
        )
        for _ in range(3):
            model.train_step({"image": images})
            model.step_counter.assign_add(1)
        trained.append(values([*model.variables_of("generator"), *model.variables_of("discriminator")]))
    for one, other in zip(*trained, strict=True):
        np.testing.assert_array_equal(one, other)


def functional_ending_in_reshape():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), keras.layers.Reshape((1,))])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"denoise_weight": -0.1}, "`denoise_weight` must be 0 or more. Received: denoise_weight=-0.1"),
        (
            {"adversarial_weight": float("nan")},
            "`adversarial_weight` must be 0 or more. Received: adversarial_weight=nan",
        ),
        ({"noise_stddev": float("inf")}, "`noise_stddev` must be 0 or more. Received: noise_stddev=inf"),
        ({"denoiser_units": 0}, "`denoiser_units` must be a positive integer. Received: denoiser_units=0"),
        ({"denoiser": sequential(4, (5, None), seed=0)}, "`denoiser` must take inputs of shape (None, 5). Received: "),
        ({"denoiser": sequential(5, (4, None), seed=0)}, "`denoiser` must give outputs of shape (None, 5). Received: "),
        ({"discriminator": functional_ending_in_reshape()}, "end in a Dense layer. Received: one that ends in Reshape"),
        ({"discriminator": None}, "needs images: `data_shape` (height, width, channels). Received: data_shape=(3,)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
