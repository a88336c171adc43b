"""What an evaluation writes to a folder and to a card."""

import json

import pytest
import saved_models
from scored import save_fighter

from zoo import evaluation
from zoo.artefacts.catalogue import load
from zoo.errors import InputError


class TestFiles:
    def report(self, **changes):
        record = {"score": "s", "function": "f", "value": 1.5, "features": None, "reference": "digits train"}
        record["n_fake"] = 100
        return evaluation.Report([record | changes], {"dataset": "digits", "seconds": {"scores": 1.0}})

    def test_json_states_the_artefact(self, tmp_path):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        (path,) = evaluation.write(tmp_path / "a" / "b", model, self.report(value=float("inf")), None)
        contents = json.loads(path.read_text(), parse_constant=pytest.fail)
        assert contents["artefact"].items() >= {"name": "toy", "version": 1, "files": model.card["files"]}.items()
        assert contents["artefact"]["parameters"] == model.card["parameters"]
        assert contents["artefact"]["command"] == "zoo train dcgan_digits"
        assert contents["labels"] is None
        assert contents["packages"].keys() == {"gan-zoo", "tensorflow", "numpy", "scipy"}
        assert contents["peak_memory_mib"] > 50
        assert [score["value"] for score in contents["scores"]] == [model.card["scores"][0]["value"], "inf"]
        assert contents["dataset"] == "digits"

    def test_of_the_card_only_what_the_recipe_measured_is_repeated(self, tmp_path):
        save_fighter(tmp_path / "toy", 0.5, None)
        evaluation.add_to_card(load(tmp_path / "toy"), self.report(), "zoo evaluate toy")
        (path,) = evaluation.write(tmp_path / "out", load(tmp_path / "toy"), self.report(value=2.5), None)
        found = [(score["score"], score["value"]) for score in json.loads(path.read_text())["scores"]]
        assert found == [("classifier score", 7.5), ("s", 2.5)]

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"num_classes": None}, None),
            ({"num_classes": 10, "conditional": False}, None),
            (
                {"num_classes": 10, "conditional": True, "label_counts": [1] * 10},
                "label -1: drawn by the seed, each class in its share of label_counts",
            ),
            ({"num_classes": 10}, "label -1: drawn by the seed, as the graph has it"),
        ],
    )
    def test_label_prior(self, tmp_path, facts, expected):
        model = save_fighter(tmp_path / "toy", 0.5, None, **facts)
        evaluation.write(tmp_path / "out", model, self.report(), None)
        contents = json.loads((tmp_path / "out" / "scores.json").read_text())
        assert contents["labels"] == expected
        assert contents["artefact"].get("label_counts") == facts.get("label_counts")
        evaluation.add_to_card(model, self.report(), "zoo evaluate toy")
        assert load(tmp_path / "toy").card["scores"][-1]["labels"] == expected

    def test_no_other_scores_are_overwritten(self, tmp_path):
        first, other = (save_fighter(tmp_path / name / "toy", shade, None) for name, shade in (("a", 0.5), ("b", 0.25)))
        out = tmp_path / "runs" / "toy"
        assert evaluation.place(out, first, "digits") == out
        evaluation.write(out, first, self.report(), None)
        assert evaluation.place(out, first, "digits") == out
        assert evaluation.place(out, other, "digits") == tmp_path / "runs" / "toy.1"
        assert evaluation.place(out, first, "mnist") == tmp_path / "runs" / "toy.1"
        with pytest.raises(InputError, match=r"scores.json holds other scores than those of toy on digits, and is not"):
            evaluation.require_free(out, other, "digits")
        evaluation.require_free(out, first, "digits")

    @pytest.mark.parametrize("contents", ["", "[]", "{}", '{"artefact": 3}'])
    def test_a_file_that_is_not_of_scores_is_not_overwritten(self, tmp_path, contents):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        (tmp_path / "scores.json").write_text(contents)
        with pytest.raises(InputError, match="is not overwritten"):
            evaluation.require_free(tmp_path, model, "digits")

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
            "function": "f",
            "value": 2.5,
            "features": None,
            "reference": "digits train",
            "n_fake": 100,
            "labels": None,
            "command": "zoo evaluate toy --samples=5",
        }
