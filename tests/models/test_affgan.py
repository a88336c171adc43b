"""AffGAN and AffDG: the projection, the steps of the equations in NumPy, the slopes, and the bank that is sampled."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense, sigmoid, softplus, values

from zoo.errors import InputError
from zoo.models.affgan import AffDG, AffGAN, Downsampling, kl_generator_loss

IMAGE = (12, 8, 3)
SMALL = {"generator_filters": 4, "generator_blocks": 1}
DATA = tf.random.stateless_normal([6, 2], [0, 1])
RATES = {"generator": 0.3, "discriminator": 0.2, "denoiser": 0.1}


def images(rows, shape=IMAGE, seed=0):
    return np.random.default_rng(seed).uniform(size=(rows, *shape)).astype("float32")


def vectors(cls, **settings):
    """A model of 2-vectors that are given their mean, trained by gradient descent."""
    judge = {"discriminator": dense(2, 4, 1, seed=2)} if cls is AffGAN else {"denoiser": dense(2, 3, 2, seed=2)}
    model = cls((2,), factor=2, generator=dense(1, 3, 2, seed=1), **{**judge, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(RATES[player]) for player in model.players})
    return model


def scrambled(model, size=0.5):
    """A model whose generator has weights far from any that training would find."""
    rng = np.random.default_rng(1)
    model.generator.set_weights([rng.normal(0, size, weight.shape) for weight in model.generator.get_weights()])
    return model


class TestDownsampling:
    @pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), IMAGE, (4, 4, 1)], ids=str)
    def test_every_projection_gives_the_small_image_back_and_is_its_own(self, shape):
        shrink = Downsampling(shape, 4)
        data = 5 * tf.random.stateless_normal([3, *shape], [0, 2])
        low = tf.random.stateless_uniform([3, *shrink.low_shape], [0, 3], -1, 1)
        projected = shrink.project(data, low)
        np.testing.assert_allclose(shrink(projected), low, atol=1e-6)
        np.testing.assert_allclose(shrink.project(projected, low), projected, atol=5e-6)

    def test_it_is_a_matrix_whose_moore_penrose_inverse_is_the_inverse(self):
        shrink = Downsampling((8, 8, 1), 4)
        units = np.eye(64).reshape(64, 8, 8, 1)
        matrix = shrink(units).numpy().reshape(64, 4).T
        inverse = shrink.inverse(np.eye(4).reshape(4, 2, 2, 1)).numpy().reshape(4, 64).T
        np.testing.assert_allclose(matrix @ inverse @ matrix, matrix, atol=1e-12)
        np.testing.assert_allclose(inverse @ matrix @ inverse, inverse, atol=1e-12)
        np.testing.assert_allclose(matrix @ inverse, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(inverse @ matrix, (inverse @ matrix).T, atol=1e-12)
        assert np.abs(inverse / inverse.max() - matrix.T / matrix.max()).max() > 0.1  # the transpose is no inverse

    def test_the_projection_is_the_nearest_of_the_consistent_images(self):
        shrink = Downsampling((8, 8, 1), 4)
        data = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype("float32")
        low = np.random.default_rng(1).normal(size=(1, 2, 2, 1)).astype("float32")
        moved = (shrink.project(data, low) - data).numpy().ravel()
        other = np.random.default_rng(2).normal(size=(1, 8, 8, 1)).astype("float32")
        along = (shrink.project(other, low) - shrink.project(data, low)).numpy().ravel()
        assert abs(moved @ along) < 1e-4 * np.linalg.norm(moved) * np.linalg.norm(along)

    def test_it_is_a_weighted_mean_which_tensorflow_computes_too(self):
        shrink, data = Downsampling((32, 32, 1), 4), images(2, (32, 32, 1))
        expected = tf.image.resize(data, (8, 8), "gaussian", antialias=True)
        np.testing.assert_allclose(shrink(data), expected, atol=1e-6)
        np.testing.assert_allclose(shrink(np.ones((1, 32, 32, 1))), 1, atol=1e-12)
        assert min(matrix.min() for matrix in shrink._matrices) >= 0

    def test_the_mean_of_two_numbers_is_undone_by_repeating_it(self):
        shrink = Downsampling((2,), 2)
        np.testing.assert_allclose(shrink(np.array([[1.0, 4.0]])), [[2.5]], atol=1e-6)
        np.testing.assert_allclose(shrink.inverse(np.array([[2.5]])), [[2.5, 2.5]], atol=1e-6)


@pytest.mark.parametrize("cls", [AffGAN, AffDG])
class TestSuperResolution:
    def test_shrunk_outputs_are_the_inputs_whatever_the_weights(self, cls):
        model = scrambled(cls(IMAGE, **SMALL))
        low = images(5, (3, 2, 3))
        enlarged = model.super_resolve(low)
        assert enlarged.shape == (5, *IMAGE)
        assert enlarged.max() > 2  # the network's part is large
        np.testing.assert_allclose(model.downsampling(enlarged), low, atol=1e-5)

    def test_a_first_generator_is_consistent_to_1e_5_and_not_without_the_projection(self, cls):
        low = images(5, (3, 2, 3))
        projects, penalises = cls(IMAGE, **SMALL), cls(IMAGE, consistency_weight=1.0, **SMALL)
        errors = [np.abs(model.downsampling(model.super_resolve(low)) - low).max() for model in (projects, penalises)]
        assert errors[0] < 1e-5 < 1e-2 < errors[1]

    def test_uint8_images_are_enlarged_as_floats_are(self, cls):
        model, pixels = cls(IMAGE, **SMALL), (images(2, (3, 2, 3)) * 255).astype("uint8")
        expected = model.super_resolve(pixels / np.float32(255))
        np.testing.assert_allclose(model.super_resolve(pixels), expected, atol=1e-6)

    def test_images_shrink_to_images(self, cls):
        model = cls(IMAGE, **SMALL)
        low = model.downsample(np.array([0, 255], "uint8").repeat(np.prod(IMAGE)).reshape(2, *IMAGE))
        np.testing.assert_allclose(low, np.broadcast_to([[[[0]]], [[[1]]]], (2, 3, 2, 3)), atol=1e-6)

    def test_a_seed_chooses_an_image_of_the_bank_and_samples_are_clipped(self, cls):
        model = scrambled(cls(IMAGE, bank_size=3, **SMALL))
        bank = images(3)
        model.take_reference(bank)
        expected = model.super_resolve(model.downsample(bank)).clip(0, 1)
        np.testing.assert_allclose(model.sample([0, 1, 2, 5, -1]), expected[[0, 1, 2, 2, 2]], atol=1e-4)

    @pytest.mark.slow
    def test_the_exported_signature_enlarges_too(self, cls, tmp_path):
        model = cls(IMAGE, bank_size=3, **SMALL)
        model.compile()
        model.take_reference(images(3))
        exported = tf.saved_model.load(model.export(tmp_path / "artefact")).signatures
        low = images(2, (3, 2, 3))
        np.testing.assert_allclose(
            exported["super_resolve"](image=tf.constant(low))["samples"], model.super_resolve(low), atol=1e-5
        )
        names = {"serving_default", "sample", "sample_png", "discriminate", "super_resolve"}
        assert exported.keys() - {"features"} == names

    def test_the_bank_and_the_outputs_are_saved(self, cls, tmp_path):
        model = cls(IMAGE, bank_size=3, **SMALL)
        model.compile()
        model.take_reference(images(3))
        model.save(tmp_path / "model.keras")
        np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras").sample(3), model.sample(3))

    @pytest.mark.parametrize(
        ("data_shape", "settings", "message"),
        [
            ((30, 28, 1), {}, "Super-resolution by 4 needs sides that 4 divides. Received: data_shape=(30, 28, 1)"),
            ((28, 30, 1), {}, "Received: data_shape=(28, 30, 1)"),
            (IMAGE, {"factor": 0}, "`factor` must be a positive integer. Received: factor=0"),
            (IMAGE, {"bank_size": 0}, "Received: bank_size=0"),
            (IMAGE, {"consistency_weight": -1.0}, "`consistency_weight` must be 0 or more. Received: "),
            (IMAGE, {"noise_stddev": -0.1}, "Received: noise_stddev=-0.1"),
            ((4,), {}, "needs images: (height, width, channels). Received: shape=(1,)"),
            (IMAGE, {"generator": dense(2, 2, seed=0)}, "`generator` must take inputs of shape (None, 3, 2, 3)."),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_refused(self, cls, data_shape, settings, message):
        with pytest.raises(InputError, match=re.escape(message)):
            cls(data_shape, **{**SMALL, **settings})

    def test_images_of_another_size_are_refused(self, cls):
        with pytest.raises(InputError, match=re.escape("shape [None, 3, 2, 3]. Received: [1, 12, 8, 3]")):
            cls(IMAGE, **SMALL).super_resolve(images(1))


class TestGeneratorLoss:
    def test_it_is_the_divergence_from_the_data_for_the_best_discriminator(self):
        # q = N(1, 1), p = N(0, 1): logit D = log p - log q = 1/2 - y, and KL[q || p] = 1/2.
        y = np.random.default_rng(0).normal(1, 1, 200_000)
        assert float(kl_generator_loss(tf.constant(0.5 - y))) == pytest.approx(0.5, abs=4 / np.sqrt(len(y)))

    def test_it_falls_where_the_discriminator_is_fooled(self):
        assert float(kl_generator_loss(tf.constant([[2.0], [4.0]]))) == -3


def forward(weights, x):
    """A tanh layer and a linear one: the output and the hidden units."""
    kernel, bias, out, out_bias = weights
    hidden = np.tanh(x @ kernel + bias)
    return hidden @ out + out_bias, hidden


def backward(weights, x, slope):
    """The gradients of the weights and of the input, from that of the output."""
    _, hidden = forward(weights, x)
    d_hidden = slope @ weights[2].T * (1 - hidden**2)
    return [x.T @ d_hidden, d_hidden.sum(0), hidden.T @ slope, slope.sum(0)], d_hidden @ weights[0].T


def stepped(weights, gradients, rate):
    return [weight - rate * gradient for weight, gradient in zip(weights, gradients, strict=True)]


CENTRED = np.array([[0.5, -0.5], [-0.5, 0.5]])  # I - A+ A for the mean of two numbers


def enlarged(weights, low, projects):
    y = forward(weights, low)[0]
    return y @ CENTRED + low if projects else y


class TestStep:
    @pytest.mark.parametrize("weight", [None, 0.7])
    def test_that_of_affgan_is_that_of_the_equations_in_numpy(self, weight):
        model = vectors(AffGAN, consistency_weight=weight, noise_stddev=0.4, noise_steps=10)
        model.step_counter.assign(5)
        generator, discriminator = arrays(model.generator), arrays(model.discriminator)
        noises = [0.2 * model.noise(DATA, purpose).numpy() for purpose in ("real", "fake", "generator")]
        logs = model.train_step({"image": DATA})
        real, n = DATA.numpy().astype(np.float64), len(DATA)
        low, projects = real.mean(1, keepdims=True), weight is None

        fake = enlarged(generator, low, projects)
        loss, gradients = 0, []
        for x, sign in ((real + noises[0], -1), (fake + noises[1], 1)):
            logits, _ = forward(discriminator, x)
            loss += softplus(sign * logits).mean()
            gradients.append(backward(discriminator, x, sign * sigmoid(sign * logits) / n)[0])
        assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)
        discriminator = stepped(discriminator, [sum(pair) for pair in zip(*gradients, strict=True)], 0.2)

        logits, _ = forward(discriminator, fake + noises[2])
        error = low - fake.mean(1, keepdims=True)
        loss = -logits.mean() + (0 if projects else weight * np.abs(error).mean())
        assert float(logs["generator_loss"]) == pytest.approx(loss, rel=1e-5)
        assert float(logs["consistency_error"]) == pytest.approx((error**2).mean(), rel=1e-4, abs=1e-12)
        _, slope = backward(discriminator, fake + noises[2], np.full((n, 1), -1 / n))
        slope = slope @ CENTRED if projects else slope - weight * np.sign(error) / (2 * n)
        generator = stepped(generator, backward(generator, low, slope)[0], 0.3)
        for value, wanted in zip(arrays(model.generator, model.discriminator), generator + discriminator, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("weight", [None, 0.7])
    def test_that_of_affdg_is_that_of_the_equations_in_numpy(self, weight):
        model = vectors(AffDG, consistency_weight=weight, noise_stddev=0.5)
        generator, denoiser = arrays(model.generator), arrays(model.denoiser)
        corrupted = (DATA + 0.5 * model.noise(DATA, "corruption")).numpy().astype(np.float64)
        logs = model.train_step({"image": DATA})
        real, n = DATA.numpy().astype(np.float64), len(DATA)
        low, projects = real.mean(1, keepdims=True), weight is None

        error = forward(denoiser, corrupted)[0] - real
        assert float(logs["denoiser_loss"]) == pytest.approx((error**2).mean(), rel=1e-5)
        denoiser = stepped(denoiser, backward(denoiser, corrupted, error / n)[0], 0.1)

        fake = enlarged(generator, low, projects)
        slope = (fake - forward(denoiser, fake)[0]) / 0.5**2 / (2 * n)  # minus d log p / dy, over n rows of 2 numbers
        error = low - fake.mean(1, keepdims=True)
        slope = slope @ CENTRED if projects else slope - weight * np.sign(error) / (2 * n)
        generator = stepped(generator, backward(generator, low, slope)[0], 0.3)
        for value, wanted in zip(arrays(model.generator, model.denoiser), generator + denoiser, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ("cls", "update", "moves"),
        [
            (AffGAN, lambda model, low: model.update_discriminator(DATA, low), "discriminator"),
            (AffGAN, lambda model, low: model.update_generator(low), "generator"),
            (AffDG, lambda model, low: model.update_denoiser(DATA), "denoiser"),
            (AffDG, lambda model, low: model.update_generator(low), "generator"),
        ],
    )
    def test_an_update_moves_its_own_player_alone(self, cls, update, moves):
        model = vectors(cls)
        before = {player: values(model.variables_of(player)) for player in model.players}
        update(model, model.downsampling(DATA))
        for player, old in before.items():
            same = [np.array_equal(*pair) for pair in zip(old, values(model.variables_of(player)), strict=True)]
            assert any(same) == (player != moves)
            assert all(same) == (player != moves)

    def test_the_exact_denoiser_of_normal_data_gives_the_slope_of_their_log_density(self):
        # For y ~ N(m, s^2) under noise sigma the best denoiser is linear, and (r(y) - y) / sigma^2 = (m - y) / (s^2 +
        # sigma^2), the slope of the log density of the corrupted data.
        m, s, sigma = 1.0, 0.8, 0.5
        shrinkage = s**2 / (s**2 + sigma**2)
        exact = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(shrinkage, m * (1 - shrinkage))])
        model = vectors(AffDG, denoiser=exact, noise_stddev=sigma, consistency_weight=0.0)
        low = model.downsampling(DATA)
        before, rate = arrays(model.generator), RATES["generator"]
        fake = enlarged(before, low.numpy().astype(np.float64), projects=False)
        slope = (m - fake) / (s**2 + sigma**2) / fake.size
        wanted = stepped(before, backward(before, low.numpy().astype(np.float64), -slope)[0], rate)
        model.update_generator(low)
        for value, expected in zip(arrays(model.generator), wanted, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


class TestInstanceNoise:
    @pytest.mark.parametrize(("step", "deviation"), [(0, 0.8), (5, 0.4), (10, 0.0), (15, 0.0)])
    def test_its_deviation_falls_linearly_to_nothing(self, step, deviation):
        model = vectors(AffGAN, noise_stddev=0.8, noise_steps=10)
        model.step_counter.assign(step)
        clean = tf.zeros([20_000, 2])
        noise = model.noisy(clean, "real").numpy()
        assert noise.std() == pytest.approx(deviation, rel=0.02)
        assert not np.array_equal(noise, model.noisy(clean, "fake")) or not deviation


def test_a_point_that_the_denoiser_leaves_alone_has_the_highest_score():
    model = vectors(AffDG, denoiser=keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(0.5)]))
    np.testing.assert_allclose(model.score(tf.constant([[0.0, 0.0], [2.0, 4.0]]), None), [0, -(1 + 4) / 2])
