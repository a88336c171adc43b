"""`zoo new`: a recipe that runs, on other data, and is never written over."""

import ast
import os
import runpy

import pytest

from zoo.commands.main import main
from zoo.commands.new import recipe_of
from zoo.errors import InputError
from zoo.recipe.catalogue import recipes

ZOO = recipes()


@pytest.fixture(autouse=True)
def recipes_of_the_zoo(monkeypatch):
    monkeypatch.setattr("zoo.commands.new.recipes", lambda: ZOO)


@pytest.mark.parametrize("paper", ["dcgan", "wgan_gp", "unrolled_gan", "ali", "affgan", "semi_supervised_gan"])
def test_a_recipe_is_copied_with_other_data(paper, tmp_path):
    path = tmp_path / "mine.py"
    source = recipe_of(paper, 'folder:a "photo"', path)
    tree = ast.parse(source)
    assert f"from the zoo's {paper}_fashion_mnist" in ast.get_docstring(tree)
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    defaults = {key.arg: value for key, value in zip(main.args.kwonlyargs, main.args.kw_defaults, strict=True)}
    assert ast.literal_eval(defaults["data"]) == 'folder:a "photo"'
    assert source.endswith('if __name__ == "__main__":\n    recipe.run(main)\n')


@pytest.mark.parametrize(
    ("paper", "dataset", "origin"),
    [
        ("gan", "digits", "gan_mnist"),
        ("gan", "grid", "gan_grid"),
        ("wgan", "ring", "wgan_swiss_roll"),
        ("ali", "swiss_roll", "ali_grid"),
        ("dcgan", "ring", "dcgan_fashion_mnist"),
    ],
)
def test_points_come_from_a_recipe_of_points_and_images_from_one_of_images(paper, dataset, origin, tmp_path):
    assert f"from the zoo's {origin}." in recipe_of(paper, dataset, tmp_path / "mine.py")


def test_the_command_writes_a_recipe_that_the_zoo_can_run(run, capsys):
    assert run("new dcgan folder:my-photos") == 0
    assert capsys.readouterr().out == "dcgan_my_photos.py: change it, then run `zoo train ./dcgan_my_photos.py`\n"
    assert os.listdir() == ["dcgan_my_photos.py"]
    assert run("train ./dcgan_my_photos.py --help") == 0
    assert "--data=folder:my-photos" in capsys.readouterr().out
    assert run("new dcgan folder:my-photos") == 2
    assert "dcgan_my_photos.py is there already." in capsys.readouterr().err


def test_a_folder_whose_name_is_no_utf8_is_read_again():
    name = os.fsdecode(b'folder:caf\xe9 "\\n')
    assert main(["new", "dcgan", name]) == 0
    (script,) = os.listdir()
    assert runpy.run_path(script)["main"].__kwdefaults__["data"] == name


@pytest.mark.parametrize("dataset", ["", f"folder:{'n' * 300}"])
def test_a_dataset_that_names_no_file_is_refused(dataset, capsys):
    assert main(["new", "dcgan", dataset]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert os.listdir() == []


def test_an_unknown_paper_is_refused(tmp_path):
    with pytest.raises(InputError, match="Did you mean dcgan"):
        recipe_of("dcgn", "mnist", tmp_path / "mine.py")
