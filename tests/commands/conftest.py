"""An installation of one model and one recipe, an empty current folder, and `zoo` to run there."""

import sys

import pytest
import saved_models
from scored import Blocks

import zoo.files
from zoo.commands.main import main
from zoo.features import choice

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


@pytest.fixture
def run():
    """Runs `zoo` on a line of arguments and returns its exit status."""
    return lambda line: main(line.split())


@pytest.fixture
def blocks(monkeypatch):
    """Classifiers of the means of blocks, one for every dataset."""
    monkeypatch.setattr(choice, "ClassifierFeatures", lambda dataset: Blocks())
