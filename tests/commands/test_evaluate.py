"""`zoo evaluate`: what it prints, what it writes, and how it fails."""

import json
import os
import re

import pytest
import saved_models
import tensorflow as tf
from PIL import Image

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
        "data: digits; samples: seeds from 0",
        "floor: the same score of real rows in the place of the samples",
        "features: blocks, sha256 bbbbbbbbbbbb…",
        "reference statistics: computed",
        "scores/noise/scores.json",
        "scores/noise/neighbours.png",
    ]
    contents = json.loads((workplace / "scores" / "noise" / "scores.json").read_text())
    assert f"{contents['scores'][0]['value']:.4g}" == table[1][2]
    assert contents["seconds"].keys() == {"reference", "sampling", "features", "scores", "neighbours"}
    with Image.open(workplace / "scores" / "noise" / "neighbours.png") as image:
        assert image.size == (7 * 66 + 2, 8 * 66 + 2)

    assert run(f"{line} --out again") == 0
    assert "reference statistics: cached\nagain/scores.json\nagain/neighbours.png\n" in capsys.readouterr().out


def test_evaluate_a_mixture_needs_no_features_and_has_no_neighbours(run, workplace, capsys):
    saved_models.save(
        workplace / "toy" / "1", lambda seed, label: 2 * tf.one_hot(tf.cast(seed, tf.int32) % 2, 2, dtype=tf.float32)
    )
    saved_models.write_card(workplace / "toy", data_shape=[2])
    assert run("evaluate toy --data ring --samples 100 --card") == 0
    out = capsys.readouterr().out
    assert re.split(" {2,}", out.splitlines()[1]) == ["modes", "higher", "2", "8", "100", "100 test", "-"]
    assert out.endswith(
        f"seeds from 0\nfloor: the same score of real rows in the place of the samples\n"
        f"scores/toy/scores.json\n{workplace / 'toy' / 'card.json'}\n"
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
        ("toy-digits --data digit", "Unknown dataset: 'digit'. Did you mean digits"),
        (
            "toy-digits --data digits",
            "a model and its data should have one shape. Received: [4, 4, 1] of toy-digits and [16, 16, 1] of dataset",
        ),
        ("bare --data digits", "the samples should be [1, 16, 16, 1], 1 of the shape of dataset 'digits'. "),
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
