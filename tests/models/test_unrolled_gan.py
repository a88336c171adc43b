"""UnrolledGAN: the unroll against closed forms, finite differences and Keras' own updates; the paper's settings."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense, slopes, softplus, values

from zoo import GAN, layers
from zoo.errors import InputError
from zoo.models.unrolled_gan import UnrolledGAN, small_discriminator, small_generator, unroll
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_normal([8, 2], [0, 2])
OPTIMIZERS = {
    "descent": lambda: keras.optimizers.SGD(0.2),
    "momentum": lambda: keras.optimizers.SGD(0.2, momentum=0.6),
    "nesterov": lambda: keras.optimizers.SGD(0.2, momentum=0.6, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.2, beta_1=0.5, beta_2=0.9),
}


def players():
    return {"generator": dense(2, 4, 3, seed=1), "discriminator": dense(3, 4, 1, seed=2)}


def make(discriminator_optimizer="adam", **settings):
    """A small model of 3-vectors with smooth networks."""
    model = UnrolledGAN((3,), latent_size=2, **{**players(), **settings})
    model.compile(keras.optimizers.SGD(0.1), OPTIMIZERS[discriminator_optimizer]())
    return model


def everything(player, model):
    """All that a player is made of, as arrays: the variables of its network and of its optimiser."""
    return values([*getattr(model, player).variables, *model.optimizer_of(player).variables])


class TestUnroll:
    """On f = a b, whose gradient in b is a: the generator has a, the discriminator b."""

    ETA = 0.1

    def slope(self, steps, shortcut=False):
        """The gradient of f_K in a at a = 2 and b = 3."""
        a, b = tf.constant(2.0), keras.Variable(3.0)
        optimizer = keras.optimizers.SGD(self.ETA)
        optimizer.build([b])
        with tf.GradientTape() as tape:
            tape.watch(a)
            (ahead,) = unroll(lambda weights: -a * weights[0], optimizer, [b], steps)
            f = a * (tf.stop_gradient(ahead) if shortcut else ahead)
        return float(tape.gradient(f, a))

    @pytest.mark.parametrize("steps", [0, 1, 2, 5])
    def test_the_gradient_runs_through_every_update(self, steps):
        assert self.slope(steps) == pytest.approx(3 + 2 * steps * self.ETA * 2, rel=1e-6)

    def test_the_first_order_shortcut_is_another_gradient(self):
        assert self.slope(1, shortcut=True) == pytest.approx(3 + self.ETA * 2, rel=1e-6)

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_its_updates_are_those_that_keras_would_make(self, optimizer):
        """From the middle of a training, with the moments that it has by then."""
        optimizer = OPTIMIZERS[optimizer]()
        weights = [keras.Variable([1.0, -2.0]), keras.Variable([[0.5]])]
        optimizer.build(weights)

        def loss(parts):
            return tf.reduce_sum(tf.sin(parts[0]) * parts[1] ** 2)

        def update():
            with tf.GradientTape() as tape:
                error = loss(weights)
            optimizer.apply(tape.gradient(error, weights))

        for _ in range(3):
            update()
        before = values([*weights, *optimizer.variables])
        ahead = unroll(loss, optimizer, weights, 3)
        for old, new in zip(before, values([*weights, *optimizer.variables]), strict=True):
            np.testing.assert_array_equal(old, new)
        for _ in range(3):
            update()
        for unrolled, weight in zip(ahead, weights, strict=True):
            np.testing.assert_allclose(unrolled, weight, rtol=1e-6)

    def test_a_rate_on_a_schedule_is_todays(self):
        optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
        b = keras.Variable(3.0)
        optimizer.build([b])
        optimizer.apply([tf.constant(0.0)])
        (ahead,) = unroll(lambda weights: -2 * weights[0], optimizer, [b], 2)
        assert float(ahead) == pytest.approx(3 + 2 * 0.05 * 2, rel=1e-6)

    def test_a_weight_without_a_slope_leaves_adam_a_finite_gradient(self):
        """As behind a rectified unit that no row wakes, before the first update."""
        a, b = tf.constant(2.0), keras.Variable([3.0, 1.0])
        optimizer = keras.optimizers.Adam(self.ETA)
        optimizer.build([b])
        with tf.GradientTape() as tape:
            tape.watch(a)
            (ahead,) = unroll(lambda weights: tf.reduce_sum(-a * weights[0] * [1.0, 0.0]), optimizer, [b], 2)
            f = tf.reduce_sum(a * ahead * [1.0, 0.0])
        np.testing.assert_allclose(tape.gradient(f, a), 3 + 2 * self.ETA, rtol=1e-5)

    def test_the_graph_grows_by_the_same_with_every_update(self):
        def operations(steps):
            model = make(unrolled_steps=steps)
            return len(tf.function(model.update_generator).get_concrete_function(DATA, LATENTS).graph.get_operations())

        first, second, third = (operations(steps) for steps in (2, 4, 6))
        assert third - second == second - first > 0


class TestGeneratorsUpdate:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    @pytest.mark.parametrize("steps", [1, 2])
    def test_it_follows_finite_differences_of_the_game_played_on(self, optimizer, steps):
        """The discriminator's updates by hand in NumPy, in float64, for each weight of the generator moved a little."""
        model = make(optimizer, unrolled_steps=steps)
        for _ in range(2):
            model.update_discriminator(DATA, LATENTS)
        generator, discriminator = arrays(model.generator), arrays(model.discriminator)
        slots = arrays_of(model.discriminator_optimizer)
        done = int(model.discriminator_optimizer.iterations)

        def f_ahead():
            real, fake = DATA.numpy().astype(np.float64), forward(LATENTS.numpy().astype(np.float64), *generator)
            return value(real, fake, played_on(optimizer, steps, done, real, fake, discriminator, slots))

        wanted = slopes(f_ahead, generator)
        assert float(model.update_generator(DATA, LATENTS)["generator_loss"]) == pytest.approx(f_ahead(), rel=1e-5)
        for old, new, slope in zip(generator, arrays(model.generator), wanted, strict=True):
            np.testing.assert_allclose((old - new) / 0.1, slope, rtol=1e-3, atol=2e-5)

    @pytest.mark.parametrize("steps", [0, 2])
    def test_it_leaves_the_discriminator_and_its_optimiser_as_they_are(self, steps):
        discriminator = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(4),
                layers.FusedBatchNormalization(),
                layers.GlobalBatchDropout(0.5, seed=3),
                keras.layers.Dense(1),
            ]
        )
        model = make(unrolled_steps=steps, discriminator=discriminator)
        model.update_discriminator(DATA, LATENTS)
        kept, moving = everything("discriminator", model), everything("generator", model)
        model.update_generator(DATA, LATENTS)
        for old, new in zip(kept, everything("discriminator", model), strict=True):
            np.testing.assert_array_equal(old, new)
        assert any((old != new).any() for old, new in zip(moving, everything("generator", model), strict=True))

    def test_two_replicas_follow_one_through_the_unroll(self, mirrored):
        rows = tf.data.Dataset.from_tensors({"image": DATA}).repeat()
        one = make(unrolled_steps=2)
        with mirrored.scope():
            two = make(unrolled_steps=2)
        for model in (one, two):
            model.fit(rows, steps_per_epoch=5, verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


def arrays_of(optimizer):
    """The slots of an optimiser in float64: a list for each kind, as long as there are weights."""
    kinds = [getattr(optimizer, name, []) for name in ("momentums", "_momentums", "_velocities")]
    return [[slot.numpy().astype(np.float64) for slot in kind] for kind in kinds if kind]


def forward(rows, kernel, bias, last_kernel, last_bias):
    return np.tanh(rows @ kernel + bias) @ last_kernel + last_bias


def value(real, fake, weights):
    """f, in NumPy."""
    return -softplus(-forward(real, *weights)).mean() - softplus(forward(fake, *weights)).mean()


def played_on(optimizer, steps, done, real, fake, weights, slots):
    """The discriminator's weights after K further updates up the slope of f, which differences give."""
    weights, slots = [weight.copy() for weight in weights], [[slot.copy() for slot in kind] for kind in slots]
    for step in range(steps):
        for index, slope in enumerate(slopes(lambda: value(real, fake, weights), weights, width=1e-5)):
            if optimizer == "adam":
                means, squares = slots
                means[index] = 0.5 * means[index] - 0.5 * slope
                squares[index] = 0.9 * squares[index] + 0.1 * slope**2
                number = done + step + 1
                mean, square = means[index] / (1 - 0.5**number), squares[index] / (1 - 0.9**number)
                weights[index] = weights[index] - 0.2 * mean / (np.sqrt(square) + 1e-7)
            elif optimizer == "descent":
                weights[index] = weights[index] + 0.2 * slope
            else:
                (velocities,) = slots
                velocities[index] = 0.6 * velocities[index] + 0.2 * slope
                last = 0.6 * velocities[index] + 0.2 * slope if optimizer == "nesterov" else velocities[index]
                weights[index] = weights[index] + last
    return weights


class TestWithoutUnrolling:
    def test_it_is_the_plain_game_bit_for_bit(self):
        """GAN's loss of the discriminator is half of this one's, so that descent at twice the rate is the same."""
        unrolled = make("descent", unrolled_steps=0)
        plain = GAN((3,), latent_size=2, objective="saturating", **players())
        plain.prior = unrolled.prior
        plain.draw_latents = lambda data, purpose: GAN.draw_latents(plain, data, purpose.removesuffix(" 0"))
        plain.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.4))
        rows = tf.data.Dataset.from_tensors({"image": DATA}).repeat()
        for model in (unrolled, plain):
            model.fit(rows, steps_per_epoch=10, verbose=0)
        for left, right in zip(unrolled.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = UnrolledGAN((2,))
        model.compile()
        return model

    def test_latents_are_256_standard_normals_and_ten_updates_are_unrolled(self, model):
        assert (model.prior.batch_shape, model.unrolled_steps) == ((256,), 10)
        np.testing.assert_allclose(model.prior.quantile(0.975), np.full(256, 1.959964), rtol=1e-5)

    @pytest.mark.parametrize("player", UnrolledGAN.players)
    def test_adam_has_a_low_rate_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_the_generator_of_vectors_has_two_layers_of_128_and_the_discriminator_one_on_a_quarter(self, model):
        assert [weights.shape for weights in model.generator.get_weights()[::2]] == [(256, 128), (128, 128), (128, 2)]
        kernel, bias, last, last_bias = arrays(model.discriminator)
        assert (kernel.shape, last.shape) == ((2, 128), (128, 1))
        points = np.array([[2.0, -1.0], [0.3, 4.0]])
        expected = np.maximum(points / 4 @ kernel + bias, 0) @ last + last_bias
        np.testing.assert_allclose(model.discriminator(points.astype("float32")), expected, rtol=1e-5)
        np.testing.assert_allclose(kernel @ kernel.T, 0.8**2 * np.eye(2), atol=1e-6)

    def test_the_networks_of_28x28_pixels_are_those_of_stacked_mnist(self):
        generator, discriminator = small_generator((28, 28, 3), 256), small_discriminator((28, 28, 3), 2)
        maps = [layer.output.shape[1:] for layer in generator.layers if layer.name.startswith(("reshape", "conv2d"))]
        assert maps == [(4, 4, 64), (7, 7, 32), (14, 14, 16), (28, 28, 8), (28, 28, 3)]
        maps = [layer.output.shape[1:] for layer in discriminator.layers if layer.name.startswith("conv2d")]
        assert maps == [(14, 14, 2), (7, 7, 4), (4, 4, 8)]
        assert discriminator.layers[-1].input.shape == (None, 128)

    @pytest.mark.parametrize("shape", [(8, 8, 1), (9, 13, 2), (1, 2, 3)])
    def test_the_generator_makes_images_of_any_size(self, shape):
        assert small_generator(shape, 4).output_shape == (None, *shape)


@pytest.mark.parametrize("steps", [-1, 1.5])
def test_a_number_of_updates_that_is_none_is_refused(steps):
    with pytest.raises(InputError, match=f"whole number of 0 or more. Received: unrolled_steps={steps}"):
        make(unrolled_steps=steps)


@pytest.mark.parametrize(
    ("optimizer", "received"),
    [
        (keras.optimizers.RMSprop(), "RMSprop"),
        (keras.optimizers.SGD(clipnorm=1.0), "SGD with clipnorm"),
        (keras.optimizers.Adam(amsgrad=True, weight_decay=0.1), "Adam with weight_decay, amsgrad"),
    ],
)
def test_an_optimiser_that_is_not_unrolled_is_refused(optimizer, received):
    model = UnrolledGAN((2,))
    with pytest.raises(InputError, match=f"Received: {received}$"):
        model.compile(discriminator_optimizer=optimizer)
