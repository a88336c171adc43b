"""The catalogue: how a model is found, verified and loaded, and how it is sampled."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import saved_models
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import zoo.files
from zoo.artefacts.catalogue import find, load, pretrained
from zoo.artefacts.safety import GRAPH
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


def test_a_workdir_stands_for_the_one_model_that_it_holds(artefact):
    assert find(artefact.parent)[0] == artefact / "1"
    shutil.copytree(artefact, artefact.with_name("another"))
    with pytest.raises(InputError, match="no SavedModel here"):
        find(artefact.parent)


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
    with pytest.raises(
        InputError, match=r"serving_default\(seed, label\).*Received: serving_default\(x\) that returns output_0"
    ):
        load(tmp_path).sample(1)


def test_loading_and_sampling_need_no_keras(plain):
    code = f"""
import sys
sys.modules["keras"] = None
import zoo
assert zoo.load({str(plain)!r}).sample(2).shape == (2, 4, 4, 1)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("a symbolic link", lambda path: path.symlink_to("/etc/hostname")),
        ("a symbolic link", lambda path: path.symlink_to("missing")),
        ("a pipe", os.mkfifo),
    ],
)
@pytest.mark.parametrize("place", ["extra", "variables/variables.data-00000-of-00002"])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_model_is_made_of_files(plain, tmp_path, kind, make, place, trusted):
    path = shutil.copytree(plain, tmp_path / "model")
    make(path / place)
    with pytest.raises(InputError, match=f"{place}: expected a file or a folder. Received: {kind}"):
        load(path, trusted=trusted)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (lambda seed, label: tf.reduce_sum(saved_models.uniform(seed, label)), r"\[\]"),
        (lambda seed, label: saved_models.uniform(seed, label)[1:], r"\[1, 4, 4, 1\]"),
    ],
)
def test_samples_are_a_row_for_each_seed(tmp_path, body, shape):
    with pytest.raises(InputError, match=f"samples should have a row for each of 2. Received: shape {shape}"):
        load(saved_models.save(tmp_path / "model", body)).sample(2)


def test_a_model_without_signatures(tmp_path):
    module = tf.Module()
    module.one = tf.Variable(1.0)
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(InputError, match=r"expected a signature serving_default.*Received: \[\]"):
        load(tmp_path).sample(1)


def test_signatures_that_are_none(plain, tmp_path):
    path = shutil.copytree(plain, tmp_path / "model")
    saved = saved_model_pb2.SavedModel.FromString((path / GRAPH).read_bytes())
    nodes = saved.meta_graphs[0].object_graph_def.nodes
    variable = next(number for number, node in enumerate(nodes) if node.WhichOneof("kind") == "variable")
    (signatures,) = (child for child in nodes[0].children if child.local_name == "signatures")
    signatures.node_id = variable
    (path / GRAPH).write_bytes(saved.SerializeToString())
    with pytest.raises(InputError, match=r"expected a signature serving_default.*Received: \[\]"):
        load(path).sample(1)


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "string", "float64", "bfloat16"])
def test_samples_are_numbers_of_one_type(tmp_path, dtype):
    def zeros(seed, label):
        zeros = tf.zeros_like(seed)[:, None]
        return {"samples": tf.strings.as_string(zeros) if dtype == "string" else tf.cast(zeros, dtype)}

    module = tf.Module()
    module.sample = tf.function(zeros, input_signature=saved_models.SAMPLING)
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.sample})
    model = load(tmp_path)
    if "float" in dtype:
        assert model.sample(2).dtype == np.float32
    else:
        with pytest.raises(InputError, match=r"expected samples of type float32. Received: "):
            model.sample(2)


def test_what_the_machine_cannot_do_is_one_line(tmp_path):
    def too_large(seed, label):
        return saved_models.uniform(seed, label) + tf.reduce_sum(tf.fill([tf.size(seed) * 10**8, 10**8], 1.0))

    with pytest.raises(InputError, match=r"model, serving_default: OOM when allocating tensor with shape") as error:
        load(saved_models.save(tmp_path / "model", too_large)).sample(1)
    assert "\n" not in str(error.value)


def test_the_version_of_the_card_is_missing(artefact):
    shutil.rmtree(artefact / "1")
    with pytest.raises(InputError, match=r"toy-digits/1: missing, though card\.json names it"):
        load("toy-digits")
