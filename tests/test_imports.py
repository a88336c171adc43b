"""Which module may import which: papers stand alone, leaves know no paper, scores know nothing."""

import ast
import graphlib
import importlib.util
import sys
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).parent
SERVERS = (
    "data/*.py",
    "metrics/*.py",
    "artefacts/*.py",
    "features/*.py",
    "sampling.py",
    "training/*.py",
    "model.py",
    "evaluation/*.py",
    "results/*.py",
    "recipe/*.py",
    "commands/*.py",
    "study/*.py",
    "console.py",
    "files.py",
    "machine.py",
)
IN_TABLES = {"study/creation.py", "serving/rest_transport.py"}
LEAVES = {"backend", "draws", "errors", "labels", "layers", "losses", "networks", "optimizers", "priors", "pyramid"}


def modules(*patterns):
    found = [sorted(ROOT.glob(pattern)) for pattern in patterns]
    assert all(found), f"one of {patterns} is no file"
    return [path.relative_to(ROOT) for paths in found for path in paths]


def leaf_modules(leaf):
    return modules(f"{leaf}/*.py" if (ROOT / leaf).is_dir() else f"{leaf}.py")


def imports(path):
    """The full names that a file of the zoo imports from the zoo, at its top or inside a function."""
    package = ".".join(["zoo", *path.parts[:-1]])
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names |= {f"{source}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "zoo"}


def test_every_form_of_import_is_seen(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.py").write_text(
        "import zoo.files\nimport os\nfrom zoo import losses\nfrom zoo.errors import InputError\nfrom . import two\n"
        "def f():\n    from ..data import load\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert imports(Path("models/one.py")) == {
        "zoo.files", "zoo.losses", "zoo.errors.InputError", "zoo.models.two", "zoo.data.load",
    }  # fmt: skip


def test_no_module_comes_back_to_itself():
    """Not by an import inside a function, nor by one for types alone."""
    files = {
        ".".join(["zoo", *path.with_suffix("").parts]).removesuffix(".__init__"): path for path in modules("**/*.py")
    }

    def module(name):
        while name not in files:
            name = name.rpartition(".")[0]
        return name

    # `zoo` itself imports a model when it is first named, so that whoever imports from it imports no model.
    graph = {name: {module(imported) for imported in imports(path)} - {name, "zoo"} for name, path in files.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("path", modules("models/*.py"), ids=str)
def test_a_paper_imports_leaves_the_base_class_and_names_of_signatures_alone(path):
    names = {name for name in imports(path) if not name.startswith("zoo.artefacts.signatures.")}
    assert {name.split(".")[1] for name in names} <= {*LEAVES, "model", "encoding_model", "classifying"}


@pytest.mark.parametrize("path", [path for leaf in sorted(LEAVES) for path in leaf_modules(leaf)], ids=str)
def test_a_leaf_imports_leaves_alone(path):
    assert {name.split(".")[1] for name in imports(path)} <= LEAVES


@pytest.mark.parametrize("path", modules(*SERVERS), ids=str)
def test_what_serves_every_paper_names_none(path):
    assert not {name for name in imports(path) if f"{name}.".startswith("zoo.models.")}


@pytest.mark.parametrize("path", modules("metrics/*.py"), ids=str)
def test_a_score_knows_arrays_alone(path):
    assert {name.split(".")[1] for name in imports(path)} <= {"metrics", "errors"}


@pytest.mark.parametrize("path", modules("features/*.py"), ids=str)
def test_an_extractor_knows_arrays_and_its_weights(path):
    assert {name.split(".")[1] for name in imports(path)} <= {"features", "artefacts", "metrics", "errors", "files"}


@pytest.mark.parametrize("path", modules("study/*.py"), ids=str)
def test_the_study_sees_artefacts_and_data_alone(path):
    allowed = {"study", "artefacts", "data", "errors", "files", "images", "labels"}
    assert {name.split(".")[1] for name in imports(path)} <= allowed


@pytest.mark.parametrize("path", modules("serving/*.py"), ids=str)
def test_a_server_sees_artefacts_alone(path):
    allowed = {"serving", "artefacts", "errors", "files", "labels", "sampling"}
    assert {name.split(".")[1] for name in imports(path)} <= allowed


@pytest.mark.parametrize("path", modules("results/*.py"), ids=str)
def test_results_know_artefacts_and_pictures_alone(path):
    assert {name.split(".")[1] for name in imports(path)} <= {"results", "artefacts", "images", "errors", "files"}


@pytest.mark.parametrize("path", modules("console.py", "files.py", "machine.py"), ids=str)
def test_what_touches_the_system_knows_errors_alone(path):
    assert {name.split(".")[1] for name in imports(path)} <= {"errors"}


@pytest.mark.parametrize("path", [path for path in modules("**/*.py") if path.parts[0] != "commands"], ids=str)
def test_nothing_imports_a_command(path):
    assert not {name for name in imports(path) if f"{name}.".startswith("zoo.commands.")}


@pytest.mark.parametrize("path", modules("**/*.py"), ids=str)
def test_files_of_json_are_written_by_one_function(path):
    """Lines of JSON, a growing log, are another format, and so is a cell of a database."""
    source = (ROOT / path).read_text(encoding="utf-8")
    assert "json.dump" not in source or path.as_posix() in {"files.py", "callbacks/logs.py", *IN_TABLES}
