"""Faster convolutions against TensorFlow's: values, first and second derivatives."""

from itertools import product
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import layers
from zoo.layers import convolutions

SETTINGS = [  # image, kernel, stride, padding
    ((8, 8), (5, 5), 2, "SAME"),
    ((7, 9), (5, 5), 2, "SAME"),
    ((7, 6), (4, 4), 2, "SAME"),
    ((8, 7), (3, 3), 1, "SAME"),
    ((6, 6), (1, 1), 1, "SAME"),
    ((9, 9), (3, 5), 2, "VALID"),
    ((8, 9), (2, 2), 3, "VALID"),
    ((7, 7), (3, 4), 3, "SAME"),
    ((7, 8), (5, 4), 1, "VALID"),
    ((6, 6), (1, 2), 2, "SAME"),
]


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


@pytest.fixture
def onednn(monkeypatch):
    """Takes this machine for one on which TensorFlow computes with oneDNN."""
    monkeypatch.setattr(convolutions, "_runs_on_onednn", lambda: True)


def derivatives(operation, first, second):
    """What an operation of two tensors gives, and derivatives of orders 1 and 2 along directions that depend on all."""
    with tf.GradientTape() as outer:
        outer.watch([first, second])
        with tf.GradientTape() as inner:
            inner.watch([first, second])
            outputs = operation(first, second)
            loss = tf.reduce_sum(tf.sin(outputs))
        slopes = inner.gradient(loss, [first, second])
        curvature = tf.add_n([tf.reduce_sum(tf.sin(slope)) for slope in slopes])
    return [outputs, *slopes, *outer.gradient(curvature, [first, second])]


@pytest.mark.parametrize(("size", "taps", "stride", "padding"), SETTINGS, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("small", [0, 9], ids=["large maps", "small maps"])
@pytest.mark.parametrize("transposed", [False, True], ids=["convolution", "transposed"])
def test_values_and_both_derivatives_are_tensorflows(
    size, taps, stride, padding, channels, small, transposed, monkeypatch
):
    monkeypatch.setattr(convolutions, "SMALL", {"float64": small})
    images, kernel = random(2, *size, channels), random(*taps, channels, 5, seed=1) / 5
    maps = tf.nn.conv2d(images, kernel, stride, padding)
    if transposed:
        found = derivatives(
            lambda *args: convolutions.transposed_convolution(*args, stride, padding, size), maps, kernel
        )
        expected = derivatives(
            lambda maps, kernel: tf.nn.conv2d_transpose(maps, kernel, images.shape, stride, padding), maps, kernel
        )
    else:
        found = derivatives(lambda *args: convolutions.convolution(*args, stride, padding), images, kernel)
        expected = derivatives(lambda *args: tf.nn.conv2d(*args, stride, padding), images, kernel)
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=0, atol=1e-12)


PAIRS = {
    "convolution": (layers.Conv2D, keras.layers.Conv2D, 2, 6),
    "transposed": (layers.Conv2DTranspose, keras.layers.Conv2DTranspose, 6, 2),
}


@pytest.mark.parametrize(("ours", "keras_own", "channels", "filters"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(("policy", "training"), product(["float32", "mixed_bfloat16"], [False, True]))
def test_a_layer_takes_kerass_weights_and_gives_its_outputs(
    onednn, ours, keras_own, channels, filters, policy, training
):
    settings = {"strides": 2, "padding": "same", "activation": "tanh", "dtype": policy}
    fast, plain = (kind(filters, 5, **settings) for kind in (ours, keras_own))
    inputs = tf.cast(random(3, 8, 6, channels), tf.float32)
    expected = plain(inputs)
    fast.build(inputs.shape)
    assert [weight.path.split("/")[-1] for weight in fast.weights] == ["kernel", "bias"]
    fast.set_weights([plain.get_weights()[0], np.linspace(-1, 1, filters)])
    plain.set_weights(fast.get_weights())
    expected, found = (tf.cast(outputs, tf.float32) for outputs in (plain(inputs), fast(inputs, training=training)))
    np.testing.assert_allclose(found, expected, atol=1e-6 if policy == "float32" else 0.02)


@pytest.mark.parametrize("settings", [{"strides": (1, 2)}, {"output_padding": 1, "strides": 2}], ids=str)
def test_settings_that_the_fast_form_does_not_know_are_left_to_keras(onednn, settings):
    fast, plain = (kind(2, 3, **settings) for kind in (layers.Conv2DTranspose, keras.layers.Conv2DTranspose))
    inputs = tf.cast(random(1, 6, 6, 4), tf.float32)
    plain.build(inputs.shape)
    fast.build(inputs.shape)
    fast.set_weights(plain.get_weights())
    np.testing.assert_array_equal(fast(inputs, training=True), plain(inputs))


def test_images_of_unknown_size_are_left_to_keras(onednn):
    layer = layers.Conv2DTranspose(1, 5, strides=2, padding="same")
    function = tf.function(lambda x: layer(x, training=True), input_signature=[tf.TensorSpec([None, None, None, 3])])
    assert function(tf.zeros([2, 4, 4, 3])).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(("ours", "keras_own", "channels", "filters"), PAIRS.values(), ids=PAIRS)
def test_outside_training_a_graph_holds_tensorflows_own_gradients(onednn, ours, keras_own, channels, filters):
    layer = ours(filters, 5, strides=2, padding="same")
    spec = tf.TensorSpec([None, 8, 8, channels])
    graph = tf.function(lambda x: layer(x, training=False)).get_concrete_function(spec).graph
    assert "IdentityN" not in [node.type for node in graph.get_operations()]


@pytest.mark.parametrize(("ours", "keras_own", "channels", "filters"), PAIRS.values(), ids=PAIRS)
def test_a_network_saved_with_kerass_layer_lends_its_file_of_weights(ours, keras_own, channels, filters, tmp_path):
    first, second = (
        keras.Sequential([keras.Input((8, 8, channels)), kind(filters, 3), kind(filters, 3)])
        for kind in (keras_own, ours)
    )
    first.save_weights(tmp_path / "a.weights.h5")
    second.load_weights(tmp_path / "a.weights.h5")
    for ours_array, theirs in zip(second.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(ours_array, theirs)


@pytest.mark.parametrize(
    ("dtype", "pixels", "strides", "tiles", "is_convolution"),
    [
        ("float32", 8, 2, False, True),
        ("float32", 10, 2, False, False),
        ("bfloat16", 16, 2, False, True),
        ("bfloat16", 18, 2, False, False),
        ("bfloat16", 16, 2, True, False),
        ("float32", 8, 2, True, True),
        ("float32", 4, 1, False, False),
        ("float16", 4, 2, False, False),
    ],
)
@pytest.mark.parametrize("transposed", [False, True], ids=["convolution", "transposed"])
def test_a_kernels_gradient_is_a_convolution_where_the_maps_are_small(
    onednn, monkeypatch, dtype, pixels, strides, tiles, is_convolution, transposed
):
    monkeypatch.setattr(convolutions, "_has_tiles", lambda: tiles)
    kind = "Conv2DTranspose" if transposed else "Conv2D"
    settings = {"filters": 6, "kernel_size": 5, "strides": strides, "padding": "same", "dtype": dtype}
    fast, plain = (getattr(module, kind)(**settings) for module in (layers, keras.layers))
    side = pixels // strides if transposed else pixels
    inputs = tf.cast(random(7, side, side, 5), dtype)
    for layer in (fast, plain):
        layer.build(inputs.shape)
    plain.set_weights(fast.get_weights())

    @tf.function
    def gradient(layer, inputs, **settings):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.cast(layer(inputs, **settings), tf.float32) ** 2)
        return tape.gradient(loss, layer.kernel.value)

    batch_of_any_size = tf.TensorSpec([None, *inputs.shape[1:]], dtype)
    graph = gradient.get_concrete_function(fast, batch_of_any_size, training=True).graph
    assert is_convolution != ("Conv2DBackpropFilter" in [node.type for node in graph.get_operations()])
    expected, found = (
        tf.cast(values, tf.float32) for values in (gradient(plain, inputs), gradient(fast, inputs, training=True))
    )
    tolerance = {"float32": 1e-6, "bfloat16": 1e-2, "float16": 2e-3}[dtype] * float(tf.reduce_max(tf.abs(expected)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_where_there_is_a_gpu_the_layers_are_kerass(monkeypatch):
    monkeypatch.setattr(convolutions._pywrap_util_port, "IsMklEnabled", lambda: True)
    assert convolutions._runs_on_onednn()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert not convolutions._runs_on_onednn()


@pytest.mark.parametrize(("flags", "tiles"), [("fma amx_bf16 amx_tile", True), ("fma avx512_bf16", False)])
def test_a_processor_with_tiles_says_so_in_its_flags(monkeypatch, flags, tiles):
    monkeypatch.setattr(convolutions.Path, "read_text", lambda path, encoding: f"model name: A\nflags: {flags}\n")
    assert convolutions._has_tiles.__wrapped__() == tiles


def test_a_system_that_does_not_describe_its_processor_is_taken_for_one_without_tiles(monkeypatch):
    monkeypatch.setattr(convolutions, "Path", lambda path: Path("missing") / path.strip("/"))
    assert not convolutions._has_tiles.__wrapped__()
