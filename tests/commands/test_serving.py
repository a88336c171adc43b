"""`zoo serving`: what it writes and prints, and one line for what is wrong."""

import json

import pytest

import zoo
from zoo.artefacts.warmup import WARMUP

pytest.importorskip("tensorflow_serving", reason="needs the extra `serving`")


def test_config_writes_the_files_and_names_them(run, workplace, capsys):
    assert run("serving config toy-digits --out serving --root /models") == 0
    paths = [workplace / line for line in capsys.readouterr().out.splitlines()]
    assert all(path.is_file() for path in paths)
    assert sorted(path.name for path in paths) == sorted(path.name for path in (workplace / "serving").iterdir())
    assert '"/models/toy-digits"' in (workplace / "serving" / "models.config").read_text()


def test_warmup_adds_the_file_to_the_card(run, installation, capsys):
    artefact = installation / "pretrained" / "toy-digits"
    card = (artefact / "card.json").read_text()
    try:
        assert run("serving warmup toy-digits") == 0
        assert capsys.readouterr().out.strip() == str(artefact / "1" / WARMUP)
        assert f"1/{WARMUP.as_posix()}" in json.loads((artefact / "card.json").read_text())["files"]
        assert zoo.load("toy-digits").sample(2).shape == (2, 4, 4, 1)
    finally:
        (artefact / "1" / WARMUP).unlink()
        (artefact / "card.json").write_text(card)


def test_labels_move(run, capsys):
    assert run("serving config toy-digits --out serving") == 0
    capsys.readouterr()
    assert run("serving promote toy-digits --config serving --version 1") == 0
    assert capsys.readouterr().out == "toy-digits: stable is version 1, was 1\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("config toy-digit --out serving", "Unknown pretrained model: 'toy-digit'. Did you mean toy-digits?"),
        ("config toy-digits --out serving --root models", "--root should be an absolute path"),
        ("config toy-digits --out /dev/null", "expected a folder"),
        ("warmup nothing", "Unknown pretrained model"),
        ("check http://127.0.0.1:1 --timeout 0.2", "http://127.0.0.1:1: UNAVAILABLE"),
        ("check ftp://127.0.0.1", "A server's address looks like"),
        ("promote toy-digits --config nowhere", "expected what `zoo serving config` wrote"),
        ("rollback toy-digits --config nowhere", "expected what `zoo serving config` wrote"),
    ],
)
def test_what_is_wrong_takes_one_line(run, workplace, capsys, line, message):
    assert run(f"serving {line}") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(workplace.iterdir()) == []
