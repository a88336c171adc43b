"""Dropout and noise: their share and deviation, and that replicas draw what one draws."""

import numpy as np
import pytest
import tensorflow as tf
from inside import rebuilt

from zoo.layers import GlobalBatchDropout, GlobalBatchNoise


class TestDropout:
    ROWS = tf.random.stateless_normal([8, 6], [0, 1])

    @staticmethod
    def dropped(layer, rows, state=(3, 5)):
        layer.seed_generator.state.assign(state)
        return layer(rows, training=True)

    def test_a_share_is_dropped_and_the_rest_makes_up_for_it(self):
        outputs = self.dropped(GlobalBatchDropout(0.3), tf.ones([100, 1000])).numpy()
        kept = outputs > 0
        np.testing.assert_allclose(outputs[kept], 1 / 0.7, rtol=1e-5)  # the rate is 0.3 to 16 bits
        assert kept.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.3 * 0.7 / 100_000))

    @pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
    def test_nothing_happens_at_inference_or_at_rate_zero(self, rate, training):
        np.testing.assert_array_equal(GlobalBatchDropout(rate)(self.ROWS, training=training), self.ROWS)

    def test_every_call_drops_other_units(self):
        layer = GlobalBatchDropout(0.5)
        first, second = (layer(self.ROWS, training=True).numpy() == 0 for _ in range(2))
        assert (first != second).any()

    def test_two_replicas_drop_what_one_drops(self, mirrored):
        with mirrored.scope():
            layer = GlobalBatchDropout(0.5)
            layer.seed_generator.state.assign([3, 5])
        halves = mirrored.experimental_distribute_values_from_function(
            lambda context: tf.split(self.ROWS, 2)[context.replica_id_in_sync_group]
        )
        outputs = mirrored.run(lambda rows: layer(rows, training=True), args=(halves,))
        rows = tf.concat(mirrored.experimental_local_results(outputs), axis=0)
        np.testing.assert_array_equal(rows, self.dropped(GlobalBatchDropout(0.5), self.ROWS))

    def test_xla_drops_what_eager_code_drops(self):
        layer = GlobalBatchDropout(0.5)
        eager = self.dropped(layer, self.ROWS)
        layer.seed_generator.state.assign([3, 5])
        compiled = tf.function(lambda rows: layer(rows, training=True), jit_compile=True)(self.ROWS)
        np.testing.assert_array_equal(compiled, eager)

    def test_its_configuration_holds_every_argument(self):
        layer = rebuilt(GlobalBatchDropout(0.25, seed=7, name="d"))
        assert (type(layer), layer.rate, layer.seed, layer.name) == (GlobalBatchDropout, 0.25, 7, "d")


class TestNoise:
    ROWS = tf.random.stateless_normal([8, 5], [0, 1])

    @staticmethod
    def noisy(layer, rows, state=(3, 5)):
        layer.seed_generator.state.assign(state)
        return layer(rows, training=True)

    def test_it_has_the_deviation_asked_for(self):
        noise = self.noisy(GlobalBatchNoise(0.3), tf.zeros([100, 1001])).numpy()
        assert noise.mean() == pytest.approx(0, abs=4 * 0.3 / np.sqrt(noise.size))
        assert noise.std() == pytest.approx(0.3, rel=4 / np.sqrt(2 * noise.size))

    @pytest.mark.parametrize(("stddev", "training"), [(0.5, False), (0.0, True)])
    def test_nothing_happens_at_inference_or_without_a_deviation(self, stddev, training):
        np.testing.assert_array_equal(GlobalBatchNoise(stddev)(self.ROWS, training=training), self.ROWS)

    def test_every_call_adds_other_noise(self):
        layer = GlobalBatchNoise(0.5)
        first, second = (layer(self.ROWS, training=True).numpy() for _ in range(2))
        assert not np.isclose(first, second).any()

    def test_two_replicas_add_what_one_adds(self, mirrored):
        with mirrored.scope():
            layer = GlobalBatchNoise(0.5)
            layer.seed_generator.state.assign([3, 5])
        halves = mirrored.experimental_distribute_values_from_function(
            lambda context: tf.split(self.ROWS, 2)[context.replica_id_in_sync_group]
        )
        outputs = mirrored.run(lambda rows: layer(rows, training=True), args=(halves,))
        rows = tf.concat(mirrored.experimental_local_results(outputs), axis=0)
        np.testing.assert_allclose(rows, self.noisy(GlobalBatchNoise(0.5), self.ROWS), atol=1e-6)

    def test_its_configuration_holds_every_argument(self):
        layer = rebuilt(GlobalBatchNoise(0.25, seed=7, name="n"))
        assert (type(layer), layer.stddev, layer.seed, layer.name) == (GlobalBatchNoise, 0.25, 7, "n")
