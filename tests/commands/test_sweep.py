"""`zoo sweep`: its table, and command lines that it refuses."""

import json

from zoo.commands import sweep
from zoo.recipe import many

RECORDS = [
    {"values": {"rate": rate, "seed": seed}, "scores": {"distance": float(rate) * int(seed)}}
    for rate in ("1", "10")
    for seed in ("1", "3")
]


def test_the_table_has_a_row_for_each_setting_with_the_spread_over_the_seeds(run, monkeypatch, capsys, workplace):
    monkeypatch.setattr(many, "run_all", lambda plan, root, jobs: (root.mkdir(parents=True), RECORDS)[1])
    assert run("sweep --jobs 2 toy_digits --seed 1,3 --rate 1,10") == 0
    assert capsys.readouterr().out == "\nRATE  RUNS  distance\n1     2     2 ± 1.4\n10    2     20 ± 14\n"
    summary = json.loads((workplace / "runs/toy_digits-sweep/summary.json").read_text())
    assert [group["settings"] for group in summary] == [{"rate": "1"}, {"rate": "10"}]


def test_a_single_seed_has_no_deviation():
    assert sweep.spread({"mean": 7.5, "std": None}) == "7.5"


def test_command_lines_that_are_refused(run, capsys):
    assert run("sweep toy_digits --steps 3") == 2
    assert "A sweep takes a flag of several values" in capsys.readouterr().err
    assert run("sweep toy_digits --seed 0-1 --workdir here") == 2
    assert "takes --workdir and --jobs before the recipe" in capsys.readouterr().err
    assert run("train --all list.txt toy_digits") == 2
    assert "--all takes its recipes from the list. Received: toy_digits as well" in capsys.readouterr().err
    assert run("train --all list.txt") == 2
    assert "list.txt: cannot be read: No such file" in capsys.readouterr().err
