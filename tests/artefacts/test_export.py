"""The SavedModel that every model exports: its signatures, its card, and that its rows are the model's."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_model import SHAPE, batches, make

import zoo
from zoo import files, images
from zoo.artefacts.export import finish_or_clear, kept_weights
from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import bad_rows
from zoo.classifying import Classifying
from zoo.encoding_model import EncodingModel
from zoo.errors import InputError, TrainingError

SEEDS = np.array([7, 0, 2**40, -3], np.int64)


@pytest.fixture(scope="module", params=[*zoo.MODELS, "ThreePlayers"])
def exported(request, tmp_path_factory):
    """A trained model and the version folder of its artefact."""
    model = make(request.param, ema_decay=0.9, run_eagerly=True)
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    return model, model.export(tmp_path_factory.mktemp("artefact") / "model")


@pytest.fixture(scope="module")
def signatures(exported):
    """By name, as a program that knows nothing of the zoo loads them."""
    return tf.saved_model.load(str(exported[1])).signatures


def expected_signatures(model):
    n, latent, label = (None,), (None, model.latent_size), {"label": (tf.int32, (None,))}
    by_seed = {"seed": (tf.int64, n), **label}
    samples = {"samples": (tf.float32, (None, *SHAPE))}
    table = {
        "serving_default": (by_seed, samples),
        "sample": (by_seed, samples),
        "sample_png": (by_seed, {"image_bytes": (tf.string, n)}),
        "discriminate": ({"image": (tf.float32, (None, *SHAPE)), **label}, {"score": (tf.float32, n)}),
    }
    if tf.nest.is_nested(model.prior):
        names = model.prior if isinstance(model.prior, dict) else range(len(model.prior))
        parts = zip(names, tf.nest.flatten(model.prior), strict=True)
        outputs = {f"latent_{name}": (tf.float32, (None, *prior.batch_shape)) for name, prior in parts}
        table["latents"] = (by_seed, outputs)
    elif model.prior is not None:
        table["latents"] = (by_seed, {"latent": (tf.float32, latent)})
        table["generate"] = ({"latent": (tf.float32, latent), **label}, samples)
    image, _ = table["discriminate"]
    if model.features_and_output is not None:
        size = math.prod(model.features_and_output.outputs[0].shape[1:])
        table["features"] = (image, {"features": (tf.float32, (None, size))})
    if isinstance(model, EncodingModel):
        table |= {"encode": (image, {"latent": (tf.float32, latent)}), "reconstruct": (image, samples)}
    if isinstance(model, Classifying):
        classes = {"probabilities": (tf.float32, (None, model.num_classes)), "label": (tf.int32, n)}
        table["classify"] = ({"image": image["image"]}, classes)
    if hasattr(model, "super_resolve"):
        table["super_resolve"] = ({"image": (tf.float32, (None, *model.downsampling.low_shape))}, samples)
    return table


def test_signatures_after_loading(exported, signatures):
    found = {
        name: (
            {key: (spec.dtype, tuple(spec.shape)) for key, spec in graph.structured_input_signature[1].items()},
            {key: (spec.dtype, tuple(spec.shape)) for key, spec in graph.structured_outputs.items()},
        )
        for name, graph in signatures.items()
    }
    assert found == expected_signatures(exported[0])


def test_rows_are_the_models(exported):
    model, version = exported
    loaded = zoo.load(version.parent)
    np.testing.assert_allclose(loaded.sample(SEEDS, 1), model.sample(SEEDS, 1), atol=1e-5)
    np.testing.assert_allclose(loaded.sample([7], 1)[0], loaded.sample(64, 1)[7], atol=1e-5)


def test_the_session_loader_samples_the_same_rows(exported):
    model, version = exported
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(version))
        assert expected_signatures(model).keys() <= graph.signature_def.keys()
        signature = graph.signature_def["serving_default"]
        feed = {signature.inputs["seed"].name: SEEDS, signature.inputs["label"].name: np.ones(4, np.int32)}
        rows = session.run(signature.outputs["samples"].name, feed)
    np.testing.assert_allclose(rows, model.sample(SEEDS, 1), atol=1e-5)


def test_pngs_decode_to_the_rounded_samples(exported, signatures):
    model, _ = exported
    pngs = signatures["sample_png"](seed=tf.constant(SEEDS), label=tf.ones(4, tf.int32))["image_bytes"]
    pixels = np.stack([tf.io.decode_png(png).numpy() for png in pngs])
    np.testing.assert_array_equal(pixels, np.rint(model.sample(SEEDS, 1) * 255).astype(np.uint8))


def test_generate_maps_latents(exported, signatures):
    model, _ = exported
    if model.prior is None or tf.nest.is_nested(model.prior):
        pytest.skip("the signature belongs to models of one latent vector")
    latent = np.random.default_rng(0).uniform(-1, 1, (3, model.latent_size)).astype(np.float32)
    rows = signatures["generate"](latent=tf.constant(latent), label=tf.zeros(3, tf.int32))["samples"]
    low, high = model.value_range
    expected = (model.generate(tf.constant(latent), np.zeros(3, np.int32)).numpy() - low) / (high - low)
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_discriminate_scores_images_in_the_unit_range(exported, signatures):
    model, _ = exported
    image = np.random.default_rng(0).uniform(0, 1, (3, *SHAPE)).astype(np.float32)
    labels = np.array([0, 1, 2], np.int32)
    scores = signatures["discriminate"](image=tf.constant(image), label=tf.constant(labels))["score"]
    low, high = model.value_range
    expected = model.score(tf.constant(image * (high - low) + low), labels).numpy().ravel()
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_bad_label_is_marked_in_its_own_rows_of_every_signature(exported, signatures):
    model, _ = exported
    for name, signature in signatures.items():
        inputs = {
            key: tf.zeros([3, *spec.shape[1:]], spec.dtype)
            for key, spec in signature.structured_input_signature[1].items()
        }
        if "label" not in inputs:
            continue
        good = signature(**inputs)
        mixed = signature(**inputs | {"label": tf.constant([0, 3, 0])})
        for key, rows in mixed.items():
            assert bad_rows(rows.numpy()).tolist() == ([1] if model.conditional else []), name
            for row in (0, 2):
                np.testing.assert_array_equal(rows[row], good[key][row])
        no_label = signature(**inputs | {"label": tf.constant([0, -1, 0])})
        chosen_by_the_seed = not model.conditional or "seed" in inputs
        assert [len(bad_rows(rows.numpy())) for rows in no_label.values()] == [not chosen_by_the_seed] * len(no_label)


def test_images_beyond_the_unit_range_are_marked(signatures):
    for name, signature in signatures.items():
        specs = signature.structured_input_signature[1]
        if "image" not in specs:
            continue
        inputs = {key: tf.zeros([4, *spec.shape[1:]], spec.dtype) for key, spec in specs.items()}
        brightness = tf.constant([1, 200, np.nan, -0.1], tf.float32)[:, None, None, None]
        inputs["image"] = tf.ones_like(inputs["image"]) * brightness
        for rows in signature(**inputs).values():
            if rows.dtype.is_floating:
                assert bad_rows(rows.numpy()).tolist() == [1, 2, 3], name
            else:
                assert rows[1:].numpy().tolist() == [-1, -1, -1]


def test_a_label_that_the_card_does_not_know_of_is_refused_by_its_row(tmp_path):
    version = make("CGAN").export(tmp_path / "model")
    (version.parent / "card.json").unlink()
    with pytest.raises(InputError, match=r"labels of the model's classes, or -1 .*Received: row 1 of"):
        zoo.load(version).sample(2, [0, 3])


def test_seeds_and_labels_of_unequal_lengths_are_refused(tmp_path):
    signatures = tf.saved_model.load(str(make("GAN").export(tmp_path / "model"))).signatures
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must have as many rows. Received:\] \[2\] \[1\]"):
        signatures["sample"](seed=tf.constant([1, 2], tf.int64), label=tf.constant([0]))


def test_a_single_row_may_leave_out_a_label_that_is_not_needed(exported):
    model, version = exported
    graph = read_graph(version)
    with_default = {name for name, signature in graph.signature_def.items() if signature.defaults}
    ignored = set() if model.conditional else {"generate", "discriminate", "features", "encode", "reconstruct"}
    expected = ({"serving_default", "sample", "sample_png", "latents"} | ignored) & graph.signature_def.keys()
    assert with_default == expected
    assert {tuple(tf.make_ndarray(graph.signature_def[name].defaults["label"])) for name in expected} == {(-1,)}


def test_the_card_describes_the_model_and_every_file(exported):
    model, version = exported
    card = json.loads((version.parent / "card.json").read_text())
    assert card["model"] == type(model).__name__
    assert card["steps"] == 2
    assert card["data_shape"] == list(SHAPE)
    assert card["parameters"]["generator"] == sum(np.size(w) for w in model.generator.get_weights())
    on_disk = {path.relative_to(version.parent).as_posix() for path in version.rglob("*") if path.is_file()}
    assert card["files"].keys() == on_disk
    assert (version.parent / "samples.png").is_file()


def test_the_picture_shows_8_seeds_of_every_class_or_64_of_a_model_without(exported):
    model, version = exported
    classes = [[label] * 8 for label in range(model.num_classes)] if model.conditional else 8 * [8 * [-1]]
    labels = np.concatenate(classes)
    seeds = np.tile(np.arange(8), len(classes)) if model.conditional else np.arange(64)
    drawn = np.asarray(Image.open(version.parent / "samples.png"))
    np.testing.assert_array_equal(drawn, images.grid(model.sample(seeds, labels), columns=8).squeeze(-1))


def test_the_artefact_holds_no_optimiser_and_no_second_generator(exported):
    model, version = exported
    stored = sum(np.prod(shape) for _, shape in tf.train.list_variables(str(version / "variables" / "variables")))
    # Of a network with an average, its own weights too where a signature reads them, as `discriminate` an encoder's.
    read = [network for _, network, _ in model.averages if network is not model.generator]
    weights = [*kept_weights(model), *(weight for network in read for weight in network.weights)]
    assert stored <= sum(math.prod(weight.shape) for weight in weights) + 1  # TensorFlow's counter


def test_a_second_export_is_the_next_version(tmp_path):
    model = make("GAN")
    versions = [model.export(tmp_path / "model").name for _ in range(2)]
    assert versions == ["1", "2"]
    assert json.loads((tmp_path / "model" / "card.json").read_text())["version"] == 2


def test_an_older_version_is_loaded_by_its_path(tmp_path):
    model = make("GAN")
    versions = [model.export(tmp_path / "model") for _ in range(2)]
    for version in versions:
        np.testing.assert_allclose(zoo.load(version).sample(3), model.sample(3), atol=1e-5)
    assert [bool(zoo.load(version).card) for version in versions] == [False, True]


def test_an_average_is_what_is_exported(tmp_path):
    model = make("GAN", ema_decay=0.9)
    before = model.sample(3)
    for weight in model.generator.trainable_weights:
        weight.assign(weight + 1)
    np.testing.assert_allclose(zoo.load(model.export(tmp_path / "model")).sample(3), before, atol=1e-5)


def test_a_model_on_two_replicas_exports_what_it_samples(mirrored, tmp_path):
    with mirrored.scope():
        model = make("DCGAN", ema_decay=0.9)
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    np.testing.assert_allclose(zoo.load(model.export(tmp_path / "model")).sample(3), model.sample(3), atol=1e-5)


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"model: expected a folder\. Received: .*file, which is none"):
        make("GAN").export(tmp_path / "file" / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_nothing_of_an_export(tmp_path, monkeypatch):
    def full(module, path, signatures):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(TrainingError, match=r"Cannot write the SavedModel .*No space left on device"):
        make("GAN").export(tmp_path / "model")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_altered_file_is_refused(tmp_path):
    version = make("GAN").export(tmp_path / "model")
    (weights,) = (version / "variables").glob("*.data*")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=f"1/variables/{weights.name}: sha256 differs"):
        zoo.load(tmp_path / "model")


def test_saved_model_cli_shows_and_runs_the_signature(tmp_path):
    version = make("GAN").export(tmp_path / "model")
    cli = str(Path(sys.executable).with_name("saved_model_cli"))
    shown = subprocess.run([cli, "show", "--dir", version, "--all"], capture_output=True, text=True, check=True).stdout
    assert "inputs['seed'] tensor_info:\n        dtype: DT_INT64\n        shape: (-1)" in shown
    command = ["run", "--dir", version, "--tag_set", "serve", "--signature_def", "serving_default"]
    inputs = ["--input_exprs", "seed=[0, 1];label=[-1, -1]"]
    subprocess.run([cli, *command, *inputs, "--outdir", tmp_path], capture_output=True, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "samples.npy"), zoo.load(version).sample(2), atol=1e-5)


def test_what_is_catalogued_is_listed_with_its_card(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PACKAGE", tmp_path)
    make("GAN").export(tmp_path / "pretrained" / "gan-test")
    assert zoo.pretrained()["gan-test"]["model"] == "GAN"
    assert zoo.load("gan-test").sample(2).shape == (2, *SHAPE)


@pytest.fixture
def points(tmp_path):
    """An artefact of points, its folder."""
    model = make("GAN")
    model.export(tmp_path / "points", dataset="dots")
    return model, tmp_path / "points"


def test_another_models_artefact_gets_no_second_version(points):
    model, directory = points
    with pytest.raises(InputError, match=r"points holds GAN of dots, .* Received: GAN of lines"):
        model.export(directory, dataset="lines")
    with pytest.raises(InputError, match="Received: WGAN of dots"):
        make("WGAN").export(directory, dataset="dots")
    assert model.export(directory, dataset="dots").name == "2"


def test_what_an_export_that_was_killed_left_is_finished_or_cleared(points):
    _, directory = points
    card = json.loads((directory / "card.json").read_text())
    (directory / "card.json").rename(directory / ".1.card.json")
    (directory / ".2.12345").mkdir()
    (directory / ".2.card.json").write_text("{}")
    (directory / ".card.12345.json").write_text("{")
    finish_or_clear(directory)
    assert json.loads((directory / "card.json").read_text()) == card
    assert sorted(path.name for path in directory.iterdir()) == ["1", "card.json", "samples.png"]
    assert zoo.load(directory).card == card


def test_an_export_into_a_directory_that_is_read_as_a_pattern_is_refused(points, tmp_path):
    with pytest.raises(InputError, match=r"TensorFlow reads \[ and \] in a path"):
        points[0].export(tmp_path / "a[1]")


def test_is_a_model_again(exported):
    """The last test of the fixture's model, which it changes."""
    model, version = exported
    if type(model).__name__ not in zoo.MODELS:
        pytest.skip("a class of the tests' own has no name by which it could be found")
    restored = zoo.restore(version.parent)
    assert type(restored) is type(model)
    for average, network, _ in model.averages:  # which the average stands for
        network.set_weights(average.get_weights())
    for weight, expected in zip(restored.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert restored.get_compile_config() == model.get_compile_config()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"sedonds": 3.5}, "Unknown fact of a card: 'sedonds'. Did you mean seconds"),
        ({"seconds": "3"}, "`seconds` of a card should be int | float. Received: seconds='3'"),
        ({"settings": {"rate": np.float32(1)}}, "Expected what JSON can hold. Received: Object of type float32"),
    ],
)
def test_facts_that_a_card_cannot_hold_are_refused_before_anything_is_written(tmp_path, facts, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make("GAN").export(tmp_path / "model", **facts)
    assert not (tmp_path / "model").exists()
