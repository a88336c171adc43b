"""The loop of `fit`: every step that is made is logged and checked, and no more are made than asked for."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import zygote

import zoo
from zoo import GAN
from zoo.errors import InputError, TrainingError

ROWS = np.random.default_rng(0).normal(size=(10, 2)).astype("float32")


def build(strategy=None, generator=None, ema_decay=None, **settings):
    with (strategy or tf.distribute.get_strategy()).scope():
        layers = [keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")]
        ones = [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="ones")]
        model = GAN(
            (2,),
            latent_size=3,
            generator=generator or keras.Sequential(ones),
            discriminator=keras.Sequential(layers),
            ema_decay=ema_decay,
        )
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), **settings)
    return model


def doubled():
    return [keras.layers.Dense(2, kernel_initializer="ones"), keras.layers.Lambda(lambda rows: 2 * rows)]


class Subclassed(keras.Model):
    """A generator without a configuration."""

    def __init__(self):
        super().__init__()
        self.parts = doubled()

    def call(self, latents, training=False):
        for part in self.parts:
            latents = part(latents)
        return latents


def batches(rows=ROWS):
    return tf.data.Dataset.from_tensor_slices({"image": rows}).batch(2, drop_remainder=True)


class TestExecutionsThatDoNotDivideTheEpoch:
    @pytest.mark.parametrize("run_eagerly", [False, True])
    @pytest.mark.parametrize("steps_per_execution", [2, 3, 8])
    @pytest.mark.usefixtures("optimized_graphs")
    def test_a_finite_dataset_is_logged_and_counted_to_its_end(self, steps_per_execution, run_eagerly):
        one, several = (build(run_eagerly=run_eagerly, steps_per_execution=steps) for steps in (1, steps_per_execution))
        expected, logs = (model.fit(batches(), epochs=2, verbose=0).history for model in (one, several))
        assert one.step == several.step == 10
        assert logs.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_allclose(logs[name], values, rtol=1e-6)
        for left, right in zip(one.get_weights(), several.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)

    @pytest.mark.parametrize("run_eagerly", [False, True])
    @pytest.mark.usefixtures("optimized_graphs")
    def test_an_empty_dataset_makes_no_step(self, run_eagerly):
        model = build(run_eagerly=run_eagerly, steps_per_execution=2)
        before = model.get_weights()
        model.fit(batches().take(0), verbose=0)
        assert model.step == 0
        for left, right in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)

    @pytest.mark.parametrize("steps_per_execution", [2, 4])
    def test_an_epoch_makes_the_steps_that_it_is_asked_for(self, steps_per_execution):
        one, several = build(), build(steps_per_execution=steps_per_execution)
        settings = {"steps_per_epoch": 5, "epochs": 2, "verbose": 0}
        expected, logs = (model.fit(batches().repeat(), **settings).history for model in (one, several))
        assert one.step == several.step == 10
        for name, values in expected.items():
            np.testing.assert_allclose(logs[name], values, rtol=1e-6)

    def test_two_replicas_make_them_too(self, mirrored):
        model = build(mirrored, steps_per_execution=2)
        model.fit(batches(), verbose=0)
        assert model.step == 5

    def test_a_loss_of_the_last_execution_that_is_not_finite_is_noticed(self):
        rows = ROWS.copy()
        rows[-1] = -3e38  # finite, but its logit is not
        with pytest.raises(TrainingError, match=r"stopped at step 5: .* discriminator"):
            build(steps_per_execution=2).fit(batches(rows), verbose=0)


class Named(GAN):
    """Reports a value whose name comes before those of its players' losses, and is their sum."""

    def train_step(self, batch):
        logs = super().train_step(batch)
        return {"all": logs["discriminator_loss"], **logs}


def test_of_several_values_that_are_not_finite_one_that_names_its_player_is_told():
    model = Named((2,), latent_size=3)
    model.compile()
    rows = np.full_like(ROWS, -3e38)  # finite, but their logits are not
    with pytest.raises(TrainingError, match="step 1: the loss of the discriminator, discriminator_loss"):
        model.fit(batches(rows), verbose=0)


def test_an_optimizers_fixed_scale_of_the_loss_changes_neither_updates_nor_norms():
    plain, scaled = build(), build()
    histories = []
    for model, factor in ((plain, None), (scaled, 1024.0)):
        model.compile(*(keras.optimizers.SGD(0.1, loss_scale_factor=factor) for _ in "ab"), log_gradient_norms=True)
        histories.append(model.fit(batches(), verbose=0).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-6)
    for left, right in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6)


def test_targets_and_sample_weights_beside_a_batch_are_refused():
    with pytest.raises(InputError, match=r"A batch must be a dict .* Received: a tuple of a dict with .*, a float32"):
        build().fit(batches().map(lambda batch: (batch, tf.zeros([2]))), verbose=0)


class TestNormsOfScaledGradients:
    def fitted(self, rows):
        """A model whose losses are scaled by 2**127 and one without, after the same step; their logs."""
        scaled, plain = build(), build(log_gradient_norms=True)
        optimizers = [
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=2.0**127) for _ in "ab"
        ]
        scaled.compile(*optimizers, log_gradient_norms=True)
        return scaled, *(model.fit(batches(rows).take(1), verbose=0).history for model in (scaled, plain))

    def test_they_are_those_of_the_gradients(self):
        _, norms, expected = self.fitted(ROWS)
        for name in ("generator_gradient_norm", "discriminator_gradient_norm"):
            np.testing.assert_allclose(norms[name], expected[name], rtol=1e-5)

    def test_they_are_0_where_the_update_is_skipped_and_stop_nothing(self):
        model, norms, expected = self.fitted(np.full_like(ROWS, -1e3))  # as large is the discriminator's gradient
        assert norms["discriminator_gradient_norm"] == [0.0]
        assert expected["discriminator_gradient_norm"][0] > 500
        np.testing.assert_array_equal(model.discriminator.get_weights()[0], build().discriminator.get_weights()[0])


WORKER = f"""
import sys
import tensorflow as tf
sys.path[:0] = {[str(Path(__file__).parent), *sys.path]}
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from test_loop import batches, build
model = build(strategy, steps_per_execution=2)
model.fit(batches().take(4), verbose=0)
print("steps", model.step)
model.fit(batches(), verbose=0)
"""


def test_workers_refuse_data_that_end_inside_an_execution():
    command = [zygote.programs() / "python", "-c", WORKER]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "steps 4" in ended.stdout
    assert "multiple of 2 steps" in ended.stderr
    assert "ended at step 9, after 1 of them" in ended.stderr


class TestHeldOutRows:
    def test_validation_reports_the_losses_of_a_step_and_moves_nothing(self):
        model, twin = build(), build()
        held_out = batches(ROWS[::-1].copy())
        history = model.fit(batches(), validation_data=held_out, epochs=2, verbose=0).history
        expected = twin.fit(batches(), epochs=2, verbose=0).history
        for name, values in expected.items():
            np.testing.assert_array_equal(history[name], values)
            assert len(history[f"val_{name}"]) == 2
        for left, right in zip(model.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_evaluate_gives_means_over_all_batches(self):
        model = build()
        rows = [model.evaluate(batches().skip(k).take(1), verbose=0, return_dict=True) for k in range(5)]
        means = model.evaluate(batches(), verbose=0, return_dict=True)
        assert means.keys() >= {"discriminator_loss", "generator_loss"}
        for name, value in means.items():
            np.testing.assert_allclose(value, np.mean([row[name] for row in rows]), rtol=1e-6)

    @pytest.mark.parametrize("steps_per_execution", [2, 3])
    def test_every_batch_counts_however_many_an_execution_has(self, steps_per_execution):
        expected = build().evaluate(batches(), verbose=0, return_dict=True)
        model = build(steps_per_execution=steps_per_execution)
        assert model.evaluate(batches(), verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)
        assert model._epoch.step == 5

    def test_values_out_of_range_are_refused(self):
        model = GAN((4, 4, 1), latent_size=3)
        model.compile()
        rows = np.full((4, 4, 4, 1), 255, np.float32)
        with pytest.raises(InputError, match=r"floats in \[0, 1\], or uint8\. Received: values in \[255, 255\]"):
            model.evaluate(batches(rows), verbose=0)

    def test_a_critic_keeps_the_weights_that_training_would_clip(self):
        model = zoo.WGAN((8, 8, 1), filters=2)
        model.compile()
        before = model.get_weights()
        model.evaluate(batches(np.zeros((10, 8, 8, 1), np.float32)).unbatch().batch(10), verbose=0)
        for left, right in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_two_replicas_report_the_same(self, mirrored):
        one, two = build(), build(mirrored)
        expected, values = (model.evaluate(batches(), verbose=0, return_dict=True) for model in (one, two))
        for name, value in expected.items():
            np.testing.assert_allclose(values[name], value, rtol=1e-5)

    def test_statistics_of_batch_normalisation_stay(self):
        layers = [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
        model = GAN((2,), latent_size=3, generator=keras.Sequential(layers))
        model.compile()
        before = model.get_weights()
        model.evaluate(batches(), verbose=0)
        for left, right in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


class TestKerasCallbacks:
    def test_one_that_schedules_a_rate_changes_the_generators(self):
        model = build()
        callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        model.fit(batches(), epochs=2, callbacks=[callback], verbose=0)
        assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.1 / 4)
        assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.1)

    def test_one_that_waits_for_a_plateau_works_on_a_loss_of_held_out_rows(self):
        model = build()
        callback = keras.callbacks.ReduceLROnPlateau(
            "val_generator_loss", factor=0.5, patience=1, min_delta=1e9, mode="min"
        )
        model.fit(batches(), validation_data=batches(), epochs=3, callbacks=[callback], verbose=0)
        assert float(model.generator_optimizer.learning_rate) < 0.1


class TestAverages:
    def test_weights_of_any_floating_type_are_averaged(self):
        layers = [keras.Input((3,)), keras.layers.Dense(2, dtype="float64"), keras.layers.Activation("linear")]
        model = GAN((2,), latent_size=3, generator=keras.Sequential(layers), ema_decay=0.9)
        model.compile()
        first = model.sampler.get_weights()
        model.fit(batches(), verbose=0)
        averages, weights = model.sampler.get_weights(), model.generator.get_weights()
        for start, average, weight in zip(first, averages, weights, strict=True):
            assert average.dtype == np.float64
            assert (start != average).any()
            assert (average != weight).any()

    @pytest.mark.parametrize("kind", ["subclassed", "with a Lambda layer"])
    def test_a_generator_that_keras_cannot_make_again_is_averaged_and_exported(self, kind, tmp_path):
        generator = Subclassed() if kind == "subclassed" else keras.Sequential([keras.Input((3,)), *doubled()])
        model = build(generator=generator, ema_decay=0.9)
        first = model.sample(4)
        model.fit(batches(), verbose=0)
        samples = model.sample(4)
        latents = model.latents_of(tf.range(4, dtype=tf.int64))
        assert not np.allclose(samples, first)
        assert not np.allclose(samples, generator(latents))
        np.testing.assert_allclose(zoo.load(model.export(tmp_path / "gan")).sample(4), samples, atol=1e-5)

    def test_they_follow_a_generator_that_starts_from_the_mean_image(self):
        model = GAN((2, 2, 1), latent_size=3, ema_decay=0.9)
        model.match_marginals(np.random.default_rng(1).uniform(size=(5, 2, 2, 1)))
        np.testing.assert_array_equal(model.sampler.get_layer("output").bias, model.generator.get_layer("output").bias)


class TestLabelHistogram:
    def test_samples_of_no_label_follow_the_classes_of_training(self):
        rows = {"image": np.zeros((12, 2), "float32"), "label": [0] * 9 + [2] * 3}
        model = zoo.CGAN((2,), num_classes=3)
        uniform = model._labels(tf.range(4000, dtype=tf.int64), tf.fill([4000], -1))
        np.testing.assert_allclose(np.bincount(uniform) / 4000, [1 / 3] * 3, atol=0.03)
        model.compile()
        model.fit(tf.data.Dataset.from_tensor_slices(rows).batch(4), verbose=0)
        assert model.sampling_facts()["label_counts"] == [9, 0, 3]
        drawn = model._labels(tf.range(4000, dtype=tf.int64), tf.fill([4000], -1))
        np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 4000, [0.75, 0, 0.25], atol=0.03)
