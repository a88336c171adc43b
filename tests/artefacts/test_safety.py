"""What the graph of a SavedModel may hold: everything that exports hold, and nothing that reaches out."""

import os

import keras
import pytest
import saved_models
import tensorflow as tf

from zoo.artefacts.catalogue import load
from zoo.artefacts.safety import read_graph, refused_ops
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

    assert refused_ops(read_graph(tmp_path)) == []
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


@pytest.mark.parametrize(
    "op",
    """NotInThisTensorFlow DebugNumericSummaryV2 DecodeProtoV2 FileSystemSetConfiguration GenerateVocabRemapping
    IteratorGetNext LoadAndRemapMatrix MlirPassthroughOp Print PyFunc Recv RemoteCall RestoreV2 RpcCall SqlDataset
    SummaryWriter TFRecordReaderV2 XlaCallModule XlaCustomCallV2""".split(),  # noqa: SIM905
)
def test_refused_by_name(plain, op):
    graph = read_graph(plain)
    functions = graph.graph_def.library.function
    next(function for function in functions if "traced" not in function.signature.name).node_def.add(op=op)
    assert refused_ops(graph) == [op]


def saver_of(graph):
    (node,) = (node for node in graph.graph_def.node if node.name == graph.saver_def.save_tensor_name[:-2])
    return node.attr["f"].func.name


def called_by_another_function(graph):
    graph.graph_def.library.function[0].node_def.add(op="PartitionedCall").attr["f"].func.name = saver_of(graph)


def named_in_a_nested_attribute(graph):
    call = graph.graph_def.library.function[0].node_def.add(op="PartitionedCall")
    call.attr["f"].func.attr["g"].func.name = saver_of(graph)


def called_by_the_main_graph(graph):
    graph.graph_def.node.add(op="PartitionedCall").attr["f"].func.name = saver_of(graph)


def called_by_an_object(graph):
    graph.object_graph_def.nodes.add().bare_concrete_function.concrete_function_name = saver_of(graph)


def defined_twice(graph):
    graph.graph_def.library.function.add().signature.name = saver_of(graph)


@pytest.mark.parametrize(
    "use",
    [
        called_by_another_function,
        named_in_a_nested_attribute,
        called_by_the_main_graph,
        called_by_an_object,
        defined_twice,
    ],
)
def test_a_saver_that_something_else_can_call_is_refused(plain, use):
    graph = read_graph(plain)
    assert refused_ops(graph) == []
    use(graph)
    assert refused_ops(graph) == ["MergeV2Checkpoints", "SaveV2", "ShardedFilename"]
