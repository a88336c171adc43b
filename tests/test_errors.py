"""Exit statuses and messages of commands; the nearest names of an unknown one."""

import subprocess
import sys

import pytest

from zoo.errors import (
    InputError,
    TrainingError,
    first_line,
    printable,
    require_non_negative,
    require_positive_number,
    run_command,
    unknown,
)


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
    code = "import sys, zoo.errors; sys.exit(zoo.errors.run_command(lambda: print('x')))"
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command.stdout.close()
    assert command.stderr.read() == b""
    assert command.wait() == 141


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_is_negative_or_not_finite_is_named(weight):
    with pytest.raises(InputError, match=rf"`weight` must be 0 or more\. Received: weight={weight}"):
        require_non_negative(scale=0.0, weight=weight)


@pytest.mark.parametrize("margin", [0, float("nan"), float("inf"), None, "1"])
def test_a_number_that_is_not_above_0_or_no_number_is_named(margin):
    with pytest.raises(InputError, match=f"`margin` must be positive. Received: margin={margin!r}"):
        require_positive_number(scale=0.1, margin=margin)


def test_unknown_names_the_nearest_or_all():
    assert str(unknown("dataset", "mnits", ["mnist", "cifar10"])) == "Unknown dataset: 'mnits'. Did you mean mnist?"
    assert str(unknown("dataset", "zzz", ["mnist", "cifar10"])) == "Unknown dataset: 'zzz'. Known: cifar10, mnist."
    assert str(unknown("dataset", "zzz", [])).endswith("Known: none.")


@pytest.mark.parametrize(("text", "line"), [("", "OSError"), ("\n  disk full \nmore", "disk full"), ("one", "one")])
def test_the_first_line_of_an_error_is_never_empty(text, line):
    assert first_line(OSError(text)) == line


def test_what_a_terminal_would_obey_is_printed_as_escapes(capsys):
    assert printable("Ä\x1b[2J\r\n") == "Ä\\x1b[2J\\r\\n"

    def steer():
        raise InputError("x\x1b]0;title\x07")

    assert run_command(steer) == 2
    assert capsys.readouterr().err == "zoo: x\\x1b]0;title\\x07\n"
