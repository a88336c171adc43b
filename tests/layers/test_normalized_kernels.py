"""Layers with normalised kernels against NumPy and against what theory says of their gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inside import rebuilt

from zoo.errors import InputError
from zoo.layers import SpectralNormalization, WeightNormalization, initialize_from_data


def normal(seed, stddev=0.5):
    return keras.initializers.RandomNormal(stddev=stddev, seed=seed)


KERNELS = {  # a layer, its inputs, and the order of its kernel's axes that puts the outputs last
    "dense": (lambda: keras.layers.Dense(4, kernel_initializer=normal(1)), (6, 5), (0, 1)),
    "convolution": (
        lambda: keras.layers.Conv2D(4, 3, 2, padding="same", kernel_initializer=normal(1)),
        (2, 6, 6, 3),
        (0, 1, 2, 3),
    ),
    "transposed convolution": (
        lambda: keras.layers.Conv2DTranspose(4, 3, 2, padding="same", kernel_initializer=normal(1)),
        (2, 4, 4, 3),
        (0, 1, 3, 2),
    ),
    "embedding": (lambda: keras.layers.Embedding(7, 4, embeddings_initializer=normal(1)), (5,), (0, 1)),
}


@pytest.fixture(params=KERNELS)
def spectral(request):
    """A spectrally normalised layer, inputs, and from a kernel to its matrix W, outputs by everything else."""
    make, shape, axes = KERNELS[request.param]
    layer = SpectralNormalization(make(), normal(2, stddev=1.0))
    inputs = tf.random.stateless_uniform(shape, [0, 1], 0, 7)  # of an embedding, cut to whole numbers
    layer.build(inputs.shape)

    def matrix(kernel):
        kernel = np.transpose(np.asarray(kernel, np.float64), axes)
        return kernel.reshape(-1, kernel.shape[-1]).T

    return layer, inputs, matrix


def iterated(matrix, u):
    """One power iteration in NumPy: u, v and sigma."""
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    u = matrix @ v / np.linalg.norm(matrix @ v)
    return u, v, u @ matrix @ v


class TestSpectralNormalization:
    def test_the_layer_computes_with_its_kernel_over_sigma_of_one_iteration(self, spectral):
        layer, inputs, matrix = spectral
        u, _, sigma = iterated(matrix(layer.kernel), layer.vector.numpy().astype(np.float64))
        outputs = layer(inputs, training=True)
        np.testing.assert_allclose(layer.vector, u, rtol=1e-5, atol=1e-6)
        kernel = layer.kernel.numpy()
        layer.kernel.assign(kernel / sigma)
        np.testing.assert_allclose(outputs, layer.layer(inputs), rtol=1e-5, atol=1e-6)

    def test_the_kernel_stays_and_u_moves_in_training_alone(self, spectral):
        layer, inputs, _ = spectral
        kernel, vector = layer.kernel.numpy(), layer.vector.numpy()
        still = [layer(inputs, training=False).numpy() for _ in range(2)]
        np.testing.assert_array_equal(*still)
        np.testing.assert_array_equal(layer.vector, vector)
        np.testing.assert_array_equal(layer(inputs, training=True), still[0])
        assert not np.isclose(layer.vector, vector).all()
        np.testing.assert_array_equal(layer.kernel, kernel)

    @pytest.mark.parametrize("size", [0.0, 1e-12, 1e-30])
    def test_a_kernel_that_was_tiny_is_normalised_after_an_update(self, spectral, size):
        layer, inputs, matrix = spectral
        kernel = layer.kernel.numpy()
        layer.kernel.assign(kernel * size)
        assert np.isfinite(layer(inputs, training=True)).all()
        layer.kernel.assign(kernel)
        for _ in range(100):
            outputs = layer(inputs, training=True)
        layer.kernel.assign(kernel / np.linalg.svd(matrix(kernel), compute_uv=False)[0])
        np.testing.assert_allclose(outputs, layer.layer(inputs), rtol=1e-3, atol=1e-4)

    @pytest.mark.parametrize("size", [1e-12, 1e-30])
    def test_a_tiny_kernel_has_norm_1_all_the_same(self, spectral, size):
        layer, inputs, _ = spectral
        expected = layer(inputs, training=False)
        layer.kernel.assign(layer.kernel * size)
        np.testing.assert_allclose(layer(inputs, training=False), expected, rtol=1e-3, atol=1e-5)

    def test_after_many_iterations_the_norm_is_that_of_the_singular_values(self, spectral):
        layer, inputs, matrix = spectral
        for _ in range(100):
            layer(inputs, training=True)
        _, _, sigma = iterated(matrix(layer.kernel), layer.vector.numpy().astype(np.float64))
        norms = np.linalg.svd(matrix(layer.kernel) / sigma, compute_uv=False)
        assert norms[0] == pytest.approx(1, abs=1e-3)

    def test_the_gradient_passes_through_sigma_and_not_through_u_and_v(self, spectral):
        layer, inputs, matrix = spectral
        u, v, sigma = iterated(matrix(layer.kernel), layer.vector.numpy().astype(np.float64))
        with tf.GradientTape() as tape:
            outputs = layer(inputs, training=True)
            weights = tf.random.stateless_normal(outputs.shape, [0, 3])
            loss = tf.reduce_sum(outputs * weights)
        gradient = matrix(tape.gradient(loss, layer.kernel.value))

        raw = layer.kernel.numpy()
        layer.kernel.assign(raw / sigma)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer.layer(inputs) * weights)
        plain = matrix(tf.convert_to_tensor(tape.gradient(loss, layer.kernel.value)))

        normalized = matrix(raw) / sigma
        expected = (plain - np.sum(plain * normalized) * np.outer(u, v)) / sigma
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
        cosine = np.sum(gradient * matrix(raw)) / np.linalg.norm(gradient) / np.linalg.norm(raw)
        assert abs(cosine) < 1e-4
        assert abs(np.sum(plain * matrix(raw))) > 1e-2 * np.linalg.norm(plain) * np.linalg.norm(raw)

    def test_a_bias_is_no_kernel(self):
        layer = SpectralNormalization(keras.layers.Dense(2, kernel_initializer="zeros", bias_initializer="ones"))
        np.testing.assert_array_equal(layer(np.ones((3, 4)), training=True), np.ones((3, 2)))  # W = 0 stays finite

    def test_norms_are_computed_in_float32_and_the_layer_in_its_own_precision(self):
        exact, mixed = (
            SpectralNormalization(keras.layers.Dense(4, kernel_initializer=normal(1), dtype=dtype), normal(2, 1.0))
            for dtype in ("float32", "mixed_float16")
        )
        inputs = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
        outputs = exact(inputs, training=True), mixed(inputs, training=True)
        assert outputs[1].dtype == "float16"
        np.testing.assert_allclose(*outputs, rtol=2e-2, atol=2e-3)
        np.testing.assert_array_equal(exact.vector, mixed.vector)
        network = keras.Sequential([keras.Input((5,)), mixed], name="half")
        np.testing.assert_array_equal(network(inputs, training=True).dtype, tf.float16)

    def test_replicas_hold_the_same_u(self, mirrored):
        with mirrored.scope():
            layer = SpectralNormalization(keras.layers.Dense(4, kernel_initializer=normal(1)), normal(2, 1.0))
            layer.build((None, 5))
        alone = SpectralNormalization(keras.layers.Dense(4, kernel_initializer=normal(1)), normal(2, 1.0))

        @tf.function
        def twice(inputs):
            for _ in range(2):
                mirrored.run(lambda: layer(inputs, training=True))

        inputs = tf.random.stateless_normal([6, 5], [0, 1])
        twice(inputs)
        for _ in range(2):
            alone(inputs, training=True)
        for replica in mirrored.experimental_local_results(layer.vector.value):
            np.testing.assert_array_equal(replica, alone.vector)

    def test_u_is_saved_and_every_argument_is_in_the_configuration(self, tmp_path):
        layer = SpectralNormalization(keras.layers.Dense(4, dtype="mixed_bfloat16"), normal(2, 1.0), name="s")
        network = keras.Sequential([keras.Input((5,)), layer])
        network(np.ones((3, 5)), training=True)
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras").layers[0]
        np.testing.assert_array_equal(loaded.vector, layer.vector)
        np.testing.assert_array_equal(loaded.kernel, layer.kernel)
        assert (type(loaded), loaded.name, loaded.layer.compute_dtype) == (SpectralNormalization, "s", "bfloat16")
        assert loaded.vector_initializer.get_config() == layer.vector_initializer.get_config()
        assert not loaded.vector.trainable

    def test_its_first_vector_is_normal_and_follows_from_the_seed(self):
        def vector(seed):
            layer = SpectralNormalization(keras.layers.Dense(10_000), normal(seed, 1.0))
            layer.build((None, 1))
            return layer.vector.numpy()

        np.testing.assert_array_equal(vector(3), vector(3))
        assert vector(3).std() == pytest.approx(1, abs=4 / np.sqrt(2 * 10_000))

    def test_another_kind_of_layer_is_refused(self):
        with pytest.raises(InputError, match=r"of Dense, Conv2D, .* Received: DepthwiseConv2D"):
            SpectralNormalization(keras.layers.DepthwiseConv2D(3))

    def test_a_regulariser_of_outputs_is_refused(self):
        with pytest.raises(InputError, match=r"activity regulariser.* Received: Dense with .*L2"):
            SpectralNormalization(keras.layers.Dense(3, activity_regularizer="l2"))


NORMALIZED = {  # a layer, its inputs, and the axes of its kernel that an output sums over
    "dense": (lambda: keras.layers.Dense(3), (6, 4), 0),
    "convolution": (lambda: keras.layers.Conv2D(3, 3, padding="same"), (6, 5, 5, 4), (0, 1, 2)),
    "transposed convolution": (
        lambda: keras.layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        (6, 5, 5, 4),
        (0, 1, 3),
    ),
}


class TestWeightNormalization:
    @pytest.fixture(params=NORMALIZED)
    def kind(self, request):
        layer, shape, axes = NORMALIZED[request.param]
        return layer, tf.random.stateless_normal(shape, [0, 1], mean=1.0, stddev=2.0), axes

    def test_it_computes_with_the_gain_times_the_direction_of_each_outputs_kernel(self, kind):
        make, inputs, axes = kind
        layer, plain = WeightNormalization(make()), make()
        for each in (layer, plain):
            each.build(inputs.shape)
        v = layer.layer.kernel.numpy()
        gain = np.arange(1.0, 4).reshape(layer.gain.shape)
        layer.gain.assign(gain)
        plain.kernel.assign(gain * v / np.sqrt((v**2).sum(axis=axes, keepdims=True)))
        np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(layer.layer.kernel, v)

    def test_the_gradient_is_orthogonal_to_each_outputs_kernel(self, kind):
        make, inputs, axes = kind
        layer = WeightNormalization(make())
        layer.build(inputs.shape)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs) ** 2)
        slope = tape.gradient(loss, layer.layer.kernel.value).numpy()
        v = layer.layer.kernel.numpy()
        assert np.abs(slope).max() > 1
        scale = np.linalg.norm(slope) * np.linalg.norm(v)
        np.testing.assert_allclose((slope * v).sum(axis=axes), 0, atol=1e-6 * scale)

    def test_outputs_start_with_mean_0_and_deviation_1_on_the_data(self, kind):
        make, inputs, _ = kind
        network = keras.Sequential([keras.Input(inputs.shape[1:]), WeightNormalization(make())])
        initialize_from_data(network, inputs)
        outputs = network(inputs).numpy()
        axes = tuple(range(outputs.ndim - 1))
        np.testing.assert_allclose(outputs.mean(axis=axes), 0, atol=1e-5)
        np.testing.assert_allclose(outputs.std(axis=axes), 1, rtol=1e-5)

    def test_the_deviation_of_the_outputs_may_be_asked_for(self):
        inputs = tf.random.stateless_normal([50, 4], [0, 1], mean=3.0)
        layer = rebuilt(WeightNormalization(keras.layers.Dense(5), deviation=0.1))
        network = keras.Sequential([keras.Input((4,)), layer])
        initialize_from_data(network, inputs)
        np.testing.assert_allclose(network(inputs).numpy().std(axis=0), 0.1, rtol=1e-4)
        np.testing.assert_allclose(network(inputs).numpy().mean(axis=0), 0, atol=1e-6)

    def test_a_layer_is_initialised_on_what_those_before_it_then_give(self):
        inputs = tf.random.stateless_normal([50, 4], [0, 1], mean=3.0)
        normalized = [WeightNormalization(keras.layers.Dense(5)) for _ in range(2)]
        network = keras.Sequential([keras.Input((4,)), normalized[0], keras.layers.ReLU(), normalized[1]])
        initialize_from_data(network, inputs)
        outputs = network(inputs).numpy()
        np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(outputs.std(axis=0), 1, rtol=1e-5)
        shifted = network(inputs + 1).numpy()
        assert np.abs(shifted.mean(axis=0)).max() > 0.1  # no later call initialises anything

    @pytest.mark.parametrize("trainable", [True, False])
    def test_the_gain_is_trained_or_not_and_saved_in_either_case(self, trainable):
        layer = rebuilt(WeightNormalization(keras.layers.Dense(3), trainable_gain=trainable, name="w"))
        layer.build((None, 4))
        assert (layer.name, layer.trainable_gain, len(layer.weights)) == ("w", trainable, 3)
        assert any(weight is layer.gain for weight in layer.trainable_weights) == trainable

    def test_pure_bfloat16_normalises_in_float32(self):
        layer = WeightNormalization(keras.layers.Dense(3, dtype="bfloat16"))
        assert layer(tf.ones([2, 4], tf.bfloat16)).dtype == tf.bfloat16

    def test_mixed_precision_normalises_in_float32(self):
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        try:
            layer = WeightNormalization(keras.layers.Dense(3))
        finally:
            keras.mixed_precision.set_global_policy("float32")
        assert layer(tf.ones([2, 4])).dtype == tf.bfloat16
        assert layer.gain.dtype == "float32"

    @pytest.mark.parametrize(
        ("layer", "received"),
        [
            (keras.layers.Dense(3, activation="relu"), "Dense with relu activation"),
            (keras.layers.Embedding(3, 2), "Embedding with no activation"),
            (keras.layers.Conv2D(3, 3, data_format="channels_first"), "data_format='channels_first'"),
            (keras.layers.Dense(3, activity_regularizer="l2"), "Dense with .*L2"),
        ],
        ids=["rectified", "embedding", "channels first", "regularised outputs"],
    )
    def test_other_layers_are_refused(self, layer, received):
        with pytest.raises(InputError, match=f"Received: {received}"):
            WeightNormalization(layer)
