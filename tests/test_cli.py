"""The `zoo` command: what it prints, what it writes, and how it fails."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import saved_models
import tensorflow as tf
from PIL import Image
from scored import Blocks, save_fighter

import zoo.files
from zoo import features
from zoo.artefacts.catalogue import load
from zoo.cli import main, parse_seeds
from zoo.errors import InputError

RECIPE = '''"""A recipe that shows what it was given.

More words.
"""
import sys
from zoo.errors import InputError
print(__name__, sys.argv[1:])
if "--bad" in sys.argv:
    raise InputError("Bad flag.")
if "--exit" in sys.argv:
    sys.exit(7)
'''


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A folder with a catalogue of one model, "toy-digits", and recipes/."""
    home = tmp_path_factory.mktemp("installation")
    artefact = home / "pretrained" / "toy-digits"
    saved_models.save(artefact / "1")
    saved_models.write_card(artefact)
    (home / "recipes").mkdir()
    (home / "recipes" / "toy_digits.py").write_text(RECIPE)
    (home / "recipes" / "__init__.py").touch()
    return home


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, installation):
    """An empty current folder."""
    monkeypatch.setattr(zoo.files, "PACKAGE", installation / "zoo")
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(line):
    return main(line.split())


def test_list(capsys):
    assert run("list") == 0
    assert [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines()] == [
        ["MODEL", "CLASS", "DATASET", "PARAMETERS", "SCORES"],
        ["toy-digits", "DCGAN", "digits", "1,234", "classifier score 7.5"],
        [""],
        ["RECIPE", "WHAT IT TRAINS"],
        ["toy_digits", "A recipe that shows what it was given."],
    ]


def test_list_shows_the_first_scores_of_a_card_rounded(capsys, installation, monkeypatch, tmp_path_factory):
    artefact = tmp_path_factory.mktemp("catalogue") / "pretrained" / "scored"
    saved_models.save(artefact / "1")
    values = {"FID": 12.3456, "reverse KL (nats)": "inf", "precision": 0.5, "recall": 0.25}
    saved_models.write_card(artefact, scores=[{"score": name, "value": value} for name, value in values.items()])
    monkeypatch.setattr(zoo.files, "PACKAGE", artefact.parent.parent / "zoo")
    assert run("list") == 0
    assert re.split(" {2,}", capsys.readouterr().out.splitlines()[1])[-1] == "FID 12.3, reverse KL (nats) inf, 2 more"


def test_show(capsys, installation):
    assert run("show toy-digits") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [f"path {installation / 'pretrained' / 'toy-digits' / '1'}", "name toy-digits"]
    assert "scores score classifier score, value 7.5, protocol 1,000 samples" in lines
    assert "parameters generator 1200, discriminator 34" in lines
    assert "data_shape 4, 4, 1" in lines
    assert "files 4, as hashed in the card" in lines
    assert lines[-2:] == [
        "SIGNATURE INPUTS OUTPUTS",
        "serving_default label int32 [n], seed int64 [n] samples float32 [n, 4, 4, 1]",
    ]


def test_show_a_saved_model_without_a_card(capsys, workplace):
    saved_models.save(workplace / "model")
    assert run("show model") == 0
    assert capsys.readouterr().out.split()[:3] == ["path", str(workplace / "model"), "SIGNATURE"]


def test_sample_writes_a_picture_and_arrays(capsys):
    assert run("sample toy-digits --seeds 0-2,40 --label 3 --out a.png --npz b.npz") == 0
    assert capsys.readouterr() == ("a.png: 4 samples\nb.npz: 4 samples\n", "")
    assert sorted(os.listdir()) == ["a.png", "b.npz"]
    with Image.open("a.png") as image:
        assert image.size == (2 * 64 + 6, 2 * 64 + 6)
    with np.load("b.npz") as arrays:
        assert arrays["seeds"].tolist() == [0, 1, 2, 40]
        assert arrays["labels"].tolist() == [3, 3, 3, 3]
        np.testing.assert_array_equal(arrays["samples"], load("toy-digits").sample([0, 1, 2, 40], 3))


@pytest.mark.parametrize(("flags", "written"), [("", "grid.png"), ("--npz only.npz", "only.npz")])
def test_sample_writes_grid_png_unless_told_otherwise(flags, written):
    assert run(f"sample toy-digits --seeds 5 {flags}") == 0
    assert os.listdir() == [written]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("toy-digit --seeds 0", "Unknown pretrained model: 'toy-digit'. Did you mean toy-digits?"),
        ("toy-digits --seeds 3-1", "--seeds should look like 0-63, or 1,5,9, or 0-7,42. Received: '3-1'"),
        ("toy-digits --seeds 0 --label 10", "`labels` should lie in [-1, 9]. Received: 10"),
        ("toy-digits --seeds 0 --out a.jpg", "a.jpg: should end in .png."),
        ("toy-digits --seeds 0 --npz a.png", "a.png: should end in .npz."),
        ("toy-digits --seeds 0 --out no/a.png", "no/a.png: its folder no does not exist or cannot be written."),
        ("toy-digits --seeds 0 --npz b.npz --out a.png/../no.png", "a.png/../no.png: its folder a.png/.. does not"),
    ],
)
def test_sample_errors_are_one_line_with_nothing_written(arguments, message, capsys):
    assert main(["sample", *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"zoo: {message}")
    assert err.count("\n") == 1
    assert os.listdir() == []


def test_vectors_that_cannot_be_drawn_can_be_saved(workplace, capsys):
    saved_models.save(workplace / "model", lambda seed, label: saved_models.uniform(seed, label, shape=(3,)))
    assert run("sample model --seeds 0-4 --npz a.npz --out a.png") == 2
    assert "Received: shape [5, 3]" in capsys.readouterr().err
    assert os.listdir() == ["model"]
    assert run("sample model --seeds 0-4 --npz a.npz") == 0
    with np.load("a.npz") as arrays:
        assert arrays["samples"].shape == (5, 3)


def test_trusted(workplace, capsys):
    def body(seed, label):
        tf.print("hello", output_stream="file://greeting")
        return saved_models.uniform(seed, label)

    saved_models.save(workplace / "model", body)
    assert run("sample model --seeds 0") == 2
    assert "PrintV2" in capsys.readouterr().err
    assert os.listdir() == ["model"]
    assert run("sample model --seeds 0 --trusted") == 0
    assert sorted(os.listdir()) == ["greeting", "grid.png", "model"]


def test_native_chatter_is_silenced(installation, workplace):
    command = [
        sys.executable,
        "-m",
        "zoo.cli",
        "sample",
        str(installation / "pretrained" / "toy-digits"),
        "--seeds=0-3",
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (finished.stdout, finished.stderr) == ("grid.png: 4 samples\n", "")


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-3", [0, 1, 2, 3]), ("1,5,9", [1, 5, 9]), ("0-1,42", [0, 1, 42]), ("7-7", [7])]
)
def test_seeds(text, seeds):
    assert parse_seeds(text).tolist() == seeds


@pytest.mark.parametrize("text", ["", "a", "1,", "1--2", "-1", "2-1", "1.5", "9" * 19])
def test_seeds_refused(text):
    with pytest.raises(InputError, match="--seeds should look like"):
        parse_seeds(text)


def test_train_runs_the_recipe_as_a_script_with_its_flags(capsys):
    assert run("train toy_digits --steps 3 --help") == 0
    assert capsys.readouterr().out == "__main__ ['--steps', '3', '--help']\n"


def test_train_passes_on_how_a_recipe_ends(capsys):
    assert run("train toy_digits --bad") == 2
    assert capsys.readouterr().err == "zoo: Bad flag.\n"
    with pytest.raises(SystemExit) as end:
        run("train toy_digits --exit")
    assert end.value.code == 7


def test_train_without_a_known_recipe(capsys):
    assert run("train") == 0
    assert "toy_digits  A recipe that shows what it was given." in capsys.readouterr().out
    assert run("train toy_digit") == 2
    assert capsys.readouterr().err == "zoo: Unknown recipe: 'toy_digit'. Did you mean toy_digits?\n"


@pytest.fixture
def blocks(monkeypatch):
    """Classifiers of means of blocks, one for every dataset."""
    monkeypatch.setattr(features, "ClassifierFeatures", lambda dataset: Blocks())


def test_evaluate_prints_a_table_and_writes_scores_and_neighbours(blocks, workplace, capsys):
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


def test_evaluate_a_mixture_needs_no_features_and_has_no_neighbours(workplace, capsys):
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
def test_evaluate_errors_are_one_line_with_nothing_written(arguments, message, blocks, workplace, capsys):
    saved_models.save(workplace / "bare")
    assert run(f"evaluate {arguments}") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"zoo: {message.format(workplace)}")
    assert err.count("\n") == 1
    assert os.listdir() == ["bare"]


def test_compare(blocks, workplace, capsys):
    save_fighter(workplace / "sharp", 0.0, lambda mean: 0.3 - tf.abs(mean - 0.3), decision_boundary=0.0)
    save_fighter(workplace / "blind", 1.0, tf.ones_like, decision_boundary=0.0)
    save_fighter(workplace / "critic", 1.0, tf.ones_like, decision_boundary=None)
    assert run("compare sharp blind critic --data digits --samples 50 --scores frechet_distance") == 0
    table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
    assert table[0][2:6] == ["sharp", "blind", "critic", "FLOOR"]
    sharp, blind, critic, floor = map(float, table[1][2:6])
    assert floor < sharp < blind == critic
    assert table[-4:] == [
        ["BATTLE (GAM)", "R_TEST", "R_SAMPLE", "WINNER"],
        ["sharp - blind", "1.000", "0.000", "sharp"],
        ["sharp - critic", "-", "-", "- (critic has no decision_boundary in its card, as a critic has none)"],
        ["blind - critic", "-", "-", "- (critic has no decision_boundary in its card, as a critic has none)"],
    ]
    assert sorted(os.listdir()) == ["blind", "critic", "sharp"]


@pytest.mark.parametrize("models", ["one", "one one"])
def test_compare_takes_two_models(models, capsys):
    assert run(f"compare {models} --data digits") == 2
    assert capsys.readouterr().err == f"zoo: zoo compare takes two or more different models. Received: {models}\n"


@pytest.mark.parametrize("command", ["list", "show", "sample", "evaluate", "compare", "train"])
def test_help_ends_in_an_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"example: zoo {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["sample", "toy-digits"], ["sample", "x", "--seeds=0", "--label=a"]]
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: zoo" in capsys.readouterr().err


def test_a_card_cannot_steer_the_terminal(capsys, workplace, installation):
    saved_models.save(workplace / "model" / "1")
    saved_models.write_card(workplace / "model", dataset="\x1b[2Jdigits")
    assert run("show model") == 0
    assert "\x1b" not in (shown := capsys.readouterr().out)
    assert "\\x1b[2Jdigits" in shown
