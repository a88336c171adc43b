"""ImprovedGAN: each technique with and without, a step of the equations in NumPy, the mean of all past weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, dense, sigmoid, slopes, softplus, values

from zoo import networks
from zoo.errors import InputError
from zoo.layers import MinibatchDiscrimination, VirtualBatchNormalization, WeightNormalization
from zoo.models.improved_gan import ImprovedGAN
from zoo.optimizers import InnerEpsilonAdam

SHAPE = (8, 8, 1)
DATA = tf.random.stateless_normal([8, 3], [0, 1])
RATES = {"generator": 0.3, "discriminator": 0.2}


def on_vectors(**settings):
    """A model of 3-vectors, trained by gradient descent."""
    networks = {"generator": dense(2, 4, 3, seed=1), "discriminator": dense(3, 5, 1, seed=2)}
    model = ImprovedGAN((3,), latent_size=2, **networks, **settings)
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


def kinds(network):
    return {type(layer) for layer in network._flatten_layers(include_self=False)}


class TestTechniques:
    TECHNIQUES = (MinibatchDiscrimination, VirtualBatchNormalization, WeightNormalization)
    SETTINGS = ({"minibatch_kernels": 0}, {"reference_rows": 0}, {"weight_normalization": False})

    def found(self, **settings):
        model = ImprovedGAN(SHAPE, **{"filters": 4, "reference_rows": 4, **settings})
        inside = kinds(model.generator) | kinds(model.discriminator)
        return [kind for kind in self.TECHNIQUES if kind in inside]

    def test_all_are_there_by_default(self):
        assert self.found() == list(self.TECHNIQUES)

    @pytest.mark.parametrize(("technique", "setting"), zip(TECHNIQUES, SETTINGS, strict=True), ids=str)
    def test_a_setting_leaves_one_out(self, technique, setting):
        assert self.found(**setting) == [kind for kind in self.TECHNIQUES if kind is not technique]

    def test_published_settings(self):
        model = ImprovedGAN(SHAPE, filters=4)
        assert (model.minibatch_kernels, model.kernel_size, model.real_target) == (100, 5, 0.9)
        for player in model.players:
            optimizer = model.paper_optimizer(player)
            assert type(optimizer) is InnerEpsilonAdam
            assert [float(optimizer.learning_rate), optimizer.beta_1] == pytest.approx([3e-4, 0.5])

    def test_samples_are_normalised_by_the_reference_batch_that_a_seed_draws(self):
        first, same, other = (ImprovedGAN(SHAPE, filters=4, reference_rows=4, seed=seed) for seed in (0, 0, 1))
        rows = [values(model.generator.non_trainable_variables)[0] for model in (first, same, other)]
        assert rows[0].shape == (4, 100)
        assert 0 <= rows[0].min() < 0.1 < 0.9 < rows[0].max() <= 1
        np.testing.assert_array_equal(rows[0], rows[1])
        assert not np.isclose(rows[0], rows[2]).any()

    def test_features_are_those_before_minibatch_discrimination(self):
        model = ImprovedGAN(SHAPE, filters=4, minibatch_kernels=3, reference_rows=4, feature_matching=True)
        assert model.features_and_logits.outputs[0].shape == (None, 4 * 4 * 4)

    def test_data_initialise_the_discriminator(self):
        model = ImprovedGAN(SHAPE, filters=4, minibatch_kernels=3, kernel_size=2, reference_rows=4)
        images = np.random.default_rng(0).uniform(size=(50, *SHAPE)).astype("float32")
        model.initialize_from(images)
        logits = model.discriminator(images * 2 - 1).numpy()
        assert (logits.mean(), logits.std()) == pytest.approx((0, 1), abs=1e-4)

    def test_the_average_starts_from_the_initialised_weights(self):
        weight_normalized = networks.weight_normalized(networks.dcgan_generator(SHAPE, 100, 4))
        model = ImprovedGAN(SHAPE, generator=weight_normalized, filters=4, minibatch_kernels=0, ema_decay=0.9)
        before = [weight.copy() for weight in model.generator.get_weights()]
        model.initialize_from(np.random.default_rng(0).uniform(size=(50, *SHAPE)).astype("float32"))
        after = model.generator.get_weights()
        assert any((old != new).any() for old, new in zip(before, after, strict=True))
        for mean, value in zip(model.sampler.get_weights(), after, strict=True):
            np.testing.assert_array_equal(mean, value)


@pytest.mark.parametrize("feature_matching", [False, True], ids=["deceived", "matched"])
@pytest.mark.parametrize("real_target", [0.9, 1.0])
def test_a_step_is_the_equations_written_out(feature_matching, real_target):
    model = on_vectors(feature_matching=feature_matching, real_target=real_target)
    generator, discriminator = arrays(model.generator), arrays(model.discriminator)
    first, second = (
        model.draw_latents(DATA, purpose).numpy().astype(np.float64) for purpose in ("discriminator", "generator")
    )
    real = DATA.numpy().astype(np.float64)
    logs = model.train_step({"image": DATA})

    def through(x, weights):
        hidden = np.tanh(x @ weights[0] + weights[1])
        return hidden, hidden @ weights[2] + weights[3]

    def discriminator_loss():
        real_logits, fake_logits = (through(x, discriminator)[1] for x in (real, through(first, generator)[1]))
        of_data = real_target * np.log(sigmoid(real_logits)) + (1 - real_target) * np.log(sigmoid(-real_logits))
        return -of_data.mean() - np.log(sigmoid(-fake_logits)).mean()

    def generator_loss():
        features, logits = through(through(second, generator)[1], discriminator)
        if not feature_matching:
            return softplus(-logits).mean()
        return ((features.mean(axis=0) - through(real, discriminator)[0].mean(axis=0)) ** 2).mean()

    losses = {"discriminator": (discriminator_loss, discriminator), "generator": (generator_loss, generator)}
    for player, (loss, weights) in losses.items():
        assert float(logs[f"{player}_loss"]) == pytest.approx(loss(), rel=1e-5)
        for weight, slope in zip(weights, slopes(loss, weights), strict=True):
            weight -= RATES[player] * slope
    for found, expected in zip(arrays(model.generator, model.discriminator), generator + discriminator, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class TestHistoricalAveraging:
    def test_the_average_is_the_mean_of_all_past_weights_and_costs_one_copy_of_them(self):
        model, past = on_vectors(historical_weight=0.1), {player: [] for player in ImprovedGAN.players}
        for _ in range(5):
            for player in model.players:
                past[player].append(values(model.variables_of(player)))
            model.train_on_batch({"image": DATA})
        for player, iterates in past.items():
            for mean, *weights in zip(model.weight_means[player], *iterates, strict=True):
                np.testing.assert_allclose(mean, np.mean(weights, axis=0), rtol=1e-5, atol=1e-6)
        copies = sum(np.prod(mean.shape) for means in model.weight_means.values() for mean in means)
        assert copies == sum(model_.count_params() for model_ in (model.generator, model.discriminator))

    def test_its_gradient_is_twice_the_weighted_distance_from_the_mean_which_is_constant(self):
        model = on_vectors(historical_weight=0.1)
        for means in model.weight_means.values():
            for mean in means:
                mean.assign(tf.ones_like(mean.value))
        model.step_counter.assign(3)
        with tf.GradientTape() as tape:
            term = model.historical_term("generator")
        variables = model.variables_of("generator")
        means = [1 + (variable.numpy() - 1) / 4 for variable in variables]
        distances = [variable.numpy() - mean for variable, mean in zip(variables, means, strict=True)]
        assert float(term) == pytest.approx(0.1 * sum((distance**2).sum() for distance in distances), rel=1e-5)
        for slope, distance in zip(tape.gradient(term, variables), distances, strict=True):
            np.testing.assert_allclose(slope, 0.2 * distance, rtol=1e-4, atol=1e-6)

    def test_without_a_weight_nothing_is_kept(self):
        model = on_vectors()
        assert model.historical_term("generator") == 0
        assert not hasattr(model, "weight_means")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"historical_weight": -0.1}, "historical_weight=-0.1"),
        ({"minibatch_kernels": -1}, "minibatch_kernels=-1"),
        ({"kernel_size": 0}, "kernel_size=0"),
        ({"reference_rows": -1}, "reference_rows=-1"),
        ({"real_target": 1.1}, "between 0.5 and 1. Received: real_target=1.1"),
        ({"real_target": 0.5}, "real_target=0.5"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        ImprovedGAN(SHAPE, **settings)
