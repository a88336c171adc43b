"""The zoo's layers against NumPy and against the Keras layers that they replace."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import InputError
from zoo.layers import (
    FusedBatchNormalization,
    GlobalBatchDropout,
    GlobalBatchNoise,
    Maxout,
    PixelBias,
    SpectralNormalization,
    WeightNormalization,
    initialize_from_data,
)


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
        outputs = self.dropped(GlobalBatchDropout(0.3), tf.ones([100, 1000])).numpy()
        kept = outputs > 0
        np.testing.assert_allclose(outputs[kept], 1 / 0.7, rtol=1e-6)
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
        ],
        ids=["vectors", "no scale", "no centre", "channels first", "masked"],
    )
    def test_whatever_the_kernel_cannot_do_is_left_to_keras(self, fused, shape, options):
        ours, theirs = (
            self.trained(kind, self.inputs(shape), **options)
            for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
        )
        assert not fused
        for mine, kerass in zip(ours[1], theirs[1], strict=True):
            np.testing.assert_array_equal(mine, kerass)

    def test_the_moving_statistics_are_those_of_the_biased_estimate(self):
        layer = FusedBatchNormalization(momentum=0.75)
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
        ],
        ids=["rectified", "embedding"],
    )
    def test_other_layers_are_refused(self, layer, received):
        with pytest.raises(InputError, match=f"Received: {received}"):
            WeightNormalization(layer)
