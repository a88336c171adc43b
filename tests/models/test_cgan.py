"""CGAN: the paper's settings, a step written out, and labels that reach both players and choose what is sampled."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import sigmoid, softplus

import zoo
from zoo.errors import InputError
from zoo.features import ClassifierFeatures
from zoo.models.cgan import CGAN
from zoo.optimizers import MomentumRampSGD

layers = keras.layers

DATA = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
LABELS = np.arange(12, dtype=np.int32) % 3
BATCH = {"image": tf.constant(DATA), "label": tf.constant(LABELS)}


def linear(inputs, outputs, seed, num_classes=3):
    """One matrix for the pair of an input and its one-hot label."""
    initializer = keras.initializers.RandomNormal(seed=seed, stddev=1.0)
    pair = [keras.Input((inputs,)), keras.Input((num_classes,))]
    return keras.Model(pair, layers.Dense(outputs, kernel_initializer=initializer)(layers.Concatenate()(pair)))


@pytest.fixture
def model():
    """Linear players on points of the plane; gradient descent with rates of 0.1 (generator) and 0.2."""
    players = {"generator": linear(4, 2, seed=1), "discriminator": linear(2, 1, seed=2)}
    model = CGAN((2,), num_classes=3, latent_size=4, **players)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    return model


@pytest.fixture
def updates(monkeypatch):
    """The updates that models make while the test runs: (name, arguments as arrays)."""
    seen = []
    for name in ("update_discriminator", "update_generator"):
        method = getattr(CGAN, name)

        def spy(self, *args, name=name, method=method):
            seen.append((name, *(np.array(arg) for arg in args)))
            return method(self, *args)

        monkeypatch.setattr(CGAN, name, spy)
    return seen


@pytest.fixture(scope="module")
def paper():
    """The paper's model of MNIST."""
    model = CGAN((28, 28, 1), num_classes=10)
    model.compile()
    return model


class TestPaperSettings:
    def test_latents_are_100_uniforms_of_the_unit_cube(self, paper):
        assert paper.prior.batch_shape == (100,)
        np.testing.assert_array_equal(paper.prior.quantile([[0.0], [1.0]])[:, 0], [0, 1])

    def test_the_generator_is_200_and_1000_and_1200_rectified_units_and_sigmoid_pixels(self, paper):
        dense = [layer for layer in paper.generator.layers if isinstance(layer, layers.Dense)]
        assert [(layer.kernel.shape, layer.activation.__name__) for layer in dense] == [
            ((100, 200), "relu"), ((10, 1000), "relu"), ((1200, 1200), "relu"), ((1200, 784), "sigmoid"),
        ]  # fmt: skip
        assert paper.generator.count_params() == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784

    def test_the_discriminator_is_240_and_50_maxout_units_of_5_pieces_and_240_of_4(self, paper):
        maxout = [layer for layer in paper.discriminator.layers if type(layer).__name__ == "Maxout"]
        assert [(layer.units, layer.pieces) for layer in maxout] == [(240, 5), (50, 5), (240, 4)]
        assert paper.discriminator.count_params() == 785 * 1200 + 11 * 250 + 291 * 960 + 241

    @pytest.mark.parametrize("player", CGAN.players)
    def test_half_of_the_units_of_every_hidden_layer_are_dropped_and_no_input(self, paper, player):
        network = getattr(paper, player)
        dropout = [layer for layer in network.layers if isinstance(layer, layers.Dropout)]
        assert [layer.rate for layer in dropout] == [0.5] * 3
        dropped = {type(layer.input._keras_history.operation).__name__ for layer in dropout}
        assert dropped == {{"generator": "Dense", "discriminator": "Maxout"}[player]}

    @pytest.mark.parametrize(("player", "limit"), [("generator", 0.05), ("discriminator", 0.005)])
    def test_weights_start_uniform_and_biases_at_zero(self, paper, player, limit):
        for variable in getattr(paper, player).trainable_variables:
            values = variable.numpy()
            if variable.name == "bias":
                assert not values.any()
            else:
                assert np.abs(values).max() == pytest.approx(limit, rel=0.03)
                assert values.std() == pytest.approx(limit / np.sqrt(3), rel=4 / np.sqrt(values.size))

    @pytest.mark.parametrize("player", CGAN.players)
    def test_both_optimisers_follow_the_published_schedule(self, paper, player):
        config = paper.optimizer_of(player).get_config()
        assert isinstance(paper.optimizer_of(player), MomentumRampSGD)
        assert {name: config[name] for name in ("decay", "minimum", "momentum", "final_momentum", "ramp")} == {
            "decay": 1.00004, "minimum": 1e-6, "momentum": 0.5, "final_momentum": 0.7, "ramp": 250 * 500,
        }  # fmt: skip
        assert config["learning_rate"] == pytest.approx(0.1)


class TestAStep:
    def test_it_is_that_of_the_equations_in_numpy(self, model, updates):
        weights = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        a, a_bias, w, w_bias = (array.astype(np.float64) for array in weights)
        logs = model.train_step(BATCH)
        (_, real, y, z_discriminator), (_, y_generator, z_generator) = updates
        np.testing.assert_array_equal(real, DATA)
        np.testing.assert_array_equal(y, np.eye(3)[LABELS])
        np.testing.assert_array_equal(y_generator, y)
        n = len(real)

        real_pair = np.hstack([real, y])
        fake_pair = np.hstack([np.hstack([z_discriminator, y]) @ a + a_bias, y])
        real_logits, fake_logits = real_pair @ w + w_bias, fake_pair @ w + w_bias
        d_real, d_fake = -sigmoid(-real_logits) / (2 * n), sigmoid(fake_logits) / (2 * n)  # of half of eq. 2
        loss = (softplus(-real_logits).mean() + softplus(fake_logits).mean()) / 2
        w = w - 0.2 * (real_pair.T @ d_real + fake_pair.T @ d_fake)
        w_bias = w_bias - 0.2 * (d_real.sum(0) + d_fake.sum(0))
        assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)

        noise = np.hstack([z_generator, y])
        logits = np.hstack([noise @ a + a_bias, y]) @ w + w_bias  # of the discriminator that has just moved
        d_data = -sigmoid(-logits) / n @ w[:2].T  # the label's part of the pair is no variable
        a, a_bias = a - 0.1 * noise.T @ d_data, a_bias - 0.1 * d_data.sum(0)
        assert float(logs["generator_loss"]) == pytest.approx(softplus(-logits).mean(), rel=1e-5)

        after = [*model.generator.get_weights(), *model.discriminator.get_weights()]
        for value, expected in zip(after, (a, a_bias, w, w_bias), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)

    def test_both_updates_have_noise_of_their_own(self, model, updates):
        model.train_step(BATCH)
        latents = np.concatenate([arguments[-1] for _, *arguments in updates])
        assert latents.shape == (2 * 12, 4)
        assert len(np.unique(latents)) == latents.size
        assert 0 < latents.min() < 0.1 < 0.9 < latents.max() < 1

    def test_latents_lie_in_their_range(self, updates):
        model = CGAN((2,), num_classes=3, latent_range=(-2, 5))
        model.compile()
        model.train_step(BATCH)
        for _, *_, latents in updates:
            assert -2 < latents.min() < -1.9 < 4.9 < latents.max() < 5

    @pytest.mark.parametrize(("mover", "bystander"), [CGAN.players, CGAN.players[::-1]])
    def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(self, model, mover, bystander):
        moved, kept = getattr(model, mover).get_weights(), getattr(model, bystander).get_weights()
        labels, latents = model.one_hot(LABELS), tf.random.stateless_normal([12, 4], [0, 1])
        arguments = [tf.constant(DATA), labels, latents] if mover == "discriminator" else [labels, latents]
        getattr(model, f"update_{mover}")(*arguments)
        for before, after in zip(moved, getattr(model, mover).get_weights(), strict=True):
            assert (before != after).all()
        for before, after in zip(kept, getattr(model, bystander).get_weights(), strict=True):
            np.testing.assert_array_equal(before, after)

    def test_images_arrive_as_0_to_1(self, updates):
        model = CGAN((2, 2, 1), num_classes=2, latent_size=3)
        model.compile()
        image = tf.reshape([0.0, 0.25, 0.5, 1.0], [1, 2, 2, 1])
        model.train_step({"image": image, "label": tf.constant([1])})
        np.testing.assert_array_equal(updates[0][1].ravel(), [0, 0.25, 0.5, 1])


class TestLabels:
    @pytest.fixture
    def echo(self):
        """A generator that returns a fifth of its first latent and ten times its label."""
        network = linear(4, 1, seed=1)
        network.set_weights([np.array([0.2, 0, 0, 0, 0, 10, 20])[:, None], np.zeros(1)])
        return CGAN((1,), num_classes=3, latent_size=4, generator=network)

    def test_the_label_asked_for_reaches_the_generator(self, echo):
        samples = echo.sample(range(9), LABELS[:9])[:, 0]
        np.testing.assert_array_equal(samples // 10, LABELS[:9])

    def test_the_label_leaves_the_noise_of_a_seed_as_it_is(self, echo):
        noise = np.stack([echo.sample(9, label)[:, 0] - 10 * label for label in range(3)])
        np.testing.assert_allclose(noise[1:], noise[[0, 0]], atol=1e-5)
        assert len(np.unique(noise[0])) == 9

    def test_minus_1_draws_the_label_by_the_seed_and_all_labels_are_as_likely(self, echo):
        seeds = np.arange(3000)
        drawn = echo.sample(seeds)[:, 0] // 10
        shares = np.bincount(drawn.astype(int), minlength=3) / 3000
        np.testing.assert_allclose(shares, 1 / 3, atol=4 * np.sqrt(2 / 9 / 3000))
        np.testing.assert_array_equal(echo.sample(seeds[::-7], -1)[:, 0] // 10, drawn[::-7])

    def test_a_row_depends_on_its_own_seed_and_label_alone(self, paper):
        seeds, labels = np.array([5, 9, 5, 2]), np.array([0, 3, 7, -1])
        rows = paper.sample(seeds, labels)
        for row, seed, label in zip(rows, seeds, labels, strict=True):
            np.testing.assert_allclose(paper.sample([seed], [label])[0], row, atol=1e-6)
        assert np.abs(rows[0] - rows[2]).max() > 1e-3

    def test_samples_are_drawn_without_dropout(self, paper):
        first, second = (paper.sample(4, 1) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_permuted_labels_change_every_score(self):
        model = CGAN((2, 2, 1), num_classes=6)
        model.discriminator.set_weights([50 * weight for weight in model.discriminator.get_weights()])
        images, labels = tf.random.stateless_uniform([6, 2, 2, 1], [0, 1]), np.arange(6)
        own, others = (model.score(images, order).numpy() for order in (labels, labels[::-1]))
        assert (np.abs(own - others) > 1e-2).all()


def test_of_vectors_the_papers_generator_is_linear():
    model = CGAN((2,), num_classes=3, latent_size=4)
    model.generator.layers[-2].bias.assign([7.0, -9.0])
    # Latents and labels of 0 leave every hidden unit at 0, as biases start there.
    np.testing.assert_array_equal(model.generator([np.zeros((1, 4)), np.zeros((1, 3))]), [[7, -9]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": None}, "CGAN needs at least 2 classes. Received: num_classes=None"),
        ({"latent_range": (1, 1)}, "`latent_range` must rise. Received: latent_range=(1, 1)"),
        ({"generator_dropout": 1}, "`generator_dropout` must lie in [0, 1). Received: generator_dropout=1"),
        ({"num_classes": 1}, "CGAN needs at least 2 classes. Received: num_classes=1"),
        (
            {"generator": linear(4, 2, seed=1, num_classes=5)},
            "`generator` must take inputs of shape (None, 4) and (None, 3). "
            "Received: a network for [(None, 4), (None, 5)]",
        ),
        (
            {"discriminator": linear(2, 2, seed=1)},
            "`discriminator` must give outputs of shape (None, 1). "
            "Received: a network whose outputs have shape (None, 2)",
        ),
    ],
    ids=["no classes", "empty range", "all dropped", "one class", "labels of another length", "two logits"],
)
def test_a_bad_argument_is_named_with_what_arrived(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        CGAN((2,), latent_size=4, **{"num_classes": 3, **settings})


@pytest.mark.slow
def test_the_shipped_model_gives_the_label_that_is_asked_for():
    labels = np.repeat(np.arange(10), 20)
    samples = zoo.load("cgan-mnist").sample(len(labels), labels)
    seen = ClassifierFeatures("mnist")(samples).probabilities.argmax(axis=-1)
    assert np.mean(seen == labels) >= 0.9


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_the_generator_drops_units_at_its_rate(rate):
    model = CGAN((8, 8, 1), num_classes=3, generator_dropout=rate)
    inputs = [tf.ones([4, 100]), tf.one_hot([0, 1, 2, 0], 3)]
    in_training, in_sampling = (model.generator(inputs, training=training) for training in (True, False))
    assert np.array_equal(in_training, in_sampling) == (rate == 0)
