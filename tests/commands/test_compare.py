"""`zoo compare`: scores side by side, battles, and curves."""

import json
import os
import re
import shutil

import pytest
import tensorflow as tf
from PIL import Image
from scored import save_fighter

from zoo.files import write_json


def test_compare(run, blocks, workplace, capsys):
    save_fighter(workplace / "sharp", 0.0, lambda mean: 0.3 - tf.abs(mean - 0.3), decision_boundary=0.0)
    save_fighter(workplace / "blind", 1.0, tf.ones_like, decision_boundary=0.0)
    save_fighter(workplace / "critic", 1.0, tf.ones_like, decision_boundary=None)
    assert run("compare sharp blind critic --data digits --samples 50 --scores frechet_distance") == 0
    table = [re.split(" {2,}", row) for row in capsys.readouterr().out.splitlines()]
    assert table[0][2:6] == ["sharp", "blind", "critic", "FLOOR"]
    sharp, blind, critic, floor = map(float, table[1][2:6])
    assert floor < sharp < blind == critic
    assert table[-6:-2] == [
        ["BATTLE (GAM)", "R_TEST", "R_SAMPLE", "95 % INTERVAL", "WINNER"],
        ["sharp - blind", "1.000", "0.000", "0.000 to 0.000", "sharp"],
        ["sharp - critic", "-", "-", "-", "- (critic has no decision_boundary in its card, as a critic has none)"],
        ["blind - critic", "-", "-", "-", "- (critic has no decision_boundary in its card, as a critic has none)"],
    ]
    differences = [row for row in table if row[0] == "Fréchet block distance"][1:]
    assert [(row[1], row[-1]) for row in differences] == [
        ("sharp - blind", "sharp"),
        ("sharp - critic", "sharp"),
        ("blind - critic", "no difference"),
    ]
    assert sorted(os.listdir()) == ["blind", "critic", "sharp"]


def test_untrained_models_draw_no_winner(run, blocks, workplace, capsys):
    """One judge takes all of the other's samples for real, the other nearly all; a third fails on test images."""
    save_fighter(workplace / "one", 0.2, lambda mean: 0.5 - mean, decision_boundary=0.0)
    save_fighter(workplace / "other", 0.3, lambda mean: 0.6 - mean, decision_boundary=0.0)
    save_fighter(workplace / "hostile", 0.3, lambda mean: mean - 0.9, decision_boundary=0.0)
    assert run("compare one other hostile --data digits --samples 50 --scores frechet_distance") == 0
    battles = {row[0]: row[1:] for row in (re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines())}
    assert battles["one - other"] == ["1.000", "1.000", "1.000 to 1.000", "no difference"]
    assert battles["one - hostile"][-1].startswith("- (R_TEST is not within 0.1 of 1")


def workdir(path, seed):
    """What a run leaves: its settings, losses, scores and an exported model."""
    save_fighter(path / "gan-digits", 0.1 * seed, tf.ones_like, decision_boundary=0.0)
    write_json(path / "settings.json", {"data": "digits", "seed": seed})
    rows = {
        "metrics.jsonl": [{"step": step, "generator_loss": seed + step} for step in (10, 20)],
        "scores.jsonl": [{"step": step, "frechet_distance": 5.0 - seed} for step in (10, 20)],
    }
    for name, lines in rows.items():
        (path / name).write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 3')


def test_the_curves_of_runs_share_a_picture(run, workplace, capsys):
    for seed in (0, 1):
        workdir(workplace / f"run{seed}", seed)
    assert run("compare run0 run1 --out both.png") == 0
    assert capsys.readouterr().out.splitlines() == [
        "RUN   step  frechet_distance",
        "run0  20    5",
        "run1  20    4",
        "both.png: the curves of run0, run1",
    ]
    with Image.open("both.png") as picture:
        assert picture.size == (900, 300)
    assert sorted(os.listdir()) == ["both.png", "run0", "run1"]


def test_a_run_is_scored_by_the_model_that_it_exported(run, blocks, workplace, capsys):
    for seed in (0, 1):
        workdir(workplace / f"run{seed}", seed)
    assert run("compare run0 run1 --data digits --samples 50 --scores frechet_distance") == 0
    out = capsys.readouterr().out
    assert out.startswith("RUN")
    assert re.search(r"block distance +run0 - run1 .* run1\n", out)
    shutil.rmtree("run1/gan-digits")
    (workplace / "run1" / "checkpoints").mkdir()
    assert run("compare run0 run1 --data digits") == 2
    assert "no SavedModel here" in (error := capsys.readouterr().err)
    assert error.endswith("`zoo export` writes one of a checkpoint.\n")


def test_runs_that_were_not_scored(run, workplace, capsys):
    for seed in (0, 1):
        workdir(workplace / f"run{seed}", seed)
        (workplace / f"run{seed}" / "scores.jsonl").unlink()
    assert run("compare run0 run1") == 0
    assert capsys.readouterr().out == "curves.png: the curves of run0, run1\n"


def test_what_has_no_curves(run, workplace, capsys):
    workdir(workplace / "run", 0)
    assert run("compare run toy-digits") == 2
    assert (
        capsys.readouterr().err
        == "zoo: Scores need --data; without it zoo compare draws workdirs of runs. Received: toy-digits\n"
    )
    for path in workplace.glob("run/*.jsonl"):
        path.unlink()
    workdir(workplace / "other", 0)
    assert run("compare run other") == 2
    assert capsys.readouterr().err == "zoo: run: the run has logged nothing yet.\n"
    assert run("compare run other --out curves.gif") == 2
    assert capsys.readouterr().err == "zoo: curves.gif: should end in .png.\n"
    assert sorted(os.listdir()) == ["other", "run"]


@pytest.mark.parametrize("models", ["one", "one one"])
def test_compare_takes_two_models(run, models, capsys):
    assert run(f"compare {models} --data digits") == 2
    assert capsys.readouterr().err == f"zoo: zoo compare takes two or more different models. Received: {models}\n"
