"""What `pip install .` installs: the package with its recipes and trained models, usable without the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "zoo", "recipes", "pretrained")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed zoo alone. setuptools builds inside the source tree, so it gets a copy."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    # Neither dependencies nor an environment of its own to build in: both would need a network.
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", site, source]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return site


def run(site, folder, *arguments):
    """Runs the installed `zoo` in an empty folder and returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "zoo.commands.main", *arguments]
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def files(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }


def test_everything_is_inside_the_package(site):
    for name in ("recipes", "pretrained"):
        assert files(site / "zoo" / name) == files(ROOT / name)
    assert files(ROOT / "zoo") <= files(site / "zoo")
    folders = {path.name for path in site.iterdir() if path.is_dir() and path.suffix != ".dist-info"}
    assert folders == {"zoo", "bin"}
    assert any(name.endswith("LICENSE") for name in files(site))


def test_a_trained_model_and_a_recipe_are_found_from_anywhere(site, tmp_path):
    run(site, tmp_path, "sample", "dcgan-fashion_mnist", "--seeds", "0-3", "--out", "grid.png")
    assert files(tmp_path) == {"grid.png"}
    assert str(site) in run(site, tmp_path, "show", "dcgan-fashion_mnist")
    assert "--batch_size" in run(site, tmp_path, "train", "dcgan_digits", "--help")
