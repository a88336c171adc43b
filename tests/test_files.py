"""Folders in a checkout and in an installation; files written whole or not at all."""

import json
import math
import os

import pytest

import zoo.files
from zoo.errors import InputError
from zoo.files import folder, replacing, write_json


def test_folder_lies_beside_the_package_in_a_checkout_and_inside_it_once_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo.files, "PACKAGE", tmp_path / "zoo")
    assert folder("recipes") == tmp_path / "recipes"
    (tmp_path / "zoo" / "recipes").mkdir(parents=True)
    assert folder("recipes") == tmp_path / "zoo" / "recipes"


def test_replacing_writes_the_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_leaves_the_old_file_after_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "message"), [("taken", "Is a directory"), ("nowhere/a.txt", "No such file")])
def test_a_path_that_cannot_be_written_is_an_input_error(tmp_path, name, message):
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match=f"Cannot write .*{name}: {message}"), replacing(tmp_path / name) as temporary:
        temporary.write_text("new")


def test_json_is_strict_and_its_infinities_can_be_read(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"é": [1, 2.5, None], "nats": (math.inf, {"low": -math.inf, "none": math.nan})})
    text = path.read_text(encoding="utf-8")
    assert "é" in text
    assert text.endswith("}\n")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "é": [1, 2.5, None],
        "nats": ["inf", {"low": "-inf", "none": "nan"}],
    }


def test_a_files_name_that_is_not_utf8_can_be_written_and_read_again(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    write_json(tmp_path / "a.json", {"é": name})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"é": name}


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(InputError, match="not JSON serializable"):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
