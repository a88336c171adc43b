"""EBGAN: a step in NumPy, the hinge row by row, the pulling-away term as a double sum, pre-training, settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense, slopes

from zoo.errors import InputError
from zoo.models.ebgan import EBGAN, energy, pulling_away
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
LATENTS = tf.random.stateless_uniform([8, 2], [0, 2], -1, 1)
RATES = {"generator": 0.3, "discriminator": 0.2}


def make(**settings):
    """A linear model of 3-vectors with codes of 2, trained by gradient descent."""
    own = {"generator": dense(2, 3, seed=1), "encoder": dense(3, 2, seed=2), "decoder": dense(2, 3, seed=3)}
    model = EBGAN((3,), latent_size=2, discriminator_units=2, **{"margin": 4.0, **own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


def double_sum(codes):
    """The pulling-away term as the paper prints it."""
    size = len(codes)
    cosines = [
        codes[i] @ codes[j] / (np.linalg.norm(codes[i]) * np.linalg.norm(codes[j]))
        for i in range(size)
        for j in range(size)
        if j != i
    ]
    return (np.array(cosines) ** 2).sum() / (size * (size - 1))


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = EBGAN((8, 8, 1))
        model.compile()
        return model

    def test_the_generator_has_four_hidden_layers_of_1600_normalised_units(self, model):
        hidden = ["Dense", "FusedBatchNormalization", "ReLU"]
        names = [type(layer).__name__ for layer in model.generator.layers]
        assert names == ["InputLayer", *4 * hidden, "Dense", "Activation", "Reshape"]
        assert model.generator.count_params() == 100 * 1600 + 3 * 1600**2 + 4 * 4 * 1600 + (1600 + 1) * 64

    def test_the_autoencoder_has_a_rectified_code_of_1024_units(self, model):
        assert [type(layer).__name__ for layer in model.encoder.layers] == ["InputLayer", "Flatten", "Dense", "ReLU"]
        assert [type(layer).__name__ for layer in model.decoder.layers] == ["InputLayer", "Dense", "Reshape"]
        assert model.discriminator.count_params() == (64 + 1) * 1024 + (1024 + 1) * 64

    def test_margin_weight_and_latents(self, model):
        assert (model.margin, model.pulling_away_weight) == (10, 0)
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 100, [1] * 100])

    def test_first_weights_are_small_and_those_of_the_autoencoder_smaller(self, model):
        assert model.generator.layers[1].kernel.numpy().std() == pytest.approx(0.02, rel=0.05)
        for network in (model.encoder, model.decoder):
            assert arrays(network)[0].std() == pytest.approx(0.002, rel=0.05)

    @pytest.mark.parametrize("player", EBGAN.players)
    def test_adam_has_a_rate_of_a_thousandth(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [1e-3, 0.9, 0.999, 1e-8], rel=1e-6
        )

    def test_more_layers_of_the_discriminator_are_normalised_layers_of_its_encoder(self):
        encoder = EBGAN((4,), discriminator_layers=4, discriminator_units=6, generator_units=2).encoder
        hidden = ["Dense", "FusedBatchNormalization", "ReLU"]
        names = [type(layer).__name__ for layer in encoder.layers]
        assert names == ["InputLayer", "Flatten", "Dense", "ReLU", *2 * hidden]


class TestStep:
    @pytest.mark.parametrize("weight", [0.0, 0.7])
    def test_it_is_that_of_the_equations_by_finite_differences(self, weight):
        model = make(pulling_away_weight=weight)
        kernel, bias, *autoencoder = arrays(model.generator, model.discriminator)
        z_discriminator, z_generator = (model.draw_latents(DATA, player) for player in ("discriminator", "generator"))
        real = DATA.numpy().astype(np.float64)
        e, e_bias, d, d_bias = autoencoder

        def energies(x):
            return np.linalg.norm((x @ e + e_bias) @ d + d_bias - x, axis=1)

        def discriminator_loss():
            fake = z_discriminator.numpy() @ kernel + bias
            return energies(real).mean() + np.maximum(0, model.margin - energies(fake)).mean()

        def generator_loss():
            fake = z_generator.numpy() @ kernel + bias
            return energies(fake).mean() + weight * double_sum(fake @ e + e_bias)

        # A margin with half of the samples on either side.
        model.margin = float(np.median(energies(z_discriminator.numpy() @ kernel + bias)))
        logs = model.train_step({"image": DATA})
        assert float(logs["discriminator_loss"]) == pytest.approx(discriminator_loss(), rel=1e-5)
        for variable, gradient in zip(autoencoder, slopes(discriminator_loss, autoencoder), strict=True):
            variable -= 0.2 * gradient
        assert float(logs["generator_loss"]) == pytest.approx(generator_loss(), rel=1e-4)
        assert float(logs["pulling_away"]) == pytest.approx(
            double_sum((z_generator.numpy() @ kernel + bias) @ e + e_bias), rel=1e-4
        )
        for variable, gradient in zip((kernel, bias), slopes(generator_loss, [kernel, bias]), strict=True):
            variable -= 0.3 * gradient
        after = arrays(model.generator, model.discriminator)
        for value, wanted in zip(after, (kernel, bias, *autoencoder), strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1]

    def test_the_players_see_different_noise(self, monkeypatch):
        drawn, draw = [], EBGAN.draw_latents
        monkeypatch.setattr(EBGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
        make().train_step({"image": DATA})
        assert not np.isclose(*drawn).any()

    @pytest.mark.parametrize(
        ("update", "movers", "bystanders"),
        [
            (lambda model: model.update_discriminator(DATA, LATENTS), ("encoder", "decoder"), ("generator",)),
            (lambda model: model.update_generator(LATENTS), ("generator",), ("encoder", "decoder")),
            (lambda model: model.update_autoencoder({"image": DATA}), ("encoder", "decoder"), ("generator",)),
        ],
        ids=["discriminator", "generator", "autoencoder"],
    )
    def test_an_update_moves_every_weight_of_its_player_and_none_of_the_other(self, update, movers, bystanders):
        model = make(pulling_away_weight=0.1)
        before, kept = ([arrays(getattr(model, name)) for name in names] for names in (movers, bystanders))
        update(model)
        for name, weights in zip(movers, before, strict=True):
            assert all((old != new).any() for old, new in zip(weights, arrays(getattr(model, name)), strict=True))
        for name, weights in zip(bystanders, kept, strict=True):
            assert all((old == new).all() for old, new in zip(weights, arrays(getattr(model, name)), strict=True))

    def test_samples_beyond_the_margin_do_not_move_the_discriminator(self):
        beyond, alone = make(margin=1e-6), make()
        beyond.update_discriminator(DATA, LATENTS)
        alone.update_autoencoder({"image": DATA})
        for one, other in zip(arrays(beyond.discriminator), arrays(alone.discriminator), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)

    def test_the_pulling_away_term_is_the_generators_alone(self):
        plain, pulled = make(), make(pulling_away_weight=5.0)
        for model in (plain, pulled):
            model.update_discriminator(DATA, LATENTS)
        for one, other in zip(arrays(plain.discriminator), arrays(pulled.discriminator), strict=True):
            np.testing.assert_array_equal(one, other)


class TestPullingAway:
    def test_it_is_the_double_sum(self):
        codes = np.random.default_rng(0).normal(size=(6, 4)) * np.arange(1, 7)[:, None]
        assert float(pulling_away(codes)) == pytest.approx(double_sum(codes), rel=1e-6)

    def test_equal_codes_of_any_length_give_1_and_orthogonal_ones_0(self):
        rows = np.outer([0.5, 2.0, -3.0, 1.0], [1.0, -2.0, 0.5, 3.0])
        assert float(pulling_away(rows)) == pytest.approx(1, abs=1e-6)
        assert float(pulling_away(np.diag([1.0, 2.0, 3.0]))) == 0

    def test_codes_of_zeros_and_a_single_row_give_0_and_no_gradient_that_is_not_finite(self):
        codes = tf.constant([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
        with tf.GradientTape() as tape:
            tape.watch(codes)
            term = pulling_away(codes)
        assert float(term) == 0
        np.testing.assert_array_equal(tape.gradient(term, codes), np.zeros((3, 2)))
        assert float(pulling_away(codes[2:])) == 0

    @pytest.mark.parametrize("size", [1e-30, 1e-8, 1.0, 1e19])
    def test_it_does_not_depend_on_the_size_of_codes(self, size):
        codes = tf.constant([[1.0, 2.0], [2.0, 1.0]]) * size
        assert float(pulling_away(codes)) == pytest.approx((4 / 5) ** 2, rel=1e-5)

    def test_it_and_the_energy_are_computed_in_float32(self):
        codes = tf.constant([[1.0, 0.0], [1.0, 1.0]], tf.bfloat16)
        assert float(pulling_away(codes)) == pytest.approx(0.5, abs=1e-6)
        error = energy(tf.constant([[256.0, 1.0]], tf.bfloat16), tf.constant([[255.5, 1.0]]))
        assert (error.dtype, float(error[0])) == (tf.float32, 0.5)


def test_the_energy_is_the_norm_of_the_error_and_has_a_slope_where_there_is_none():
    data = tf.constant([[[[3.0], [4.0]]], [[[0.0], [0.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(data)
        energies = energy(data, tf.zeros_like(data))
    np.testing.assert_allclose(energies, [5, 0], atol=1e-6)
    np.testing.assert_allclose(tf.squeeze(tape.gradient(energies, data)), [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_the_score_is_minus_the_energy_and_has_no_boundary():
    model = make()
    e, e_bias, d, d_bias = arrays(model.encoder, model.decoder)
    data = DATA.numpy()
    expected = -np.linalg.norm((data @ e + e_bias) @ d + d_bias - data, axis=1)
    np.testing.assert_allclose(model.score(DATA, None), expected, rtol=1e-5)
    assert model.decision_boundary is None


class TestPretraining:
    def batches(self):
        return tf.data.Dataset.from_tensor_slices({"image": tf.reshape(DATA, [2, 4, 3])}).repeat()

    def test_it_is_gradient_descent_on_the_energy_of_the_data(self):
        model, by_hand = make(), make()
        model.pretrain(self.batches(), 3)
        for rows in (DATA[:4], DATA[4:], DATA[:4]):
            by_hand.update_autoencoder({"image": rows})
        for one, other in zip(arrays(model.discriminator), arrays(by_hand.discriminator), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)
        assert (int(model.discriminator_optimizer.iterations), model.step) == (3, 0)

    @pytest.mark.slow
    def test_a_run_that_is_started_again_goes_on_as_if_it_had_never_stopped(self, tmp_path):
        def start():
            model = make()
            model.pretrain(self.batches(), 3)
            return model, tf.train.Checkpoint(model=model)

        whole, _ = start()
        whole.fit(self.batches(), steps_per_epoch=4, verbose=0)
        first, checkpoint = start()
        first.fit(self.batches(), steps_per_epoch=2, verbose=0)
        path = checkpoint.write(str(tmp_path / "checkpoint"))
        second, checkpoint = start()
        checkpoint.read(path)
        second.fit(self.batches(), steps_per_epoch=2, verbose=0)
        for one, other in zip(arrays(whole), arrays(second), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_two_replicas_pretrain_as_one(self, mirrored):
        rows = tf.data.Dataset.from_tensors({"image": DATA}).repeat()
        one = make()
        one.pretrain(rows, 3)
        with mirrored.scope():
            two = make()
        two.pretrain(rows, 3)
        for left, right in zip(arrays(one.discriminator), arrays(two.discriminator), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margin": 0.0}, "`margin` must be positive. Received: margin=0.0"),
        ({"margin": float("nan")}, "`margin` must be positive. Received: margin=nan"),
        ({"pulling_away_weight": -0.1}, "`pulling_away_weight` must be 0 or more. Received: pulling_away_weight=-0.1"),
        ({"generator_layers": 1}, "`generator_layers` must be 2 or more. Received: generator_layers=1"),
        ({"discriminator_layers": 1}, "`discriminator_layers` must be 2 or more. Received: discriminator_layers=1"),
        ({"discriminator_units": 0}, "`discriminator_units` must be a positive integer. Received: "),
        ({"encoder": dense(3, 4, seed=0)}, "`encoder` must give outputs of shape (None, 2). Received: "),
        ({"decoder": dense(4, 3, seed=0)}, "`decoder` must take inputs of shape (None, 2). Received: "),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        EBGAN((3,), **{"latent_size": 2, "generator_units": 2, "discriminator_units": 2, **settings})
