"""The notebooks run from top to bottom, and are kept as they are before they run."""

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LIMIT = 300  # seconds for one cell


def read(path):
    return nbformat.read(path, as_version=4)


def code(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["sample", "scores", "train"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    notebook = read(path)
    for cell in notebook.cells:  # a program that fails stops no notebook by itself
        if cell.cell_type == "code":
            cell.source = re.sub(r"^!.*$", r"\g<0>\nassert _exit_code == 0", cell.source, flags=re.MULTILINE)
    NotebookClient(notebook, timeout=LIMIT, resources={"metadata": {"path": str(tmp_path)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_holds_no_output(path):
    nbformat.validate(read(path))
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_cell_installs_the_zoo_where_it_is_missing(path):
    first = code(path)[0].source
    assert "%pip install --quiet {SOURCE}" in first
    assert 'SOURCE = "gan-zoo"' in first


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_readme_links_to_it(path):
    assert f"](docs/notebooks/{path.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
