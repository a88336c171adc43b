"""SemiSupervisedGAN: the paper's settings, a step of the equations in NumPy, the features, and what it classifies."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import arrays, slopes

from zoo import losses
from zoo.data.dataset import Split
from zoo.errors import InputError
from zoo.layers import GlobalBatchNoise, WeightNormalization
from zoo.models.semi_supervised_gan import SemiSupervisedGAN, dense_discriminator
from zoo.optimizers import InnerEpsilonAdam

SHAPE, CLASSES = (4, 4, 1), 3
RATES = {"generator": 0.3, "discriminator": 0.2}


def linear(*widths, seed):
    """Dense layers with kernels and biases of order one, rectified but for the last."""
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=keras.random.SeedGenerator(seed))
    first, *hidden, last = widths
    layers = [keras.layers.Dense(width, "relu", True, initializer, initializer) for width in hidden]
    return keras.Sequential([keras.Input((first,)), *layers, keras.layers.Dense(last, None, True, initializer)])


def on_vectors(**settings):
    """A model of 3-vectors with 5 rectified features, trained by gradient descent."""
    model = SemiSupervisedGAN(
        (3,),
        num_classes=CLASSES,
        latent_size=2,
        generator=linear(2, 3, seed=1),
        discriminator=linear(3, 5, CLASSES, seed=2),
        **settings,
    )
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


def small(**settings):
    return SemiSupervisedGAN(SHAPE, num_classes=CLASSES, generator_units=8, discriminator_units=(8, 6), **settings)


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = SemiSupervisedGAN((28, 28, 1), num_classes=10)
        model.compile()
        return model

    def test_the_discriminator_has_five_normalised_layers_with_noise_before_each(self, model):
        noise = [layer.stddev for layer in model.discriminator.layers if isinstance(layer, GlobalBatchNoise)]
        assert noise == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]
        dense = [layer for layer in model.discriminator.layers if isinstance(layer, WeightNormalization)]
        assert [layer.layer.units for layer in dense] == [1000, 500, 250, 250, 250, 10]
        assert [layer.trainable_gain for layer in dense] == [False] * 5 + [True]

    def test_the_generators_hidden_layers_are_shifted_and_not_scaled(self, model):
        normalized = [layer for layer in model.generator.layers if type(layer).__name__ == "BatchNormalization"]
        assert [(layer.scale, layer.center, layer.epsilon, layer.momentum) for layer in normalized] == [
            (False, True, 1e-6, 0.9)
        ] * 2
        weights = 100 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 784 + 784
        assert sum(np.prod(weight.shape) for weight in model.generator.trainable_weights) == weights

    def test_latents_are_uniform_between_0_and_1(self, model):
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[0] * 100, [1] * 100])

    @pytest.mark.parametrize("player", SemiSupervisedGAN.players)
    def test_adam_has_a_rate_of_three_thousandths_and_a_low_first_momentum(self, model, player):
        assert type(model.optimizer_of(player)) is InnerEpsilonAdam
        config = model.optimizer_of(player).get_config()
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [3e-3, 0.5, 0.999, 1e-8], rel=1e-6
        )

    def test_each_noise_layer_has_a_seed_of_its_own(self):
        noise = [layer for layer in dense_discriminator(SHAPE, CLASSES, (8, 6)).layers if hasattr(layer, "stddev")]
        assert len({layer.seed for layer in noise}) == len(noise) == 3


def test_the_features_are_the_last_hidden_layers_before_its_noise():
    model = small()
    images = tf.random.stateless_uniform([6, *SHAPE], [0, 1])
    features, logits = model.features_and_logits(images, training=False)
    *_, rectified, noise, last = model.discriminator.layers
    assert [type(layer).__name__ for layer in (rectified, noise)] == ["ReLU", "GlobalBatchNoise"]
    np.testing.assert_allclose(last(features), logits, rtol=1e-5)
    assert model.features_and_logits.outputs[0] is rectified.output


@pytest.mark.parametrize(
    ("objective", "unlabelled_weight"),
    [("squared_matching", 1.0), ("squared_matching", 0.5), ("absolute_matching", 1.0), ("minimax", 1.0)],
)
def test_a_step_is_the_equations_written_out(objective, unlabelled_weight):
    model = on_vectors(objective=objective, unlabelled_weight=unlabelled_weight)
    a, b, v, v_bias, w, w_bias = arrays(model.generator, model.discriminator)
    data = np.random.default_rng(1).normal(size=(12, 3))
    labels = np.array([0, -1, -1, 2, -1, -1, -1, -1, -1, 1, -1, -1])
    first, second = (
        model.draw_latents(data[::3], purpose).numpy().astype(np.float64)
        for purpose in ("discriminator", "generator 0")
    )
    logs = model.train_step({"image": tf.constant(data, tf.float32), "label": tf.constant(labels)})

    def phi(x):
        return np.maximum(x @ v + v_bias, 0)

    def softmax_of_four(x):
        logits = np.concatenate([phi(x) @ w + w_bias, np.zeros((len(x), 1))], axis=1)
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    def discriminator_loss():
        known = labels[::3] >= 0
        classes = softmax_of_four(data[::3][known])
        chosen = classes[np.arange(known.sum()), labels[::3][known]] / (1 - classes[:, -1])
        real, fake = softmax_of_four(data[1::3])[:, -1], softmax_of_four(first @ a + b)[:, -1]
        unlabelled = (-np.log(1 - real).mean() - np.log(fake).mean()) / 2
        return -np.log(chosen).mean() + unlabelled_weight * unlabelled

    def generator_loss():
        if objective == "minimax":
            return np.log(softmax_of_four(second @ a + b)[:, -1]).mean()
        differences = phi(data[2::3]).mean(0) - phi(second @ a + b).mean(0)
        return (np.abs(differences) if objective == "absolute_matching" else differences**2).mean()

    assert float(logs["discriminator_loss"]) == pytest.approx(discriminator_loss(), rel=1e-5)
    moving = (v, v_bias, w, w_bias)
    for value, slope in zip(moving, slopes(discriminator_loss, moving), strict=True):
        value -= RATES["discriminator"] * slope
    assert float(logs["generator_loss"]) == pytest.approx(generator_loss(), rel=1e-4)
    for value, slope in zip((a, b), slopes(generator_loss, (a, b)), strict=True):
        value -= RATES["generator"] * slope
    for found, expected in zip(arrays(model.generator, model.discriminator), (a, b, *moving), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_consistency_stands_inside_the_half_and_is_that_of_two_passes(monkeypatch):
    """With noise its two passes differ; the loss grows by half the weighted distance."""
    distances, distance = [], losses.class_consistency
    monkeypatch.setattr(
        losses, "class_consistency", lambda *logits: distances.append(distance(*logits)) or distances[-1]
    )
    rows = {"image": tf.random.stateless_uniform([12, *SHAPE], [0, 1]), "label": tf.zeros([12], tf.int32)}
    found = []
    for weight in (0.0, 3.0):
        keras.utils.set_random_seed(0)
        model = small(consistency_weight=weight)
        model.compile()
        found.append(float(model.train_step(rows)["discriminator_loss"]))
    (only,) = distances
    assert float(only) > 1e-4
    assert found[1] - found[0] == pytest.approx(3 * float(only) / 2, rel=1e-3)


def test_the_generator_may_move_several_times_a_step_by_draws_of_its_own(monkeypatch):
    model, drawn, draw = on_vectors(objective="minimax", generator_updates=3), [], SemiSupervisedGAN.draw_latents
    monkeypatch.setattr(SemiSupervisedGAN, "draw_latents", lambda *args: drawn.append(draw(*args)) or drawn[-1])
    model.train_step({"image": tf.ones([12, 3]), "label": tf.zeros([12], tf.int32)})
    assert [int(model.optimizer_of(player).iterations) for player in ("discriminator", "generator")] == [1, 3]
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 4 * 4


def test_data_that_initialise_it_normalise_the_discriminator_and_its_average():
    keras.utils.set_random_seed(0)  # the noise of the layers follows from it
    model = small()
    images = np.random.default_rng(0).integers(0, 256, (2000, *SHAPE)).astype("uint8")
    before = model.discriminator.get_weights()
    model.initialize_from(images)
    for old, new, average in zip(
        before, model.discriminator.get_weights(), model.classifier.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(new, average)
        if old.ndim == 2 and len(old) > 1:  # kernels stay, gains and biases move
            np.testing.assert_array_equal(old, new)
    logits = model.discriminator(images / np.float32(255), training=True).numpy()
    np.testing.assert_allclose(logits.mean(axis=0), 0, atol=0.2)  # other noise than that of the initialisation
    np.testing.assert_allclose(logits.std(axis=0), 1, atol=0.2)


class TestClassifier:
    IMAGES = np.random.default_rng(0).uniform(size=(9, *SHAPE)).astype("float32")

    def test_it_is_the_average_of_the_discriminator_without_noise(self):
        model = small(classifier_decay=0.5)
        model.compile()
        rows = {"image": self.IMAGES, "label": np.arange(9) % CLASSES}
        expected = model.discriminator.get_weights()
        for step in range(1, 4):
            model.train_on_batch(rows)
            share = 1 - min(0.5, (1 + step) / (10 + step))
            expected = [
                old + share * (new - old) for old, new in zip(expected, model.discriminator.get_weights(), strict=True)
            ]
        found = zip(expected, model.classifier.get_weights(), strict=True)
        for old, new in ((old, new) for old, new in found if new.dtype == np.float32):
            np.testing.assert_allclose(new, old, atol=1e-6)
        probabilities = tf.nn.softmax(model.classifier(self.IMAGES, training=False))
        outputs = model.classify_signature(self.IMAGES)
        np.testing.assert_allclose(outputs["probabilities"], probabilities, atol=1e-6)
        np.testing.assert_array_equal(outputs["label"], np.argmax(probabilities, axis=1))

    def test_its_accuracy_is_the_share_of_rows_classified_as_labelled(self):
        model = small()
        guesses = model.classify_signature(self.IMAGES)["label"].numpy()
        labels = guesses.copy()
        labels[:4] = (labels[:4] + 1) % CLASSES
        assert model.accuracy(Split(self.IMAGES, labels)) == pytest.approx(5 / 9)

    def test_a_saved_model_classifies_as_the_model_does(self, tmp_path):
        model = small()
        model.compile()
        classify = tf.saved_model.load(str(model.export(tmp_path))).signatures["classify"]
        outputs = classify(image=tf.constant(self.IMAGES))
        for name, values in model.classify_signature(self.IMAGES).items():
            np.testing.assert_allclose(outputs[name], values, atol=1e-6)


def test_what_it_takes_for_real_is_what_it_finds_in_some_class():
    model = on_vectors()
    data = tf.random.stateless_normal([6, 3], [0, 1])
    logits = model.discriminator(data).numpy()
    np.testing.assert_allclose(model.score(data, None), np.log(np.exp(logits).sum(axis=1)), rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 1}, "at least 2 classes. Received: num_classes=1"),
        ({"generator_units": 0}, "generator_units=0"),
        ({"discriminator_units": ()}, r"at least one positive width. Received: \(\)"),
        ({"discriminator_units": (8, 0)}, r"Received: \(8, 0\)"),
        ({"objective": "guess"}, "one of squared_matching, absolute_matching, minimax. Received: objective='guess'"),
        ({"generator_updates": 0}, "generator_updates=0"),
        ({"unlabelled_weight": -1.0}, "unlabelled_weight=-1.0"),
        ({"consistency_weight": -0.1}, "consistency_weight=-0.1"),
        ({"classifier_decay": 1.0}, "classifier_decay=1.0"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        SemiSupervisedGAN(SHAPE, **{"num_classes": CLASSES, **settings})
