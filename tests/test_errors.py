"""Checks of arguments, and the nearest names of an unknown one."""

import pytest
import tensorflow as tf

from zoo.errors import (
    InputError,
    first_line,
    printable,
    require_non_negative,
    require_positive_number,
    unknown,
)


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


def test_what_a_terminal_would_obey_is_printed_as_escapes():
    assert printable("Ä\x1b[2J\r\n") == "Ä\\x1b[2J\\r\\n"


@tf.function
def read(path):
    return tf.io.read_file(path)


@tf.function
def check(number):
    tf.debugging.assert_positive(number, message="too small")


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (lambda: read("nowhere"), "nowhere; No such file or directory"),
        (lambda: check(tf.constant(-1.0)), "assertion failed: [too small.  ] [Condition x > 0 did not hold"),
        (lambda: tf.io.read_file("nowhere"), "nowhere; No such file or directory"),
    ],
)
def test_the_first_line_of_a_graphs_error_is_its_reason(action, reason):
    with pytest.raises(tf.errors.OpError) as error:
        action()
    assert first_line(error.value).startswith(reason)
    assert not any(name in first_line(error.value) for name in ("{{", "}}", "Op:"))
