"""BiGAN: the authors' settings, a step written out in NumPy, and the pairs of an encoder that inverts the generator."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import sigmoid, softplus

from zoo.errors import InputError
from zoo.models.bigan import FEATURES, BiGAN, HeldThenDecayed
from zoo.optimizers import Adam

RATES = {"generator": 0.1, "encoder": 0.2, "discriminator": 0.3}
DATA = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)


def linear(sizes, outputs, seed):
    """A linear network of one input, or of several side by side."""
    initializer = keras.initializers.RandomNormal(seed=seed, stddev=1.0)
    inputs = [keras.Input((size,)) for size in sizes]
    x = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    outputs = keras.layers.Dense(outputs, kernel_initializer=initializer, bias_initializer=initializer)(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)


@pytest.fixture
def make():
    """Builds linear players on points of the plane, with two latents and gradient descent."""

    def make(rates=RATES, **settings):
        networks = {
            "generator": linear([2], 2, seed=1),
            "encoder": linear([2], 2, seed=2),
            "discriminator": linear([2, 2], 1, seed=3),
        }
        model = BiGAN((2,), latent_size=2, **{**networks, **settings})
        model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in rates.items()})
        return model

    return make


def step(model, data=DATA):
    return {name: float(value) for name, value in model.train_step({"image": tf.constant(data)}).items()}


def weights(network):
    return [array.astype(np.float64) for array in network.get_weights()]


def dense_layers(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]


class TestPaperSettings:
    """Those of train_mnist.sh and net.py in the authors' code."""

    @pytest.fixture(scope="class")
    def model(self):
        model = BiGAN((28, 28, 1))
        model.compile()
        return model

    def test_latents_are_50_uniforms_between_minus_1_and_1(self, model):
        assert model.prior.batch_shape == (50,)
        np.testing.assert_allclose(model.prior.quantile([[0.0], [1.0]])[:, 0], [-1, 1])

    def test_the_latents_join_the_generator_twice_and_the_discriminator_once(self, model):
        trainable = {
            player: sum(np.prod(variable.shape) for variable in model.variables_of(player)) for player in model.players
        }
        assert trainable == {
            "generator": 50 * 1024 + 1024**2 + 50 * 1024 + 1024 * 784,
            "encoder": 784 * 1024 + 1024**2 + 1024 * 50,
            "discriminator": 784 * 1024 + 1024**2 + 50 * 1024 + 1024,
        }

    @pytest.mark.parametrize("player", BiGAN.players)
    def test_there_are_neither_biases_nor_gains(self, model, player):
        assert {variable.name for variable in model.variables_of(player)} == {"kernel"}

    @pytest.mark.parametrize(("player", "normalised"), [("generator", 2), ("encoder", 1), ("discriminator", 1)])
    def test_the_first_leaky_layers_are_not_normalised(self, model, player, normalised):
        network = getattr(model, player)
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("FusedBatchNormalization") == normalised
        slopes = [layer.negative_slope for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)]
        assert slopes == ([] if player == "generator" else [0.2, 0.2])

    def test_kernels_start_with_a_deviation_of_2_percent_and_the_logit_at_zero(self, model):
        kernels = [layer.kernel.numpy() for player in model.players for layer in dense_layers(getattr(model, player))]
        logit = kernels.pop()
        assert logit.shape == (1024, 1)
        assert not logit.any()
        for kernel in kernels:
            assert kernel.std() == pytest.approx(0.02, abs=4 * 0.02 / np.sqrt(kernel.size))

    def test_the_encoder_squashes_its_latents_into_the_priors_range(self, model):
        encoder = model.encoder
        images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32)
        features = keras.Model(encoder.input, encoder.get_layer(FEATURES).output)(images).numpy()
        assert features.shape == (3, 1024)
        expected = np.tanh(features @ dense_layers(encoder)[-1].kernel.numpy() / 2)
        np.testing.assert_allclose(encoder(images), expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("player", BiGAN.players)
    def test_adam_has_a_low_rate_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [2e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )
        assert config["weight_decay"] is None  # which would be another decay: the paper's is in the loss
        assert model.weight_decay == 2.5e-5

    def test_the_rate_is_held_for_half_of_the_updates_and_ends_at_a_hundredth(self):
        rate = HeldThenDecayed(2e-4, updates=400)
        rates = [float(rate(tf.constant(step))) for step in (0, 200, 300, 400, 500)]
        np.testing.assert_allclose(rates, [2e-4, 2e-4, 2e-5, 2e-6, 2e-6], rtol=1e-5)
        restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
        assert restored.get_config() == rate.get_config()


class TestStep:
    @pytest.mark.parametrize("decay", [0.0, 0.25])
    def test_it_is_that_of_the_equations_in_numpy_all_from_the_same_weights(self, make, decay):
        model = make(weight_decay=decay)
        z = model.draw_latents(tf.constant(DATA), "pairs").numpy().astype(np.float64)
        (a, a_bias), (b, b_bias), (w, w_bias) = before = [weights(getattr(model, player)) for player in model.players]
        logs = step(model)

        x, n = DATA.astype(np.float64), len(DATA)
        inferred, fake = x @ b + b_bias, z @ a + a_bias
        real_pairs, fake_pairs = np.hstack([x, inferred]), np.hstack([fake, z])
        real_logits, fake_logits = real_pairs @ w + w_bias, fake_pairs @ w + w_bias
        assert logs["discriminator_loss"] == pytest.approx(
            (softplus(-real_logits) + softplus(fake_logits)).mean() / 2, rel=1e-5
        )
        pair_loss = pytest.approx((softplus(real_logits) + softplus(-fake_logits)).mean() / 2, rel=1e-5)
        assert (logs["generator_loss"], logs["encoder_loss"]) == (pair_loss, pair_loss)

        d_real, d_fake = -sigmoid(-real_logits) / (2 * n), sigmoid(fake_logits) / (2 * n)
        gradients = {"discriminator": [real_pairs.T @ d_real + fake_pairs.T @ d_fake, (d_real + d_fake).sum(0)]}
        d_inferred, d_generated = sigmoid(real_logits) / (2 * n) @ w[2:].T, -sigmoid(-fake_logits) / (2 * n) @ w[:2].T
        gradients["encoder"] = [x.T @ d_inferred, d_inferred.sum(0)]
        gradients["generator"] = [z.T @ d_generated, d_generated.sum(0)]
        for player, old in zip(model.players, before, strict=True):
            moved = zip(old, gradients[player], weights(getattr(model, player)), strict=True)
            for value, gradient, after in moved:
                expected = value - RATES[player] * (gradient + decay * value)
                np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("mover", BiGAN.players)
    def test_each_player_moves_its_own_weights_alone(self, make, mover):
        model = make(rates={player: float(player == mover) for player in BiGAN.players})
        before = {player: weights(getattr(model, player)) for player in model.players}
        step(model)
        for player in model.players:
            changed = [
                (old != new).all() for old, new in zip(before[player], weights(getattr(model, player)), strict=True)
            ]
            assert changed == [player == mover] * 2
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1, 1]

    @pytest.mark.parametrize(
        ("mover", "other"),
        [("encoder", {"seed": 1}), ("generator", {"data": DATA[::-1] * 2})],
        ids=["encoder", "generator"],
    )
    def test_the_encoder_learns_from_real_pairs_alone_and_the_generator_from_its_own(self, make, mover, other):
        first, second = make(), make(seed=other.get("seed", 0))
        step(first)
        step(second, other.get("data", DATA))
        for old, new in zip(weights(getattr(first, mover)), weights(getattr(second, mover)), strict=True):
            np.testing.assert_array_equal(old, new)
        assert (weights(first.discriminator)[0] != weights(second.discriminator)[0]).all()


class TestInverse:
    """Where E inverts G, real and generated pairs are alike: D = 1/2 is the best discriminator."""

    @pytest.fixture
    def model(self, make):
        model = make(weight_decay=0.0)
        kernel, bias = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([1.0, -1.0])
        inverse = np.linalg.inv(kernel)
        model.generator.set_weights([kernel, bias])
        model.encoder.set_weights([inverse, -bias @ inverse])
        model.discriminator.set_weights([np.zeros((4, 1)), np.zeros(1)])
        return model

    def test_its_loss_is_that_of_a_coin_and_its_gradient_zero_on_the_same_draws(self, model):
        data = model.generator(model.draw_latents(tf.zeros([12, 2]), "pairs"))
        logs = step(model, data)
        assert logs["discriminator_loss"] == pytest.approx(np.log(2), rel=1e-6)  # half of 2 log 2
        assert logs["generator_loss"] == pytest.approx(np.log(2), rel=1e-6)
        for value in weights(model.discriminator):
            np.testing.assert_allclose(value, 0, atol=1e-7)

    def test_every_other_discriminator_is_worse(self, model):
        data = model.generator(model.draw_latents(tf.zeros([12, 2]), "pairs"))
        model.discriminator.set_weights([np.array([[0.3], [-0.2], [0.1], [0.4]]), np.array([0.1])])
        assert step(model, data)["discriminator_loss"] > np.log(2) + 1e-3

    def test_data_are_reconstructed(self, model):
        np.testing.assert_allclose(model.reconstruct(DATA), DATA, rtol=1e-5, atol=1e-5)


class TestEncoding:
    IMAGES = np.random.default_rng(1).uniform(size=(5, 4, 4, 1)).astype(np.float32)

    @pytest.fixture(scope="class")
    def model(self):
        model = BiGAN((4, 4, 1), latent_size=3, units=8, ema_decay=0.5)
        model.compile(*(keras.optimizers.Adam(0.1) for _ in model.players))
        rows = tf.data.Dataset.from_tensors({"image": self.IMAGES}).repeat()
        model.fit(rows, steps_per_epoch=3, verbose=0)
        return model

    @pytest.mark.slow
    def test_the_averaged_networks_encode_and_reconstruct(self, model):
        latents = model.encode(self.IMAGES)
        np.testing.assert_allclose(latents, model.inferrer(self.IMAGES, training=False), atol=1e-6)
        assert np.abs(latents - model.encoder(self.IMAGES, training=False)).max() > 1e-4
        expected = model.sampler(latents, training=False)
        np.testing.assert_allclose(model.reconstruct(self.IMAGES), expected, atol=1e-6)

    def test_a_row_depends_on_its_own_image_alone(self, model):
        np.testing.assert_allclose(model.encode(self.IMAGES[3:4])[0], model.encode(self.IMAGES)[3], atol=1e-6)

    @pytest.mark.slow
    def test_the_export_encodes_and_reconstructs_as_the_model(self, model, tmp_path):
        signatures = tf.saved_model.load(str(model.export(tmp_path / "bigan"))).signatures
        rows = {"image": tf.constant(self.IMAGES), "label": tf.zeros([5], tf.int32)}
        np.testing.assert_allclose(signatures["encode"](**rows)["latent"], model.encode(self.IMAGES), atol=1e-5)
        np.testing.assert_allclose(
            signatures["reconstruct"](**rows)["samples"], model.reconstruct(self.IMAGES), atol=1e-5
        )

    def test_the_score_is_the_logit_of_the_pair_with_the_images_latents(self, model):
        latents = model.encoder(self.IMAGES, training=False).numpy()
        expected = model.discriminator([self.IMAGES, latents], training=False)[:, 0]
        scores = model.discriminate_signature(tf.constant(self.IMAGES), tf.zeros([5], tf.int32))["score"]
        np.testing.assert_allclose(scores, expected, atol=1e-6)

    @pytest.mark.parametrize("images", [np.zeros((5, 4, 4)), np.zeros((0, 4, 4, 1)), np.zeros((2, 5, 4, 1))])
    def test_images_of_another_shape_are_refused(self, model, images):
        with pytest.raises(InputError, match=re.escape(f"[None, 4, 4, 1]. Received: {list(images.shape)}")):
            model.encode(images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer. Received: units=0"),
        ({"weight_decay": -1.0}, "`weight_decay` must be 0 or more. Received: weight_decay=-1.0"),
        ({"encoder": linear([2], 3, seed=1)}, "`encoder` must give outputs of shape (None, 2)"),
        (
            {"discriminator": linear([2], 1, seed=1)},
            "`discriminator` must take inputs of shape (None, 2) and (None, 2)",
        ),
        ({"num_classes": 3}, "BiGAN takes no labels. Received: num_classes=3"),
    ],
)
def test_a_bad_argument_is_named_with_what_arrived(make, settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
