"""`zoo compare`: scores side by side, and battles."""

import os
import re

import pytest
import tensorflow as tf
from scored import save_fighter


def test_compare(run, blocks, workplace, capsys):
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
def test_compare_takes_two_models(run, models, capsys):
    assert run(f"compare {models} --data digits") == 2
    assert capsys.readouterr().err == f"zoo: zoo compare takes two or more different models. Received: {models}\n"
