"""The catalogue: cards, hashes, what a graph may hold, and sampling."""

import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import saved_models
import tensorflow as tf

import zoo.files
from zoo.artefacts.catalogue import file_hashes, find, load, pretrained, read_graph, refused_ops
from zoo.errors import InputError


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A SavedModel without a card."""
    return saved_models.save(tmp_path_factory.mktemp("plain") / "model")


@pytest.fixture
def artefact(tmp_path, monkeypatch, plain):
    """The one model of a catalogue, "toy-digits"."""
    monkeypatch.setattr(zoo.files, "PACKAGE", tmp_path / "zoo")
    directory = tmp_path / "pretrained" / "toy-digits"
    shutil.copytree(plain, directory / "1")
    saved_models.write_card(directory)
    return directory


def test_catalogue_lists_cards_by_name(artefact):
    shutil.copytree(artefact, artefact.with_name("another-digits"))
    (artefact.parent / "no card").mkdir()
    cards = pretrained()
    assert list(cards) == ["another-digits", "toy-digits"]
    assert cards["toy-digits"]["parameters"] == {"generator": 1200, "discriminator": 34}


def test_load_by_name_and_by_path(artefact):
    by_name = load("toy-digits")
    assert by_name.path == artefact / "1"
    assert by_name.card == pretrained()["toy-digits"]
    assert list(by_name.signatures) == ["serving_default"]
    for path in (artefact, artefact / "1", str(artefact)):
        model = load(path)
        assert (model.path, model.card) == (by_name.path, by_name.card)
        np.testing.assert_array_equal(model.sample(2), by_name.sample(2))


def test_the_card_chooses_the_version_and_without_one_the_highest_is_taken(artefact):
    shutil.copytree(artefact / "1", artefact / "2")
    shutil.copytree(artefact / "1", artefact / "10")
    assert find(artefact)[0] == artefact / "1"
    (artefact / "card.json").unlink()
    assert find(artefact) == (artefact / "10", {})
    assert find(artefact / "2") == (artefact / "2", {})


def test_unknown_name_and_path_without_a_model(artefact, tmp_path):
    with pytest.raises(InputError, match=r"Unknown pretrained model: 'toy-digit'. Did you mean toy-digits\?"):
        load("toy-digit")
    for path in (tmp_path, artefact / "card.json"):
        with pytest.raises(InputError, match="no SavedModel here"):
            load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting"),
        ("\xff", "not JSON: 'utf-8' codec"),
        ("[]", "expected a JSON object. Received: list"),
        ('{"name": 3}', "name is missing or of the wrong type. Received: 3"),
    ],
)
def test_broken_card(artefact, text, message):
    (artefact / "card.json").write_text(text, encoding="latin-1")
    for read in (pretrained, lambda: load("toy-digits")):
        with pytest.raises(InputError, match=f"card.json: {message}"):
            read()


def test_file_hashes_are_sha256_by_posix_path(tmp_path):
    (tmp_path / "3" / "variables").mkdir(parents=True)
    (tmp_path / "3" / "variables" / "a").write_bytes(b"abc")
    assert file_hashes(tmp_path / "3") == {
        "3/variables/a": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }


def test_every_file_is_verified(artefact):
    version = artefact / "1"
    os.truncate(version / "variables" / "variables.data-00000-of-00001", 2)
    (version / "variables" / "variables.index").unlink()
    (version / "extra").touch()
    with pytest.raises(InputError) as error:
        load("toy-digits", trusted=True)
    expected = pretrained()["toy-digits"]["files"]["1/variables/variables.data-00000-of-00001"]
    message = str(error.value)
    assert "1/extra: not listed in card.json" in message
    assert "1/variables/variables.index: missing" in message
    assert (
        "1/variables/variables.data-00000-of-00001: sha256 differs from card.json: "
        f"expected {expected[:12]}…, found " in message
    )
    assert "fingerprint" not in message


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("saved_model.pb", 200, "saved_model.pb: damaged, or not a SavedModel"),
        ("saved_model.pb", 0, "saved_model.pb: expected one graph, written by TensorFlow 2. Received: 0"),
        ("variables/variables.index", 20, "TensorFlow cannot load it: .*too short"),
        ("variables/variables.data-00000-of-00001", 2, "TensorFlow cannot load it: "),
    ],
)
def test_damage_without_a_card_is_one_line(plain, tmp_path, name, size, message):
    path = shutil.copytree(plain, tmp_path / "model")
    os.truncate(path / name, size)
    with pytest.raises(InputError, match=message) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_rows_depend_on_their_own_seed_and_label(plain):
    model = load(plain)
    labels = np.arange(300) % 7
    many = model.sample(300, labels)
    assert many.shape == (300, 4, 4, 1)
    assert many.dtype == np.float32
    np.testing.assert_array_equal(model.sample([299, 3], [299 % 7, 3]), many[[299, 3]])
    np.testing.assert_array_equal(model.sample([5]), model.sample([5], -1))


def test_labels_are_checked_against_the_card(artefact, plain):
    model = load(artefact)
    with pytest.raises(InputError, match=r"`labels` should lie in \[-1, 9\]. Received: 10"):
        model.sample(4, 10)
    assert load(plain).sample(1, 10).shape == (1, 4, 4, 1)


def test_what_the_graph_refuses_is_one_line(tmp_path):
    def checked(seed, label):
        tf.debugging.assert_less(label, 3, message="label out of range")
        return saved_models.uniform(seed, label)

    model = load(saved_models.save(tmp_path / "model", checked))
    assert model.sample(1, 2).shape == (1, 4, 4, 1)
    with pytest.raises(InputError, match="label out of range") as error:
        model.sample(1, 3)
    assert "\n" not in str(error.value)


def test_a_saved_model_without_the_sampling_signature(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec([], tf.float32, name="x")])
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.double})
    with pytest.raises(InputError, match=r"serving_default\(seed, label\).*Received: \['serving_default'\]"):
        load(tmp_path).sample(1)


def test_loading_and_sampling_need_no_keras(plain):
    code = f"""
import sys
sys.modules["keras"] = None
import zoo
assert zoo.load({str(plain)!r}).sample(2).shape == (2, 4, 4, 1)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


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
