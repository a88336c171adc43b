"""The zoo's layers against NumPy and against the Keras layers that they replace."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import BatchNormalization, Dropout, Maxout, PixelBias


def arrays(tensors):
    return [np.array(tensor, np.float32) for tensor in tensors]


def rebuilt(layer):
    """The layer after a round trip through its configuration."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))


class TestMaxout:
    def test_each_unit_is_the_largest_of_its_own_linear_maps(self):
        random = np.random.default_rng(0)
        x, kernel, bias = random.normal(size=(6, 4)), random.normal(size=(4, 3 * 5)), random.normal(size=15)
        layer = Maxout(3, pieces=5)
        layer.build((None, 4))
        layer.set_weights([kernel, bias])
        maps = x @ kernel + bias
        expected = np.stack([maps[:, 5 * unit : 5 * unit + 5].max(axis=1) for unit in range(3)], axis=1)
        np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)

    def test_the_symbolic_shape_is_that_of_the_outputs(self):
        assert Maxout(3, pieces=5)(keras.Input((4,))).shape == (None, 3)

    def test_its_configuration_holds_every_argument(self):
        initializer = keras.initializers.RandomUniform(-0.005, 0.005, seed=3)
        layer = rebuilt(Maxout(3, pieces=5, kernel_initializer=initializer, name="m", dtype="mixed_bfloat16"))
        assert (layer.units, layer.pieces, layer.name, layer.dense.compute_dtype) == (3, 5, "m", "bfloat16")
        assert layer.dense.kernel_initializer.get_config() == initializer.get_config()


class TestDropout:
    ROWS = tf.random.stateless_normal([8, 6], [0, 1])

    @staticmethod
    def dropped(layer, rows, state=(3, 5)):
        layer.seed_generator.state.assign(state)
        return layer(rows, training=True)

    def test_a_share_is_dropped_and_the_rest_makes_up_for_it(self):
        outputs = self.dropped(Dropout(0.3), tf.ones([100, 1000])).numpy()
        kept = outputs > 0
        np.testing.assert_allclose(outputs[kept], 1 / 0.7, rtol=1e-6)
        assert kept.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.3 * 0.7 / 100_000))

    @pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
    def test_nothing_happens_at_inference_or_at_rate_zero(self, rate, training):
        np.testing.assert_array_equal(Dropout(rate)(self.ROWS, training=training), self.ROWS)

    def test_every_call_drops_other_units(self):
        layer = Dropout(0.5)
        first, second = (layer(self.ROWS, training=True).numpy() == 0 for _ in range(2))
        assert (first != second).any()

    def test_two_replicas_drop_what_one_drops(self, mirrored):
        with mirrored.scope():
            layer = Dropout(0.5)
            layer.seed_generator.state.assign([3, 5])
        halves = mirrored.experimental_distribute_values_from_function(
            lambda context: tf.split(self.ROWS, 2)[context.replica_id_in_sync_group]
        )
        outputs = mirrored.run(lambda rows: layer(rows, training=True), args=(halves,))
        rows = tf.concat(mirrored.experimental_local_results(outputs), axis=0)
        np.testing.assert_array_equal(rows, self.dropped(Dropout(0.5), self.ROWS))

    def test_xla_drops_what_eager_code_drops(self):
        layer = Dropout(0.5)
        eager = self.dropped(layer, self.ROWS)
        layer.seed_generator.state.assign([3, 5])
        compiled = tf.function(lambda rows: layer(rows, training=True), jit_compile=True)(self.ROWS)
        np.testing.assert_array_equal(compiled, eager)

    def test_its_configuration_holds_every_argument(self):
        layer = rebuilt(Dropout(0.25, seed=7, name="d"))
        assert (type(layer), layer.rate, layer.seed, layer.name) == (Dropout, 0.25, 7, "d")


@pytest.fixture
def fused(monkeypatch):
    """The calls of TensorFlow's fused kernel."""
    calls, kernel = [], tf.raw_ops.FusedBatchNormV3
    monkeypatch.setattr(tf.raw_ops, "FusedBatchNormV3", lambda **kwargs: calls.append(kwargs) or kernel(**kwargs))
    return calls


class TestBatchNormalization:
    @staticmethod
    def inputs(shape=(6, 4, 5, 3)):
        return tf.random.stateless_normal(shape, [0, 1], mean=2.0, stddev=3.0)

    def trained(self, kind, inputs, training=True, trainable=True, mask=None, dtype="float32", **config):
        """The outputs, the gradients and the moving statistics of two training calls."""
        layer = kind(
            momentum=0.9,
            gamma_initializer=keras.initializers.RandomUniform(0.5, 1.5, seed=1),
            beta_initializer=keras.initializers.RandomUniform(-1, 1, seed=2),
            dtype=dtype,
            **config,
        )
        layer.build(inputs.shape)
        layer.trainable = trainable
        inputs = tf.cast(inputs, layer.compute_dtype)
        weights = tf.cast(tf.random.stateless_normal(inputs.shape, [0, 2]), layer.compute_dtype)
        layer(inputs * 2 + 1, training=training, mask=mask)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training, mask=mask)
            loss = tf.reduce_sum(tf.cast(outputs * weights, tf.float32))
        gradients = tape.gradient(loss, [inputs, *(variable.value for variable in layer.trainable_variables)])
        return outputs.dtype, arrays([outputs, *gradients, layer.moving_mean, layer.moving_variance])

    @pytest.mark.parametrize(
        ("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 2**-8)], ids=["float32", "bfloat16"]
    )
    @pytest.mark.parametrize(
        "options", [{}, {"training": False}, {"trainable": False}], ids=["training", "inference", "frozen"]
    )
    def test_the_fused_kernel_does_as_keras_does(self, fused, dtype, tolerance, options):
        ours, theirs = (
            self.trained(kind, self.inputs(), dtype=dtype, **options)
            for kind in (BatchNormalization, keras.layers.BatchNormalization)
        )
        assert len(fused) == 2
        assert ours[0] == theirs[0]
        for mine, kerass in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_allclose(mine, kerass, rtol=tolerance, atol=tolerance * np.abs(kerass).max())

    @pytest.mark.parametrize(
        ("shape", "options"),
        [
            ((12, 3), {}),
            ((6, 4, 5, 3), {"scale": False}),
            ((6, 4, 5, 3), {"center": False}),
            ((6, 4, 5, 3), {"axis": 1}),
            ((6, 4, 5, 3), {"mask": np.arange(120).reshape(6, 4, 5) % 3 > 0}),
        ],
        ids=["vectors", "no scale", "no centre", "channels first", "masked"],
    )
    def test_whatever_the_kernel_cannot_do_is_left_to_keras(self, fused, shape, options):
        ours, theirs = (
            self.trained(kind, self.inputs(shape), **options)
            for kind in (BatchNormalization, keras.layers.BatchNormalization)
        )
        assert not fused
        for mine, kerass in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_array_equal(mine, kerass)

    def test_the_moving_statistics_are_those_of_the_biased_estimate(self):
        layer = BatchNormalization(momentum=0.75)
        inputs = self.inputs()
        layer(inputs, training=True)
        rows = inputs.numpy().reshape(-1, 3).astype(np.float64)
        np.testing.assert_allclose(layer.moving_mean, 0.25 * rows.mean(0), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance, 0.75 + 0.25 * rows.var(0), rtol=1e-5)


def test_a_pixel_bias_is_added_to_its_own_value_of_every_map():
    layer, maps = PixelBias(), np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(layer(maps), maps)  # it starts at zero
    bias = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(np.float32)
    layer.bias.assign(bias)
    np.testing.assert_array_equal(layer(maps), maps + bias)
