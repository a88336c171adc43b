"""What the graph of a SavedModel may hold: everything that exports hold, and nothing that reaches out."""

import os
import shutil

import keras
import pytest
import saved_models
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.python.framework import op_def_registry

from zoo.artefacts import catalogue
from zoo.artefacts.catalogue import load
from zoo.artefacts.ops import COMPUTING, SAVING
from zoo.artefacts.safety import read_graph, refused
from zoo.errors import InputError


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A SavedModel without a card."""
    return saved_models.save(tmp_path_factory.mktemp("plain") / "model")


def test_a_keras_export_is_harmless(tmp_path):
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(2 * 2 * 4),
            keras.layers.Reshape((2, 2, 4)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
        ]
    )

    def sample(seed, label):
        checks = [tf.debugging.assert_less(label, 10), tf.debugging.assert_shapes([(seed, ("n",)), (label, ("n",))])]
        with tf.control_dependencies([check for check in checks if check is not None]):
            normal = tf.map_fn(
                lambda s: tf.random.stateless_normal([8], tf.stack([s, 0])), seed, fn_output_signature=tf.float32
            )
        return {"samples": generator(normal, training=False)}

    def sample_png(seed, label):
        pixels = tf.image.convert_image_dtype(sample(seed, label)["samples"], tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec((), tf.string))}

    def discriminate(image):  # training=True: dropout draws numbers, batch norm assigns its statistics
        return {"score": tf.reduce_mean(generator(image, training=True), axis=(1, 2, 3))}

    archive = keras.export.ExportArchive()
    archive.track(generator)
    archive.add_endpoint("serving_default", sample, input_signature=saved_models.SAMPLING)
    archive.add_endpoint("sample_png", sample_png, input_signature=saved_models.SAMPLING)
    archive.add_endpoint("discriminate", discriminate, input_signature=[tf.TensorSpec([None, 8], name="image")])
    archive.write_out(str(tmp_path), verbose=False)

    assert refused(read_graph(tmp_path)) == []
    assert load(tmp_path).sample(2).shape == (2, 4, 4, 1)


def in_a_nested_body(seed, label):
    """Reads a file in a branch of a loop's body in a mapped function."""

    def read():
        return tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)

    def row(s):
        loop = tf.while_loop(lambda i, x: i < s, lambda i, x: (i + 1, x + tf.cond(i > 3, read, lambda: 0.0)), (s, 0.0))
        return loop[1]

    return tf.map_fn(row, seed, fn_output_signature=tf.float32)


CHECKPOINT = {"prefix": "written", "tensor_names": ["x"], "shape_and_slices": [""], "tensors": [1.0]}


def then_uniform(effect):
    """A body that has an effect and then samples as usual."""

    def body(seed, label):
        with tf.control_dependencies([effect()]):
            return saved_models.uniform(seed, label)

    return body


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("WriteFile", then_uniform(lambda: tf.io.write_file("written", "x"))),
        ("PrintV2", then_uniform(lambda: tf.print("x", output_stream="file://written"))),
        ("SaveV2", then_uniform(lambda: tf.raw_ops.SaveV2(**CHECKPOINT))),
        ("ReadFile", in_a_nested_body),
        ("MatchingFiles", lambda seed, _: tf.cast(tf.size(tf.io.matching_files("/*")), tf.float32)),
        ("EagerPyFunc", lambda seed, _: tf.py_function(lambda: 1.0, [], tf.float32)),
        ("PyFuncStateless", lambda seed, _: tf.numpy_function(lambda: 1.0, [], tf.float32, stateful=False)),
        ("ImmutableConst", lambda seed, _: tf.raw_ops.ImmutableConst(dtype="float", shape=[1], memory_region_name="f")),
        ("DebugIdentity", lambda seed, _: tf.raw_ops.DebugIdentity(input=tf.zeros(1), debug_urls=["file://written"])),
        ("TextLineDataset", lambda seed, _: tf.data.TextLineDataset("f").reduce(0.0, lambda total, line: total + 1)),
    ],
)
def test_a_graph_that_reaches_out_is_refused(tmp_path, monkeypatch, op, body):
    monkeypatch.chdir(tmp_path)
    path = saved_models.save(tmp_path / "model", body)
    with pytest.raises(InputError, match=rf"refused.*\b{op}\b.*trusted=True"):
        load(path)
    assert os.listdir(tmp_path) == ["model"]


def test_an_asset_is_a_file_access(tmp_path):
    (tmp_path / "words").write_text("a\nb\n")
    table = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(tmp_path / "words"),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        -1,
    )
    path = saved_models.save(tmp_path / "model", table=table)
    with pytest.raises(InputError, match="InitializeTableFromTextFileV2"):
        load(path)


def test_trusted_loads_and_runs_it(tmp_path):
    path = saved_models.save(tmp_path / "model", then_uniform(lambda: tf.io.write_file(str(tmp_path / "written"), "x")))
    model = load(path, trusted=True)
    assert model.sample(1).shape == (1, 4, 4, 1)
    assert (tmp_path / "written").read_text() == "x"


def test_no_op_that_may_be_held_is_unknown_to_tensorflow_or_saves():
    assert all(op_def_registry.get(op) for op in COMPUTING)
    assert not COMPUTING & SAVING


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((8, 8, 3), lambda: keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="gelu")),
        ((8, 8, 3), lambda: keras.layers.SeparableConv2D(4, 3)),
        ((8, 8, 3), lambda: keras.layers.DepthwiseConv2D(3)),
        ((8, 8, 3), lambda: keras.layers.Conv2DTranspose(4, 4, strides=2, padding="same")),
        ((8, 8, 3), lambda: keras.layers.UpSampling2D(interpolation="nearest")),
        ((8, 8, 3), lambda: keras.layers.UpSampling2D(interpolation="bilinear")),
        ((8, 8, 3), lambda: keras.layers.Resizing(5, 5)),
        ((8, 8, 3), lambda: keras.layers.BatchNormalization()),
        ((8, 8, 3), lambda: keras.layers.LayerNormalization()),
        ((8, 8, 4), lambda: keras.layers.GroupNormalization(2)),
        ((8, 8, 3), lambda: keras.layers.SpectralNormalization(keras.layers.Conv2D(4, 3))),
        ((8, 8, 3), lambda: keras.layers.ZeroPadding2D()),
        ((8, 8, 3), lambda: keras.layers.Cropping2D()),
        ((8, 8, 3), lambda: keras.layers.GlobalMaxPooling2D()),
        ((8, 8, 3), lambda: keras.layers.AveragePooling2D(2)),
        ((8, 8, 8, 3), lambda: keras.layers.Conv3DTranspose(4, 3)),
        ((8, 3), lambda: keras.layers.Conv1DTranspose(4, 3)),
        ((8, 3), lambda: keras.layers.GRU(4, return_sequences=True)),
        ((8, 3), lambda: keras.layers.LSTM(4)),
        ((8, 3), lambda: keras.layers.Bidirectional(keras.layers.SimpleRNN(4))),
        ((8,), lambda: keras.layers.Dense(4, activation="silu")),
        ((8,), lambda: keras.layers.Embedding(5, 4)),
        ((8,), lambda: keras.layers.PReLU()),
        ((8,), lambda: keras.layers.UnitNormalization()),
        ((8,), lambda: keras.layers.GaussianNoise(0.1)),
        ((8,), lambda: keras.layers.Dropout(0.1)),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_standard_layers_may_be_held(shape, layer, training):
    layer = layer()
    layer.build((None, *shape))
    layer(tf.zeros((2, *shape)), training=training)
    function = tf.function(lambda x: layer(x, training=training), autograph=False)
    graph = function.get_concrete_function(tf.TensorSpec([None, *shape], tf.float32)).graph.as_graph_def()
    assert refused(MetaGraphDef(graph_def=graph)) == []


def test_the_files_that_were_checked_are_loaded(plain, tmp_path, monkeypatch):
    path = shutil.copytree(plain, tmp_path / "model")
    hostile = saved_models.save(tmp_path / "hostile", then_uniform(lambda: tf.io.write_file("written", "x")))
    monkeypatch.chdir(tmp_path)
    check = catalogue.refused

    def checked_then_swapped(graph):
        found = check(graph)
        shutil.rmtree(path)
        shutil.copytree(hostile, path)
        return found

    monkeypatch.setattr(catalogue, "refused", checked_then_swapped)
    assert load(path).sample(2).shape == (2, 4, 4, 1)
    assert not (tmp_path / "written").exists()
