"""Exit statuses and messages of commands."""

import itertools
import os
import subprocess
import sys

import pytest

from zoo import console
from zoo.console import run_command
from zoo.errors import InputError, TrainingError


def fail(error):
    raise error


def test_a_command_that_succeeds_exits_with_0():
    assert run_command(lambda: None) == 0


@pytest.mark.parametrize("error", [InputError("Mend this."), TrainingError("Mend this.")])
def test_a_zoo_error_is_one_line_and_status_2(error, capsys):
    assert run_command(lambda: fail(error)) == 2
    assert capsys.readouterr() == ("", "zoo: Mend this.\n")


def test_interrupts_are_quiet_and_bugs_are_not(capsys):
    assert run_command(lambda: fail(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def test_a_reader_that_leaves_ends_the_command_quietly():
    code = "import sys, zoo.console; sys.exit(zoo.console.run_command(lambda: print('x')))"
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command.stdout.close()
    assert command.stderr.read() == b""
    assert command.wait() == 141


def test_a_message_cannot_steer_the_terminal(capsys):
    assert run_command(lambda: fail(InputError("x\x1b]0;title\x07"))) == 2
    assert capsys.readouterr().err == "zoo: x\\x1b]0;title\\x07\n"


def test_what_the_console_cannot_show_is_an_escape():
    code = "import sys, zoo.console; sys.exit(zoo.console.run_command(lambda: print('Fr\\xe9chet', '\\udcff')))"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "Fr\\xe9chet \\udcff\n", "")


def test_tensorflow_is_imported_without_what_keras_need_not_have_and_is_never_searched_for_garbage():
    code = """
import gc, sys
from zoo import console
console.import_tensorflow()
frozen = gc.get_freeze_count()
console.import_tensorflow()
assert gc.isenabled() and gc.get_freeze_count() == frozen > 100_000
assert "keras" in sys.modules and not {"sklearn", "matplotlib"} & set(sys.modules)
import matplotlib, sklearn, tensorflow as tf
assert tf.keras.layers.Dense(1)(tf.ones([1, 1])).shape == (1, 1)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_progress_is_lines_in_a_log(monkeypatch, capsys):
    clock = itertools.count(0, 20)
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    assert list(console.progress(range(5), "sampling", "batches")) == list(range(5))
    assert capsys.readouterr() == ("", "sampling: 1 of 5 batches in 40 s\nsampling: 3 of 5 batches in 80 s\n")


def test_progress_that_takes_no_time_is_not_told(capsys):
    assert list(console.progress("abc", "sampling", "batches")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(console.sys.stderr, "isatty", lambda: True)
    with monkeypatch.context() as patch:
        patch.setattr("tqdm.tqdm", lambda things, **settings: [settings["desc"], *things])
        assert list(console.progress([1, 2], "sampling", "batches")) == ["sampling", 1, 2]
