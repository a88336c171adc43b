"""What an evaluation writes to a folder and to a card."""

import json

import pytest
import saved_models
from scored import save_fighter

from zoo import evaluation
from zoo.artefacts.catalogue import load


class TestFiles:
    def report(self, **changes):
        record = {"score": "s", "function": "f", "value": 1.5, "features": None, "reference": "digits train"}
        return evaluation.Report([record | changes], {"dataset": "digits", "seconds": {"scores": 1.0}})

    def test_json_states_the_artefact(self, tmp_path):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        (path,) = evaluation.write(tmp_path / "a" / "b", model, self.report(value=float("inf")), None)
        contents = json.loads(path.read_text(), parse_constant=pytest.fail)
        assert contents["artefact"] == {"name": "toy", "version": 1, "files": model.card["files"]}
        assert contents["peak_memory_mib"] > 50
        assert contents["scores"][0]["value"] == "inf"
        assert contents["dataset"] == "digits"

    @pytest.mark.parametrize(("path", "version"), [("model", None), ("model/7", 7)])
    def test_artefact_without_a_card(self, tmp_path, path, version):
        saved_models.save(tmp_path / path)
        found = evaluation.artefact(load(tmp_path / path))
        assert (found["name"], found["version"]) == ("model", version)
        assert list(found["files"]) == ["saved_model.pb"]

    def test_card_keeps_other_scores_and_replaces_the_same(self, tmp_path):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        evaluation.add_to_card(model, self.report(), "zoo evaluate toy")
        evaluation.add_to_card(model, self.report(value=2.5, seconds=3), "zoo evaluate toy --samples=5")
        scores = load(tmp_path / "toy").card["scores"]
        assert [score["score"] for score in scores] == ["classifier score", "s"]
        assert scores[1] == {
            "score": "s",
            "value": 2.5,
            "features": None,
            "reference": "digits train",
            "command": "zoo evaluate toy --samples=5",
        }
