"""`zoo train`: the recipe sees the command line that it would see as a script."""

import pytest


def test_train_runs_the_recipe_as_a_script_with_its_flags(run, capsys):
    assert run("train toy_digits --steps 3 --help") == 0
    assert capsys.readouterr().out == "__main__ ['--steps', '3', '--help']\n"


def test_train_passes_on_how_a_recipe_ends(run, capsys):
    assert run("train toy_digits --bad") == 2
    assert capsys.readouterr().err == "zoo: Bad flag.\n"
    with pytest.raises(SystemExit) as end:
        run("train toy_digits --exit")
    assert end.value.code == 7


def test_train_without_a_known_recipe(run, capsys):
    assert run("train") == 0
    assert "toy_digits  A recipe that shows what it was given." in capsys.readouterr().out
    assert run("train toy_digit") == 2
    assert capsys.readouterr().err == "zoo: Unknown recipe: 'toy_digit'. Did you mean toy_digits?\n"
