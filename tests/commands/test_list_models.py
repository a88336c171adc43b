"""`zoo list`"""

import re

import saved_models

import zoo.files


def test_list(run, capsys):
    assert run("list") == 0
    assert [re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines()] == [
        ["MODEL", "CLASS", "DATASET", "PARAMETERS", "SCORES"],
        ["toy-digits", "DCGAN", "digits", "1,234", "classifier score 7.5"],
        [""],
        ["RECIPE", "WHAT IT TRAINS"],
        ["toy_digits", "A recipe that shows what it was given."],
    ]


def test_list_shows_the_first_scores_of_a_card_rounded(run, capsys, installation, monkeypatch, tmp_path_factory):
    artefact = tmp_path_factory.mktemp("catalogue") / "pretrained" / "scored"
    saved_models.save(artefact / "1")
    values = {"FID": 12.3456, "reverse KL (nats)": "inf", "precision": 0.5, "recall": 0.25}
    saved_models.write_card(artefact, scores=[{"score": name, "value": value} for name, value in values.items()])
    monkeypatch.setattr(zoo.files, "PACKAGE", artefact.parent.parent / "zoo")
    assert run("list") == 0
    assert re.split(" {2,}", capsys.readouterr().out.splitlines()[1])[-1] == "FID 12.3, reverse KL (nats) inf, 2 more"
