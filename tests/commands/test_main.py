"""The `zoo` command as a whole: its help, wrong usage, and what it imports."""

import subprocess
import sys

import pytest

from zoo.commands.main import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_in_an_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"example: zoo {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["fly"], ["sample", "toy-digits"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: zoo" in capsys.readouterr().err


def test_native_chatter_is_silenced(installation):
    command = [
        sys.executable,
        "-m",
        "zoo.commands.main",
        "sample",
        str(installation / "pretrained" / "toy-digits"),
        "--seeds=0-3",
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (finished.stdout, finished.stderr) == ("grid.png: 4 samples\n", "")


@pytest.mark.parametrize(
    "line", ["list", "sample --help", "train", "train dcgan_digits --help", "show dcgan-fashion_mnist"]
)
def test_a_command_that_needs_no_tensorflow_does_not_import_it(line):
    code = f"""
import sys
from zoo.commands.main import main
try:
    main({line.split()})
finally:
    assert not {{"tensorflow", "keras"}} & set(sys.modules)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
