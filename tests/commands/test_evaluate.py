"""`zoo evaluate`: what it prints, what it writes, and how it fails."""

import json
import os
import re

import numpy as np
import pytest
import saved_models
import tensorflow as tf
from PIL import Image
from scored import DIGITS

from zoo.artefacts.catalogue import load


def test_evaluate_prints_a_table_and_writes_scores_and_neighbours(run, blocks, workplace, capsys):
    saved_models.save(workplace / "noise", lambda seed, label: saved_models.uniform(seed, label, (16, 16, 1)))
    line = "evaluate noise --data digits --samples 100 --scores frechet_distance,inception_score"
    assert run(line) == 0
    out, err = capsys.readouterr()
    assert err == ""
    table = [re.split(" {2,}", row) for row in out.splitlines()]
    assert table[0] == ["SCORE", "BETTER", "noise", "FLOOR", "SAMPLES", "FLOOR ROWS", "REFERENCE ROWS"]
    assert table[1][:2] == ["Fréchet block distance", "lower"]
    assert float(table[1][2]) > float(table[1][3])
    assert table[1][4:] == ["100", "100 test", "1,437 train"]
    assert re.fullmatch(r"[\d.]+ ± [\d.e-]+", table[2][2])
    assert table[2][4:] == ["100", "100 test", "-"]
    assert out.splitlines()[3:] == [
        "",
        "data: digits; samples: seeds from 0, images rounded to 8 bits",
        "floor: the same score of real rows in place of the samples",
        "features: blocks, sha256 bbbbbbbbbbbb…",
        "features of the real data: computed",
        "runs/scores/noise/scores.json",
        "runs/scores/noise/neighbours.png",
    ]
    contents = json.loads((workplace / "runs" / "scores" / "noise" / "scores.json").read_text())
    assert f"{contents['scores'][0]['value']:.4g}" == table[1][2]
    assert contents["seconds"].keys() == {"real_data", "sampling", "features", "scores", "neighbours"}
    with Image.open(workplace / "runs" / "scores" / "noise" / "neighbours.png") as image:
        assert image.size == (7 * 66 + 2, 8 * 66 + 2)

    assert run(f"{line} --out again") == 0
    assert "features of the real data: cached\nagain/scores.json\nagain/neighbours.png\n" in capsys.readouterr().out


def test_evaluate_a_mixture_needs_no_features_and_has_no_neighbours(run, workplace, capsys):
    saved_models.save(
        workplace / "toy" / "1", lambda seed, label: 2 * tf.one_hot(tf.cast(seed, tf.int32) % 2, 2, dtype=tf.float32)
    )
    saved_models.write_card(workplace / "toy", data_shape=[2])
    assert run("evaluate toy --data ring --samples 100 --card") == 0
    out = capsys.readouterr().out
    assert re.split(" {2,}", out.splitlines()[1]) == ["modes", "higher", "2", "8", "100", "100 test", "-"]
    assert out.endswith(
        f"seeds from 0, not rounded\nfloor: the same score of real rows in place of the samples\n"
        f"runs/scores/toy/scores.json\n{workplace / 'toy' / 'card.json'}\n"
    )
    scores = load(workplace / "toy").card["scores"]
    assert [score["score"] for score in scores] == [
        "classifier score",
        "modes",
        "reverse KL (nats)",
        "high-quality share",
    ]
    assert scores[1]["command"] == "zoo evaluate toy --data=ring --samples=100"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("toy-digit --data digits", "Unknown pretrained model: 'toy-digit'. Did you mean toy-digits?"),
        (
            "folder:nowhere --data digits",
            "folder:PATH needs a folder of images. Received: nowhere, which is not a folder",
        ),
        ("folder:x --data digits --card", "--card goes with a model. Received: folder:x"),
        ("nowhere.npz --data digits", "nowhere.npz: cannot be read as an .npz: No such file"),
        ("bare --data digits --scores test_errors", "test_errors are of models that classify. Received: bare"),
        ("toy-digits --data digit", "Unknown dataset: 'digit'. Did you mean digits"),
        (
            "toy-digits --data digits",
            "a model and its data should have one shape. Received: [4, 4, 1] of toy-digits and [16, 16, 1] of dataset",
        ),
        ("bare --data digits", "the samples should be [1, 16, 16, 1], 1 of the shape of dataset 'digits'. "),
        ("bare --data digits --samples 10000001", "`samples` must be at most 10,000,000. Received: samples=10,000,001"),
        ("bare --data digits --scores modes", "Unknown score: 'modes'. "),
        ("bare --data digits --samples 0", "`samples` must be a positive integer."),
        ("toy-digits --data digits --inception a.pb", "--inception goes with --features inception. Received: "),
        ("bare --data digits --card", "{}/bare: has no card.json for --card to write to."),
    ],
)
def test_evaluate_errors_are_one_line_with_nothing_written(run, arguments, message, blocks, workplace, capsys):
    saved_models.save(workplace / "bare")
    assert run(f"evaluate {arguments}") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"zoo: {message.format(workplace)}")
    assert err.count("\n") == 1
    assert os.listdir() == ["bare"]


def test_a_score_that_is_named_twice_is_taken_and_told_once(run, blocks, workplace, capsys):
    saved_models.save(workplace / "noise", lambda seed, label: saved_models.uniform(seed, label, (16, 16, 1)))
    twice = "precision_recall,inception_score,precision_recall"
    assert run(f"evaluate noise --data digits --samples 50 --scores {twice}") == 0
    shown = [line.split("  ")[0] for line in capsys.readouterr().out.split("\n\n")[0].splitlines()]
    contents = json.loads((workplace / "runs" / "scores" / "noise" / "scores.json").read_text())
    assert shown == ["SCORE", *(record["score"] for record in contents["scores"])]
    assert len(set(shown)) == len(shown) == 6


def test_scores_of_something_else_are_left_where_they_are(run, workplace, capsys):
    for folder, shift in (("a", 0.0), ("b", 1.0)):
        saved_models.save(
            workplace / folder / "toy",
            lambda seed, label, shift=shift: tf.fill([tf.size(seed), 2], shift),
        )
    line = "evaluate {} --data ring --samples 50"
    assert run(line.format("a/toy")) == run(line.format("b/toy")) == run(line.format("a/toy")) == 0
    assert sorted(os.listdir(workplace / "runs" / "scores")) == ["toy", "toy.1"]
    assert run(f"{line.format('b/toy')} --out runs/scores/toy") == 2
    err = capsys.readouterr().err
    assert err == (
        "zoo: runs/scores/toy/scores.json holds other scores than those of toy on ring, and is not overwritten: "
        "name another --out\n"
    )


class TestSamplesOfAnyGenerator:
    LINE = "--data digits --scores precision_recall,ms_ssim_diversity"

    def images(self, folder, channels=1):
        folder.mkdir()
        rows = DIGITS.test.images
        for number, image in enumerate(rows):
            Image.fromarray(image[..., 0]).convert("L" if channels == 1 else "RGB").save(folder / f"{number:03}.png")
        return rows

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_folder_of_images(self, run, blocks, workplace, channels, capsys):
        self.images(workplace / "theirs", channels)
        assert run(f"evaluate folder:theirs {self.LINE}") == 0
        table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
        assert table[1][4:6] == ["180", "180 test"]
        assert table[1][2] == table[1][3]  # the test images are their own floor
        contents = json.loads((workplace / "runs" / "scores" / "theirs" / "scores.json").read_text())
        assert contents["artefact"].keys() == {"name", "version", "files"}
        assert contents["labels"] is None
        assert contents["scores"][0]["n_fake"] == 180

    @pytest.mark.parametrize("kind", [np.uint8, np.float32])
    def test_an_npz(self, run, blocks, workplace, kind, capsys):
        rows = DIGITS.test.images if kind == np.uint8 else DIGITS.test.images / np.float32(255)
        np.savez(workplace / "theirs.npz", samples=rows, seeds=np.arange(180))
        assert run(f"evaluate theirs.npz {self.LINE} --samples 100") == 0
        table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
        assert table[1][2:6] == [table[1][3], table[1][3], "100", "100 test"]

    def test_beside_a_model(self, run, blocks, workplace, capsys):
        saved_models.save(workplace / "noise", lambda seed, label: saved_models.uniform(seed, label, (16, 16, 1)))
        np.savez(workplace / "theirs.npz", samples=DIGITS.test.images)
        assert run("compare theirs.npz noise --data digits --scores precision_recall") == 0
        table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
        assert table[0][2:5] == ["theirs.npz", "noise", "FLOOR"]
        assert float(table[1][2]) > 0.5 > float(table[1][3])
        assert any(row[-1].startswith("- (theirs.npz has no signature discriminate") for row in table)

    @pytest.mark.parametrize(
        ("arrays", "flags", "message"),
        [
            ({"samples": np.zeros((20, 8, 8, 1))}, "", "expected samples of shape [16, 16, 1]. Received: [8, 8, 1]"),
            ({"images": np.zeros((20, 16, 16, 1))}, "", "expected an array 'samples'. Received: images"),
            ({"samples": np.array(["a"])}, "", "expected samples [n, ...] of numbers. Received: <U1 [1]"),
            ({"samples": np.zeros((20, 16, 16, 1))}, "--samples 21", "holds 20 samples. Received: 21 to be scored"),
            ({"samples": np.array([None])}, "", "cannot be read as an .npz: Object arrays cannot be loaded"),
        ],
    )
    def test_what_cannot_be_scored(self, run, blocks, workplace, arrays, flags, message, capsys):
        np.savez(workplace / "theirs.npz", **arrays)
        assert run(f"evaluate theirs.npz {self.LINE} {flags}") == 2
        err = capsys.readouterr().err
        assert err.startswith("zoo: theirs.npz")
        assert message in err
        assert err.count("\n") == 1
        assert os.listdir() == ["theirs.npz"]

    def test_samples_out_of_range(self, run, blocks, workplace, capsys):
        np.savez(workplace / "theirs.npz", samples=np.full((20, 16, 16, 1), 255.0))
        assert run(f"evaluate theirs.npz {self.LINE}") == 2
        assert "`samples` should lie in [0, 1]" in capsys.readouterr().err


class TestTestErrors:
    @pytest.fixture
    def classifier(self, workplace):
        """Takes an image for the class of its brightest pixel in the first row, if it is one of the first ten."""
        module = tf.Module()
        module.one = tf.Variable(1.0)
        module.classify = tf.function(
            lambda image: {"probabilities": tf.nn.softmax(image[:, 0, :10, 0] * module.one)},
            input_signature=[tf.TensorSpec([None, 16, 16, 1], name="image")],
        )
        module.sample = tf.function(
            lambda seed, label: {
                "samples": saved_models.uniform(seed, label, (16, 16, 1)) * module.one,
            },
            input_signature=saved_models.SAMPLING,
        )
        return module

    def wrong(self):
        return int((DIGITS.test.images[:, 0, :10, 0].argmax(axis=1) != DIGITS.test.labels).sum())

    def test_of_a_semi_supervised_model_stand_beside_its_scores(self, run, blocks, classifier, workplace, capsys):
        signatures = {"serving_default": classifier.sample, "classify": classifier.classify}
        tf.saved_model.save(classifier, str(workplace / "toy" / "1"), signatures=signatures)
        saved_models.write_card(workplace / "toy", data_shape=[16, 16, 1])
        assert run("evaluate toy --data digits --samples 50 --scores precision_recall,test_errors --card") == 0
        table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
        assert table[5] == ["test errors", "lower", str(self.wrong()), "-", "-", "-", "180 test"]
        record = load(workplace / "toy").card["scores"][-1]
        assert (record["value"], record["n_real"], record["reference"]) == (self.wrong(), 180, "digits test")

    def test_are_all_that_a_classifier_has(self, run, blocks, classifier, workplace, capsys):
        signatures = {"serving_default": classifier.classify, "classify": classifier.classify}
        tf.saved_model.save(classifier, str(workplace / "toy"), signatures=signatures)
        assert run("evaluate toy --data digits") == 0
        table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
        assert table[1][:3] == ["test errors", "lower", str(self.wrong())]
        assert os.listdir(workplace / "runs" / "scores" / "toy") == ["scores.json"]
