"""SN-GAN: steps of the equations in NumPy, the power iterations of a step, and the networks of the paper."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import values

from zoo import networks
from zoo.errors import InputError
from zoo.layers import SpectralNormalization
from zoo.models.sn_gan import (
    SETTINGS,
    SNGAN,
    cnn_discriminator,
    cnn_generator,
    resnet_discriminator,
)
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([10, 3], [0, 1])
LATENTS = tf.random.stateless_normal([10, 2], [0, 2])
RATES = {"generator": 0.3, "discriminator": 0.2}


def sequential(size, *dense, seed):
    """Dense layers of the given (units, activation), with kernels and biases of order one."""
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=keras.random.SeedGenerator(seed))
    layers = [keras.layers.Dense(units, activation, True, initializer, initializer) for units, activation in dense]
    return keras.Sequential([keras.Input((size,)), *layers])


def make(*hidden, rates=RATES, **settings):
    """A model of 3-vectors with a linear generator and the given hidden layers of the discriminator."""
    discriminator = sequential(3, *hidden, (1, None), seed=6)
    own = {
        "generator": sequential(2, (3, None), seed=1),
        "discriminator": networks.spectrally_normalized(discriminator),
    }
    model = SNGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in rates.items()})
    return model


def settle(network, data, iterations=300):
    """Runs the power iterations until the vectors are singular ones."""
    iterate = tf.function(lambda: network(data, training=True))
    for _ in range(iterations):
        iterate()


def arrays(network):
    return [weight.astype(np.float64) for weight in values(network.trainable_variables)]


class TestPaperSettings:
    def test_six_settings_and_that_of_the_residual_networks(self):
        assert {name: tuple(setting) for name, setting in SETTINGS.items()} == {
            "A": (1e-4, 0.5, 0.9, 5),
            "B": (1e-4, 0.5, 0.999, 1),
            "C": (2e-4, 0.5, 0.999, 1),
            "D": (1e-3, 0.5, 0.9, 5),
            "E": (1e-3, 0.5, 0.999, 5),
            "F": (1e-3, 0.9, 0.999, 5),
            "ResNet": (2e-4, 0.0, 0.9, 5),
        }

    @pytest.mark.parametrize("name", SETTINGS)
    def test_a_setting_makes_both_optimisers_and_the_number_of_updates(self, name):
        model = make(setting=name)
        model.compile()
        for player in model.players:
            config = model.optimizer_of(player).get_config()
            assert type(model.optimizer_of(player)) is Adam
            assert [config[key] for key in ("learning_rate", "beta_1", "beta_2")] == pytest.approx(SETTINGS[name][:3])
            assert config["epsilon"] == 1e-8
        assert model.discriminator_updates == SETTINGS[name].discriminator_updates

    def test_latents_are_128_standard_normal(self):
        model = SNGAN((8, 8, 1), filters=4)
        assert model.generator.input_shape == (None, 128)
        np.testing.assert_allclose(model.prior.quantile(np.full((1, 128), 0.975)), 1.959964, rtol=1e-5)

    def test_the_players_start_from_different_draws(self):
        model = SNGAN((8, 8, 1), filters=4)
        kernels = [arrays(network)[0].ravel()[:30] for network in (model.generator, model.discriminator)]
        vector = model.discriminator.layers[-1].vector.numpy()[:30]
        assert not np.isclose(*kernels).any()
        assert not np.isclose(kernels[1][: len(vector)], 0.02 * vector).any()


OBJECTIVES = {  # the slopes of the losses of real, fake and the generator's fake logits, a row
    "hinge": (
        lambda real: -1.0 * (real < 1),
        lambda fake: 1.0 * (fake > -1),
        lambda fake: -np.ones_like(fake),
    ),
    "cross_entropy": (
        lambda real: -1 / (1 + np.exp(real)),
        lambda fake: 1 / (1 + np.exp(-fake)),
        lambda fake: -1 / (1 + np.exp(fake)),
    ),
}
VALUES = {
    "hinge": lambda real, fake: np.maximum(1 - real, 0).mean() + np.maximum(1 + fake, 0).mean(),
    "cross_entropy": lambda real, fake: np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean(),
}


class TestStep:
    @pytest.mark.parametrize("objective", OBJECTIVES)
    def test_it_is_that_of_the_equations_in_numpy(self, objective):
        """With one output sigma is the norm of w, so f(x) = x w / |w| + c."""
        of_real, of_fake, of_generated = OBJECTIVES[objective]
        model = make(objective=objective, setting="A")
        (a, b), (w, c) = arrays(model.generator), arrays(model.discriminator)
        latents = {
            purpose: model.draw_latents(DATA[:2], purpose).numpy().astype(np.float64)
            for purpose in ("generator", *(f"discriminator {k}" for k in range(5)))
        }
        logs = model.train_step({"image": DATA})

        z = latents["generator"]
        slope = of_generated((z @ a + b) @ w / np.linalg.norm(w) + c) / len(z) @ w.T / np.linalg.norm(w)
        a, b = a - 0.3 * z.T @ slope, b - 0.3 * slope.sum(0)
        for k in range(5):
            real, fake = DATA.numpy().astype(np.float64)[k::5], latents[f"discriminator {k}"] @ a + b
            direction, sigma = w / np.linalg.norm(w), np.linalg.norm(w)
            real_logits, fake_logits = (x @ direction + c for x in (real, fake))
            d_real, d_fake = of_real(real_logits) / len(real), of_fake(fake_logits) / len(fake)
            plain = real.T @ d_real + fake.T @ d_fake
            w = w - 0.2 * (plain - np.sum(plain * direction) * direction) / sigma
            c = c - 0.2 * (d_real.sum(0) + d_fake.sum(0))
        assert float(logs["discriminator_loss"]) == pytest.approx(VALUES[objective](real_logits, fake_logits), rel=1e-5)
        after = [*arrays(model.generator), *arrays(model.discriminator)]
        for value, wanted in zip(after, (a, b, w, c), strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)

    def test_the_generator_moves_first_and_once(self, monkeypatch):
        order, minimize = [], SNGAN.minimize
        monkeypatch.setattr(SNGAN, "minimize", lambda *args: order.append(args[1]) or minimize(*args))
        model = make(setting="A")
        model.train_step({"image": DATA})
        assert order == ["generator", *["discriminator"] * 5]
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 5]

    def test_every_draw_of_a_step_is_another(self, monkeypatch):
        drawn, draw = [], SNGAN.draw_latents
        monkeypatch.setattr(SNGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
        make(setting="A").train_step({"image": DATA})
        assert len(np.unique(np.concatenate(drawn), axis=0)) == 12

    def test_each_of_the_three_passes_makes_one_power_iteration(self):
        model = make((4, "relu"), rates={"generator": 0.0, "discriminator": 0.0})
        layer = model.discriminator.layers[0]
        matrix, u = layer.kernel.numpy().T.astype(np.float64), layer.vector.numpy().astype(np.float64)
        model.train_step({"image": DATA})
        for _ in range(3):
            u = matrix @ (matrix.T @ u)
            u /= np.linalg.norm(u)
        np.testing.assert_allclose(layer.vector, u, rtol=1e-5)

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensor_slices({"image": tf.random.stateless_normal([64, 3], [0, 4])})
        one = make((4, "relu"))
        one.fit(rows.batch(16).repeat(), steps_per_epoch=12, verbose=0)
        with mirrored.scope():
            two = make((4, "relu"))
        two.fit(rows.batch(16).repeat(), steps_per_epoch=12, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


@pytest.mark.parametrize(
    ("update", "mover", "bystander"),
    [
        (lambda model: model.update_discriminator(DATA, LATENTS), "discriminator", "generator"),
        (lambda model: model.update_generator(LATENTS), "generator", "discriminator"),
    ],
    ids=["discriminator", "generator"],
)
def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(update, mover, bystander):
    model = make((4, "relu"))
    own, others = model.variables_of(mover), model.variables_of(bystander)
    before, kept = values(own), values(others)
    update(model)
    assert all((old != new).any() for old, new in zip(before, values(own), strict=True))
    assert all((old == new).all() for old, new in zip(kept, values(others), strict=True))


def test_the_slope_of_a_settled_discriminator_is_at_most_1():
    network = networks.spectrally_normalized(sequential(3, (16, "relu"), (16, "relu"), (1, None), seed=2))
    points = tf.random.stateless_normal([500, 3], [0, 5], stddev=3.0)
    settle(network, points[:1])
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = network(points)
    slopes = np.linalg.norm(tape.gradient(scores, points), axis=1)
    assert 0.1 < slopes.max() <= 1 + 1e-4


def maps(network):
    """The shapes that the layers with kernels give, in order."""
    kinds = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose, SpectralNormalization)
    return [layer.output.shape[1:] for layer in network.layers if isinstance(layer, kinds)]


def normalized(network):
    return [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]


class TestConvolutionalNetworks:
    def test_the_papers_generator(self):
        network = cnn_generator((32, 32, 3), latent_size=128)
        assert maps(network) == [(8192,), (8, 8, 256), (16, 16, 128), (32, 32, 64), (32, 32, 3)]
        weights = 129 * 8192 + 16 * (512 * 256 + 256 * 128 + 128 * 64) + 448 + 9 * 64 * 3 + 3
        assert network.count_params() == weights + 4 * (8192 + 448)

    def test_the_papers_discriminator(self):
        network = cnn_discriminator((32, 32, 3))
        assert maps(network) == [
            (32, 32, 64), (16, 16, 64), (16, 16, 128), (8, 8, 128), (8, 8, 256), (4, 4, 256), (4, 4, 512), (1,),
        ]  # fmt: skip
        assert {layer.negative_slope for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)} == {0.1}
        kernels = [layer.kernel for layer in normalized(network)]
        assert [kernel.shape[:2] for kernel in kernels[:-1]] == [(3, 3), (4, 4)] * 3 + [(3, 3)]
        biases = 2 * (64 + 128 + 256) + 512 + 1
        assert network.count_params() - sum(layer.vector.shape[0] for layer in normalized(network)) == biases + sum(
            np.prod(kernel.shape) for kernel in kernels
        )

    def test_28x28_pixels_have_one_stage_less(self):
        assert maps(cnn_generator((28, 28, 1), 128, filters=2)) == [(392,), (14, 14, 4), (28, 28, 2), (28, 28, 1)]
        assert maps(cnn_discriminator((28, 28, 1), filters=2)) == [
            (28, 28, 2), (14, 14, 2), (14, 14, 4), (7, 7, 4), (7, 7, 8), (1,),
        ]  # fmt: skip


class TestResidualNetworks:
    def test_the_discriminator_has_four_blocks_of_128_channels(self):
        network = resnet_discriminator((32, 32, 3))
        pair = 9 * 128 * 128 + 128
        first, down = 9 * 3 * 128 + 128 + pair + 3 * 128 + 128, 2 * pair + 128 * 128 + 128
        vectors = 10 * 128 + 1
        assert network.count_params() == first + down + 4 * pair + 128 + vectors
        assert len(normalized(network)) == 11

    def test_kernels_start_uniform_with_a_gain_of_the_root_of_2_but_for_shortcuts(self):
        for layer in normalized(resnet_discriminator((8, 8, 1), filters=32)):
            kernel = layer.kernel.numpy()
            fans = np.prod(kernel.shape[:-2]) * sum(kernel.shape[-2:])
            limit = np.sqrt((12 if kernel.shape[0] == 3 else 6) / fans)
            assert 0.8 * limit < np.abs(kernel).max() <= limit

    def test_the_discriminator_computes_the_blocks_of_the_authors_code(self):
        network = resnet_discriminator((8, 8, 1), filters=3, seed=4)
        images = tf.random.stateless_uniform([2, 8, 8, 1], [0, 6], -1, 1)
        settle(network, images)
        wide, first_shortcut, shortcut = [], [], []
        for layer in normalized(network)[:-1]:
            kernel = layer.kernel.numpy()
            kind = wide if kernel.shape[0] == 3 else first_shortcut if kernel.shape[2] == 1 else shortcut
            kind.append(kernel / np.linalg.svd(kernel.reshape(-1, 3), compute_uv=False)[0])
        kernels = iter(wide)

        def conv(x, kernel=None):
            return tf.nn.conv2d(x, next(kernels) if kernel is None else kernel, 1, "SAME")

        def pool(x):
            return tf.nn.avg_pool2d(x, 2, 2, "VALID")

        x = pool(conv(tf.nn.relu(conv(images)))) + conv(pool(images), *first_shortcut)
        x = pool(conv(tf.nn.relu(conv(tf.nn.relu(x))))) + pool(conv(x, *shortcut))
        for _ in range(2):
            x = conv(tf.nn.relu(conv(tf.nn.relu(x)))) + x
        last = network.layers[-1].kernel.numpy()
        features = tf.reduce_sum(tf.nn.relu(x), axis=(1, 2))
        np.testing.assert_allclose(network(images), features @ (last / np.linalg.norm(last)), rtol=1e-3, atol=1e-4)

    def test_they_train_together(self):
        generator = networks.residual_generator((8, 8, 1), latent_size=3, filters=4)
        discriminator = resnet_discriminator((8, 8, 1), filters=4, seed=1)
        model = SNGAN((8, 8, 1), latent_size=3, generator=generator, discriminator=discriminator, setting="ResNet")
        model.compile()
        before = values(model.trainable_variables)
        model.train_step({"image": tf.random.stateless_uniform([10, 8, 8, 1], [0, 8], -1, 1)})
        # A bias that normalisation takes away again has no gradient, so no step.
        moved = [(old != new).any() for old, new in zip(before, values(model.trainable_variables), strict=True)]
        assert all(is_moved for is_moved, old in zip(moved, before, strict=True) if old.ndim > 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "wasserstein"}, "must be one of hinge, cross_entropy. Received: objective='wasserstein'"),
        ({"setting": "G"}, "must be one of A, B, C, D, E, F, ResNet. Received: setting='G'"),
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
        ({"discriminator": sequential(4, (1, None), seed=0)}, "`discriminator` must take inputs of shape (None, 3)."),
        ({"discriminator": None}, "needs images: `data_shape` (height, width, channels). Received: data_shape=(3,)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
