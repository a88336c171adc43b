"""Battles: who wins, and who cannot fight."""

import itertools

import tensorflow as tf
from scored import DIGITS, save_fighter

from zoo import evaluation


class TestBattles:
    def test_a_sharp_discriminator_beats_a_blind_one(self, tmp_path):
        # Digits have a mean of 0.1 to 0.5. One score is shifted, and so is its boundary.
        sharp = save_fighter(tmp_path / "sharp", 0.0, lambda mean: 3.3 - tf.abs(mean - 0.3), decision_boundary=3.0)
        blind = save_fighter(tmp_path / "blind", 1.0, tf.ones_like, decision_boundary=0.0)
        (battle,) = evaluation.battles({"sharp": sharp, "blind": blind}, DIGITS)
        assert battle[:2] == ("sharp", "blind")
        assert battle.result == {"r_test": 1.0, "r_sample": 0.0, "r_sample_interval": (0.0, 0.0), "winner": "first"}
        (battle,) = evaluation.battles({"blind": blind, "sharp": sharp}, DIGITS)
        assert battle.result["winner"] == "second"

    def test_a_model_of_classes_that_judges_without_labels_fights(self, tmp_path):
        classes = {"num_classes": 10, "conditional": False}
        first = save_fighter(tmp_path / "first", 0.0, tf.ones_like, decision_boundary=0.0, **classes)
        second = save_fighter(tmp_path / "second", 0.0, tf.ones_like, decision_boundary=0.0)
        (battle,) = evaluation.battles({"first": first, "second": second}, DIGITS)
        assert battle.reason == ""
        assert battle.result is not None

    def test_who_cannot_fight(self, tmp_path):
        models = {
            "one": save_fighter(tmp_path / "one", 0.0, tf.ones_like, decision_boundary=0.0),
            "critic": save_fighter(tmp_path / "critic", 0.0, tf.ones_like, decision_boundary=None),
            "sampler": save_fighter(tmp_path / "sampler", 0.0, None, decision_boundary=0.0),
            "labelled": save_fighter(tmp_path / "labelled", 0.0, tf.ones_like, decision_boundary=0.0, num_classes=10),
        }
        found = evaluation.battles(models, DIGITS)
        assert [(battle.first, battle.second) for battle in found] == list(itertools.combinations(models, 2))
        assert [battle.result for battle in found] == [None] * 6
        assert [battle.reason for battle in found[:3]] == [
            "critic has no decision_boundary in its card, as a critic has none",
            "sampler has no signature discriminate(image, label) that returns score",
            "labelled judges an image by its label, which the other's samples lack",
        ]
