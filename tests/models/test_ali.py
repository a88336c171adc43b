"""ALI: the tables' networks, a step written out in NumPy, pairs of an encoder that inverts the decoder, conditions."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import sigmoid, softplus
from scipy import stats

import zoo
from zoo import draws
from zoo.errors import InputError
from zoo.layers import GlobalBatchDropout, PixelBias
from zoo.models.ali import ALI
from zoo.optimizers import Adam

RATES = {"generator": 0.1, "encoder": 0.2, "discriminator": 0.3}
DATA = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
LABELS = np.arange(12, dtype=np.int32) % 3
ATTRIBUTES = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def linear(sizes, outputs, seed):
    """A linear network of one input, or of several side by side."""
    initializer = keras.initializers.RandomNormal(seed=seed, stddev=0.5)
    inputs = [keras.Input((size,)) for size in sizes]
    x = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    outputs = keras.layers.Dense(outputs, kernel_initializer=initializer, bias_initializer=initializer)(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)


@pytest.fixture
def make():
    """Builds linear players on points of the plane, with two latents and gradient descent."""

    def make(rates=RATES, condition=(), **settings):
        networks = {
            "generator": linear([2, *condition], 2, seed=1),
            "encoder": linear([2, *condition], 4, seed=2),
            "discriminator": linear([2, 2, *condition], 1, seed=3),
        }
        model = ALI((2,), latent_size=2, **{**networks, **settings})
        model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in rates.items()})
        return model

    return make


def step(model, data=DATA):
    logs = model.train_step({"image": tf.constant(data), "label": tf.constant(LABELS)})
    return {name: float(value) for name, value in logs.items()}


def noise_of(model):
    """The normal draws of the encoder's first step."""
    uniform = draws.replica_uniform(12, [2], draws.fold(draws.named_seed(model.seed, "encoder"), 0))
    return stats.norm.ppf(uniform.numpy().astype(np.float64))


def weights(network):
    return [array.astype(np.float64) for array in network.get_weights()]


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def convolutions(*layers, biases=0):
    """The parameters of convolutions (kernel, inputs, outputs), with some parameters an output more."""
    return sum(kernel**2 * inputs * outputs + biases * outputs for kernel, inputs, outputs in layers)


DOWN = [(5, 3, 32), (4, 32, 64), (4, 64, 128), (4, 128, 256), (4, 256, 512)]


class TestPaperNetworks:
    """Tables 3 and 4 of the paper; normalised layers have a gain and a bias an output."""

    @pytest.fixture(scope="class")
    def model(self):
        model = ALI((32, 32, 3))
        model.compile()
        return model

    def test_the_encoder_has_table_3s_maps(self, model):
        maps = [layer.output.shape[1:] for layer in model.encoder.layers if isinstance(layer, keras.layers.Conv2D)]
        assert maps == [(28, 28, 32), (13, 13, 64), (10, 10, 128), (4, 4, 256), (1, 1, 512)]
        assert trainable(model.encoder) == convolutions(*DOWN, (1, 512, 512), biases=2) + 513 * 128

    def test_the_decoder_has_table_3s_maps_and_an_output_bias_a_pixel(self, model):
        transposed = keras.layers.Conv2DTranspose
        maps = [layer.output.shape[1:] for layer in model.generator.layers if isinstance(layer, transposed)]
        assert maps == [(4, 4, 256), (10, 10, 128), (13, 13, 64), (28, 28, 32), (32, 32, 32), (32, 32, 32)]
        up = [(4, 64, 256), (4, 256, 128), (4, 128, 64), (4, 64, 32), (5, 32, 32), (1, 32, 32)]
        assert trainable(model.generator) == convolutions(*up, biases=2) + 32 * 3 + 32 * 32 * 3

    def test_the_discriminator_is_table_3s_of_two_pieces_and_without_normalisation(self, model):
        network = model.discriminator
        dense = [(1, 64, 512), (1, 512, 512), (1, 1024, 1024), (1, 1024, 1024)]
        assert network.count_params() == 2 * convolutions(*DOWN, *dense, biases=1) + 1024 + 1
        rates = [layer.rate for layer in network.layers if isinstance(layer, GlobalBatchDropout)]
        assert sorted(rates) == [0.2] * 2 + [0.5] * 8  # both inputs; 4 maps, 1 of the latents, 3 of both
        assert not any("normalization" in layer.name for layer in network.layers)

    def test_vectors_get_the_codes_networks_for_25_gaussians(self):
        model = ALI((2,), latent_size=2)
        hidden = 400 * 400 + 2 * 400
        assert trainable(model.encoder) == 2 * 400 + 2 * 400 + hidden + 401 * 4
        assert trainable(model.generator) == 2 * 400 + 2 * 400 + 3 * hidden + 401 * 2
        assert trainable(model.discriminator) == 5 * (5 * 200 + 2 * 201 * 200) + 201

    def test_latents_are_64_standard_normals(self, model):
        assert model.prior.batch_shape == (64,)
        np.testing.assert_allclose(model.prior.quantile([[0.5], [0.975]])[:, 0], [0, 1.959964], atol=1e-5)

    @pytest.mark.parametrize("player", ALI.players)
    def test_kernels_start_with_a_deviation_of_1_percent_and_differ_between_players(self, model, player):
        kernels = [value.numpy() for value in model.variables_of(player) if value.name == "kernel"]
        for kernel in kernels:
            assert kernel.std() == pytest.approx(0.01, abs=4 * 0.01 / np.sqrt(kernel.size))
        others = (weights(getattr(model, other))[0].flat[:90] for other in model.players if other != player)
        assert not any(np.isclose(kernels[0].flat[:90], other).any() for other in others)

    @pytest.mark.parametrize("player", ALI.players)
    def test_adam_has_a_rate_of_1_in_10000_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_the_decoder_can_start_from_the_mean_image(self, model):
        images = np.random.default_rng(0).integers(0, 256, size=(20, 32, 32, 3)).astype(np.uint8)
        model.match_marginals(images)
        output = next(layer for layer in model.generator.layers if isinstance(layer, PixelBias))
        np.testing.assert_allclose(sigmoid(output.bias.numpy()), images.mean(0) / 255, rtol=1e-5)
        generated = keras.Model(output.input, model.generator.output)(np.zeros((1, 32, 32, 3)))
        np.testing.assert_allclose(generated[0], images.mean(0) / 255, rtol=1e-4)

    def test_a_decoder_without_such_a_bias_cannot(self):
        with pytest.raises(InputError, match=r"own convolutional generator, .* Received: one with a Conv2DTranspose"):
            ALI((8, 8, 1), filters=4).match_marginals(np.zeros((2, 8, 8, 1), np.uint8))


class TestStep:
    def test_it_is_that_of_the_equations_in_numpy_all_from_the_same_weights(self, make):
        model = make()
        z = model.draw_latents(tf.constant(DATA), "latents").numpy().astype(np.float64)
        noise = noise_of(model)
        (a, a_bias), (b, b_bias), (w, w_bias) = before = [weights(getattr(model, player)) for player in model.players]
        logs = step(model)

        x, n = DATA.astype(np.float64), len(DATA)
        mean, log_deviation = np.split(x @ b + b_bias, 2, axis=1)
        inferred, fake = mean + np.exp(log_deviation) * noise, z @ a + a_bias
        real_pairs, fake_pairs = np.hstack([x, inferred]), np.hstack([fake, z])
        real_logits, fake_logits = real_pairs @ w + w_bias, fake_pairs @ w + w_bias
        assert logs["discriminator_loss"] == pytest.approx(
            (softplus(-real_logits) + softplus(fake_logits)).mean(), rel=1e-5
        )
        pair_loss = pytest.approx((softplus(real_logits) + softplus(-fake_logits)).mean(), rel=1e-5)
        assert (logs["generator_loss"], logs["encoder_loss"]) == (pair_loss, pair_loss)

        d_real, d_fake = -sigmoid(-real_logits) / n, sigmoid(fake_logits) / n
        gradients = {"discriminator": [real_pairs.T @ d_real + fake_pairs.T @ d_fake, (d_real + d_fake).sum(0)]}
        d_inferred, d_generated = sigmoid(real_logits) / n @ w[2:].T, -sigmoid(-fake_logits) / n @ w[:2].T
        d_outputs = np.hstack([d_inferred, d_inferred * np.exp(log_deviation) * noise])
        gradients["encoder"] = [x.T @ d_outputs, d_outputs.sum(0)]
        gradients["generator"] = [z.T @ d_generated, d_generated.sum(0)]
        for player, old in zip(model.players, before, strict=True):
            moved = zip(old, gradients[player], weights(getattr(model, player)), strict=True)
            for value, gradient, after in moved:
                np.testing.assert_allclose(after, value - RATES[player] * gradient, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("mover", ALI.players)
    def test_each_player_moves_its_own_weights_alone(self, make, mover):
        model = make(rates={player: float(player == mover) for player in ALI.players})
        before = {player: weights(getattr(model, player)) for player in model.players}
        step(model)
        for player in model.players:
            pairs = zip(before[player], weights(getattr(model, player)), strict=True)
            assert [(old != new).all() for old, new in pairs] == [player == mover] * 2
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1, 1]

    def test_the_encoders_noise_is_not_the_decoders_latents(self, make):
        model = make()
        latents = model.draw_latents(tf.constant(DATA), "latents")
        assert not np.isclose(noise_of(model), latents).any()

    def test_the_posterior_has_the_mean_and_the_deviation_of_the_outputs(self, make):
        posterior = make().posterior(tf.constant([[1.0, -2.0, 0.0, np.log(3.0)]]))
        np.testing.assert_allclose(posterior.mean(), [[1, -2]])
        np.testing.assert_allclose(posterior.stddev(), [[1, 3]], rtol=1e-6)
        np.testing.assert_allclose(posterior.quantile(stats.norm.cdf(1.0)), [[2, 1]], rtol=1e-5)


class TestInverse:
    """Where Gz inverts Gx, without noise, real and generated pairs are alike: D = 1/2 is the best discriminator."""

    @pytest.fixture
    def model(self, make):
        model = make()
        kernel, bias = np.array([[2.0, 1.0], [0.0, 1.0]]), np.array([1.0, -1.0])
        inverse = np.linalg.inv(kernel)
        model.generator.set_weights([kernel, bias])
        no_noise = [-50.0, -50.0]  # logarithms of the deviations
        model.encoder.set_weights([np.hstack([inverse, np.zeros((2, 2))]), np.append(-bias @ inverse, no_noise)])
        model.discriminator.set_weights([np.zeros((4, 1)), np.zeros(1)])
        return model

    def test_its_loss_is_2_log_2_and_its_gradient_zero_on_the_same_draws(self, model):
        data = model.generator(model.draw_latents(tf.zeros([12, 2]), "latents"))
        logs = step(model, data)
        assert logs["discriminator_loss"] == pytest.approx(2 * np.log(2), rel=1e-6)
        assert logs["generator_loss"] == pytest.approx(2 * np.log(2), rel=1e-6)
        for value in weights(model.discriminator):
            np.testing.assert_allclose(value, 0, atol=1e-6)

    def test_every_other_discriminator_is_worse(self, model):
        data = model.generator(model.draw_latents(tf.zeros([12, 2]), "latents"))
        model.discriminator.set_weights([np.array([[0.3], [-0.2], [0.1], [0.4]]), np.array([0.1])])
        assert step(model, data)["discriminator_loss"] > 2 * np.log(2) + 1e-3

    def test_data_are_reconstructed_from_mean_latents(self, model):
        np.testing.assert_allclose(model.reconstruct(DATA), DATA, rtol=1e-5, atol=1e-5)


class TestConditional:
    """By labels and by attributes."""

    @pytest.fixture(params=["labels", "attributes"])
    def settings(self, request):
        return {"num_classes": 3, "condition": [3]} if request.param == "labels" else {
            "attributes": ATTRIBUTES, "condition": [2],
        }  # fmt: skip

    def test_every_network_is_told_the_condition_of_its_row(self, make, settings):
        model = make(**settings)
        table = ATTRIBUTES if "attributes" in settings else np.eye(3)
        (condition,) = model.condition(tf.constant(LABELS))
        np.testing.assert_array_equal(condition, table[LABELS])
        z = model.draw_latents(tf.constant(DATA), "latents").numpy()
        (a, a_bias), (b, b_bias), (w, w_bias) = (weights(getattr(model, player)) for player in model.players)
        mean, log_deviation = np.split(np.hstack([DATA, condition]) @ b + b_bias, 2, axis=1)
        inferred, fake = mean + np.exp(log_deviation) * noise_of(model), np.hstack([z, condition]) @ a + a_bias
        real_logits = np.hstack([DATA, inferred, condition]) @ w + w_bias
        fake_logits = np.hstack([fake, z, condition]) @ w + w_bias
        logs = step(model)
        expected = (softplus(-real_logits) + softplus(fake_logits)).mean()
        assert logs["discriminator_loss"] == pytest.approx(expected, rel=1e-5)

    def test_labels_choose_what_is_sampled_encoded_and_reconstructed(self, make, settings):
        model = make(**settings)
        for call in (lambda label: model.sample(4, label), lambda label: model.encode(DATA, label)):
            outputs = [call(label) for label in range(3)]
            assert len({output.tobytes() for output in outputs}) == 3
        mixed = model.reconstruct(DATA, LABELS)
        for label in range(3):
            rows = label == LABELS
            np.testing.assert_allclose(mixed[rows], model.reconstruct(DATA[rows], label), rtol=1e-6)

    @pytest.mark.parametrize(
        ("labels", "message"), [(None, "none for 12 of 12"), (3, "Received: 3"), (-1, "none for 12 of")]
    )
    def test_rows_to_encode_need_labels(self, make, labels, message):
        with pytest.raises(InputError, match=message):
            make(num_classes=3, condition=[3]).encode(DATA, labels)

    def test_attributes_of_a_row_give_what_its_label_gives_and_others_something_else(self, make):
        model = make(attributes=ATTRIBUTES, condition=[2])
        latents = tf.constant(DATA)
        generate, _ = model.signatures()["generate_from_attributes"]
        by_label = model.generate_signature(latents, tf.fill([12], 2))["samples"]
        by_attributes = generate(latents, tf.ones([12, 2]))["samples"]
        np.testing.assert_allclose(by_attributes, by_label, rtol=1e-6)
        assert not np.isclose(generate(latents, tf.fill([12, 2], 0.5))["samples"], by_label).any()
        assert "generate_from_attributes" not in make(num_classes=3, condition=[3]).signatures()

    @pytest.mark.parametrize("shape", [(2,), (8, 8, 1), (32, 32, 3)], ids=["vectors", "backbone", "table 3"])
    def test_the_default_networks_listen_to_the_condition(self, shape):
        model = ALI(shape, latent_size=2, filters=4, attributes=ATTRIBUTES)
        data, latents = tf.ones([1, *shape]), tf.ones([1, 2])
        for network, inputs in (
            (model.generator, [latents]), (model.encoder, [data]), (model.discriminator, [data, latents]),
        ):  # fmt: skip
            with tf.GradientTape() as tape:
                condition = tf.constant([[0.3, 0.7]])
                tape.watch(condition)
                outputs = network([*inputs, condition], training=False)
            assert np.asarray(tape.gradient(outputs, condition)).all()

    @pytest.mark.slow
    def test_saved_and_loaded_it_samples_the_same(self, tmp_path):
        model = ALI((2,), latent_size=2, attributes=ATTRIBUTES, ema_decay=0.5)
        model.compile()
        rows = tf.data.Dataset.from_tensors({"image": DATA, "label": LABELS}).repeat()
        model.fit(rows, steps_per_epoch=2, verbose=0)
        model.save(tmp_path / "model.keras")
        copy = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(copy.sample(3, 1), model.sample(3, 1), atol=1e-6)
        np.testing.assert_allclose(copy.encode(DATA, LABELS), model.encode(DATA, LABELS), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 0}, "`filters` must be a positive integer. Received: filters=0"),
        ({"encoder": linear([2], 2, seed=1)}, "`encoder` must give outputs of shape (None, 4)"),
        ({"num_classes": 3}, "`generator` must take inputs of shape (None, 2) and (None, 3)"),
        ({"attributes": [1.0, 2.0]}, "[num_classes, size]. Received: shape [2], num_classes=None"),
        ({"attributes": ATTRIBUTES, "num_classes": 4}, "Received: shape [3, 2], num_classes=4"),
    ],
)
def test_a_bad_argument_is_named_with_what_arrived(make, settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)


def test_images_that_no_network_fits_are_refused():
    with pytest.raises(InputError, match=r"multiples of 4\. Received: data_shape=\(18, 18, 1\)"):
        ALI((18, 18, 1))


@pytest.mark.slow
def test_the_shipped_model_reconstructs_an_image_as_itself_rather_than_as_another():
    model = zoo.load("ali-fashion_mnist")
    images, no_label = model.sample(100), tf.fill([100], -1)
    reconstructed = model.signatures["reconstruct"](image=tf.constant(images), label=no_label)["samples"].numpy()
    distances = np.mean((images[:, None] - reconstructed[None]) ** 2, axis=(2, 3, 4))
    assert np.mean(distances.argmin(axis=1) == np.arange(100)) > 0.25  # by chance 0.01
