"""The page on the study shows a protocol that loads, and lines that the command takes."""

import re
import shlex
from pathlib import Path

from zoo.commands.main import build_parser
from zoo.study import protocol

PAGE = (Path(__file__).parents[2] / "docs" / "study.md").read_text(encoding="utf-8")
LAPGAN = protocol.load("lapgan")


def blocks(language):
    return [text.replace("\\\n", "") for text in re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)]


def test_its_protocol_loads(tmp_path):
    (text,) = blocks("toml")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    own = protocol.load(str(tmp_path / "mine.toml"))
    assert own.exposures_ms == (100, 500)
    assert own.published[0].name == "pilot"


def test_its_lines_are_taken():
    lines = [shlex.split(line) for text in blocks("sh") for line in text.splitlines() if line.startswith("zoo study")]
    assert {line[2] for line in lines} == {"serve", "report", "export", "plan"}
    for line in lines:
        build_parser(["study"]).parse_args(line[1:])


def test_its_numbers_are_those_of_the_protocols():
    assert f"{LAPGAN.trials}, and {LAPGAN.checks} checks" in PAGE
    improved = protocol.load("improved_gan")
    assert f"{improved.trials}, and {improved.checks} checks" in PAGE
