"""Batch normalisation against Keras', second derivatives and virtual batch normalisation against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inside import rebuilt

from zoo.layers import (
    FusedBatchNormalization,
    ReferenceBatch,
    RowNormalization,
    VirtualBatchNormalization,
    WithoutReference,
)


def arrays(tensors):
    return [np.array(tensor, np.float32) for tensor in tensors]


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

    @pytest.mark.parametrize("shape", [(8, 3), (8, 4, 5, 3)], ids=str)
    @pytest.mark.parametrize("parts", [{}, {"scale": False}, {"center": False}], ids=str)
    def test_synchronized_replicas_normalise_as_one_with_all_rows(self, mirrored, shape, parts):
        rows, weights = self.inputs(shape), tf.random.stateless_normal(shape, [0, 2])

        def step(layer, rows, weights):
            with tf.GradientTape() as tape:
                tape.watch(rows)
                outputs = layer(rows, training=True)
                loss = tf.reduce_sum(outputs * weights)
            return outputs, tape.gradient(loss, rows)

        one = FusedBatchNormalization(momentum=0.9, **parts)
        expected = step(one, rows, weights)
        with mirrored.scope():
            layer = FusedBatchNormalization(momentum=0.9, synchronized=True, **parts)
            layer.build(shape)
        halves = [
            mirrored.experimental_distribute_values_from_function(
                lambda context, whole=whole: tf.split(whole, 2)[context.replica_id_in_sync_group]
            )
            for whole in (rows, weights)
        ]
        results = mirrored.run(tf.function(lambda *args: step(layer, *args)), args=tuple(halves))
        for found, whole in zip(results, expected, strict=True):
            found = tf.concat(mirrored.experimental_local_results(found), axis=0)
            np.testing.assert_allclose(found, whole, atol=2e-5)
        for found, whole in zip(layer.non_trainable_variables, one.non_trainable_variables, strict=True):
            np.testing.assert_allclose(found.numpy(), whole.numpy(), rtol=1e-5)

    @pytest.mark.parametrize(
        ("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 2**-8)], ids=["float32", "bfloat16"]
    )
    @pytest.mark.parametrize(
        "options", [{}, {"training": False}, {"trainable": False}], ids=["training", "inference", "frozen"]
    )
    def test_the_fused_kernel_does_as_keras_does(self, fused, dtype, tolerance, options):
        ours, theirs = (
            self.trained(kind, self.inputs(), dtype=dtype, **options)
            for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
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
            ((6, 4, 5, 3), {"dtype": "float64"}),
        ],
        ids=["vectors", "no scale", "no centre", "channels first", "masked", "float64"],
    )
    def test_whatever_the_kernel_cannot_do_is_as_in_keras(self, fused, shape, options):
        ours, theirs = (
            self.trained(kind, self.inputs(shape), **options)
            for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
        )
        assert not fused
        for mine, kerass in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_allclose(mine, kerass, rtol=1e-5, atol=1e-5 * np.abs(kerass).max())

    def test_synchronized_statistics_of_nearly_constant_channels_are_finite(self):
        rows = 300 + 0.01 * self.inputs((64, 4, 4, 8))
        layer = FusedBatchNormalization(synchronized=True)
        assert np.isfinite(layer(rows, training=True)).all()
        assert (layer.moving_variance.numpy() >= 0.99).all()  # 0.99 of the first value, 1, and 0.01 of the batch's

    def test_the_moving_statistics_are_those_of_the_biased_estimate(self):
        layer = FusedBatchNormalization(momentum=0.75)
        inputs = self.inputs()
        layer(inputs, training=True)
        rows = inputs.numpy().reshape(-1, 3).astype(np.float64)
        np.testing.assert_allclose(layer.moving_mean, 0.25 * rows.mean(0), rtol=1e-5)
        np.testing.assert_allclose(layer.moving_variance, 0.75 + 0.25 * rows.var(0), rtol=1e-5)


def gradient(rows, weights, axes, epsilon):
    """In float64: of the sum of weights * (rows - mean) / sqrt(variance + epsilon)."""
    mean, variance = rows.mean(axes, keepdims=True), rows.var(axes, keepdims=True)
    deviation = np.sqrt(variance + epsilon)
    normal = (rows - mean) / deviation
    of_means = weights.mean(axes, keepdims=True) + normal * (weights * normal).mean(axes, keepdims=True)
    return (weights - of_means) / deviation


class TestSecondDerivatives:
    """Where a penalty on a gradient needs them; `tf.nn.moments`, which Keras' layers call, has others."""

    @pytest.mark.parametrize(
        ("layer", "shape", "axes"),
        [
            (FusedBatchNormalization(epsilon=1e-3), (6, 3), (0,)),
            (FusedBatchNormalization(epsilon=1e-3, synchronized=True), (6, 3), (0,)),
            (FusedBatchNormalization(epsilon=1e-3), (3, 2, 2, 2), (0, 1, 2)),
            (RowNormalization(epsilon=1e-3), (3, 2, 2, 2), (1, 2, 3)),
        ],
        ids=["batch of vectors", "synchronized", "batch of images", "row"],
    )
    def test_they_are_the_differences_of_the_first(self, layer, shape, axes):
        rows, weights, direction = np.random.default_rng(0).normal(1, 2, size=(3, *shape))
        inputs = tf.constant(rows, tf.float32)
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                loss = tf.reduce_sum(tf.constant(weights, tf.float32) * layer(inputs, training=True))
            first = inner.gradient(loss, inputs)
            along = tf.reduce_sum(first * tf.constant(direction, tf.float32))
        step, identity = 1e-5, np.eye(rows.size).reshape(-1, *shape)
        expected = [
            np.sum(
                direction
                * (gradient(rows + step * one, weights, axes, 1e-3) - gradient(rows - step * one, weights, axes, 1e-3))
            )
            / (2 * step)
            for one in identity
        ]
        np.testing.assert_allclose(first, gradient(rows, weights, axes, 1e-3), atol=1e-5)
        np.testing.assert_allclose(outer.gradient(along, inputs).numpy().ravel(), expected, atol=1e-5)


class TestVirtualBatchNormalization:
    ROWS = 4  # of the reference batch

    @pytest.fixture(params=[(3,), (5, 2, 3)], ids=["vectors", "images"])
    def joint(self, request):
        """The reference rows and five more, neither of mean 0."""
        return np.random.default_rng(0).normal(1, 2, size=(9, *request.param)).astype("float32")

    @pytest.fixture
    def layer(self, joint):
        layer = VirtualBatchNormalization(self.ROWS, epsilon=1e-3)
        layer.build(joint.shape)
        layer.gamma.assign([0.5, 1.0, 2.0])
        layer.beta.assign([-1.0, 0.0, 3.0])
        return layer

    def expected(self, joint):
        """Row by row in float64."""
        joint = joint.astype(np.float64)
        reference, pixels = joint[: self.ROWS], tuple(range(joint.ndim - 2))
        batch = tuple(range(joint.ndim - 1))
        of_reference = reference.mean(axis=batch), (reference**2).mean(axis=batch)
        rows = []
        for number, row in enumerate(joint):
            own = 0 if number < self.ROWS else 1 / (self.ROWS + 1)
            mean, square = (
                own * power.mean(axis=pixels) + (1 - own) * known
                for power, known in zip((row, row**2), of_reference, strict=True)
            )
            rows.append((row - mean) / np.sqrt(square - mean**2 + 1e-3) * [0.5, 1, 2] + [-1, 0, 3])
        return np.stack(rows)

    def test_each_row_is_normalised_by_the_reference_and_itself(self, layer, joint):
        np.testing.assert_allclose(layer(joint), self.expected(joint), rtol=1e-4, atol=1e-4)

    def test_a_row_depends_on_itself_and_not_on_the_rest_of_its_batch(self, layer, joint):
        whole = layer(joint).numpy()
        alone = layer(np.concatenate([joint[: self.ROWS], joint[6:7]])).numpy()
        np.testing.assert_allclose(alone[-1], whole[6], rtol=1e-5, atol=1e-6)
        halfway = (joint[6:7] + joint[7:8]) / 2  # which statistics that stay the same map to half the way
        between = layer(np.concatenate([joint[: self.ROWS], halfway])).numpy()[-1]
        assert np.abs(between - (whole[6] + whole[7]) / 2).max() > 0.01

    def test_nearly_constant_channels_are_finite(self, joint):
        assert np.isfinite(VirtualBatchNormalization(self.ROWS)(300 + 0.01 * joint)).all()

    def test_training_and_inference_are_alike(self, joint):
        layers = [
            ReferenceBatch(self.ROWS, keras.initializers.RandomNormal(seed=1)),
            VirtualBatchNormalization(self.ROWS),
            WithoutReference(self.ROWS),
        ]
        network = keras.Sequential([keras.Input(joint.shape[1:]), *layers])
        outputs = network(joint, training=True)
        assert outputs.shape == joint.shape
        np.testing.assert_array_equal(outputs, network(joint, training=False))
        np.testing.assert_allclose(network(joint[2:3])[0], outputs[2], rtol=1e-5, atol=1e-6)
        assert not any(weight is layers[0].reference for weight in network.trainable_weights)

    def test_configurations_hold_every_argument(self):
        normal = keras.initializers.RandomNormal(1.0, 0.02, seed=3)
        layer = rebuilt(VirtualBatchNormalization(4, epsilon=0.1, gamma_initializer=normal, name="v"))
        assert (layer.rows, layer.epsilon, layer.gamma_initializer.mean, layer.name) == (4, 0.1, 1.0, "v")
        assert rebuilt(WithoutReference(4)).rows == 4
        reference = rebuilt(ReferenceBatch(4, keras.initializers.RandomUniform(0, 1, seed=2)))
        assert (reference.rows, reference.initializer.maxval) == (4, 1)
