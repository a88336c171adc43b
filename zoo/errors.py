"""The errors that the zoo raises on purpose, and the checks of arguments that many places share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from numbers import Integral, Real

GRAPH_ERROR = "Graph execution error:"  # how the text of an error in a TensorFlow graph begins
STACK = re.compile(r"\s*(Detected at node|File \"|<stack traces unavailable>)")  # the paragraphs before the reason
GRAPH_NAMES = re.compile(r"\{\{function_node [^}]*\}\}\s*|\s*\[\[\{\{node .*|\s*\[Op:\w+\]( name: *)?")


class ZooError(Exception):
    """Something went wrong that the user can put right; the message is one line and says how."""


class InputError(ZooError, ValueError):
    """An argument, a flag, a file or a dataset is not what was expected."""


class TrainingError(ZooError, RuntimeError):
    """A training run had to stop; what it saved before remains usable."""


class ServingError(ZooError, RuntimeError):
    """A model server cannot be reached, answers too late, or fails."""


class SignalError(ZooError):
    """A signal ended a run, which has saved all that it needs to continue.

    Args:
        message: one line that says how to continue.
        signal: the signal's number.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


def unknown(kind: str, name: object, known: Iterable[str]) -> InputError:
    """An `InputError` for a name that does not exist, with the nearest ones that do.

    Args:
        kind: the kind of thing that the name should denote, such as "dataset".
        name: the name that was received.
        known: every name that would have been accepted.
    """
    known = sorted(known)
    nearest = difflib.get_close_matches(str(name), known, n=3)
    hint = f"Did you mean {' or '.join(nearest)}?" if nearest else f"Known: {', '.join(known) or 'none'}."
    return InputError(f"Unknown {kind}: {name!r}. {hint}")


def first_line(error: Exception) -> str:
    """The first line of an error's text that is not empty, or the error's type if it has no text.

    For an error in a TensorFlow graph it is the reason, without the names of nodes and functions.
    """
    text = GRAPH_NAMES.sub("", str(error))
    if text.startswith(GRAPH_ERROR):
        paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
        text = next((reason for reason in paragraphs[1:] if not STACK.match(reason)), text)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)


def printable(text: str) -> str:
    """A text with its control characters, which a terminal would obey, written as escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def require_positive(**numbers: int) -> None:
    """Raises an `InputError` for the first argument that is not a whole number of 1 or more."""
    for name, number in numbers.items():
        if not isinstance(number, Integral) or number < 1:
            raise InputError(f"`{name}` must be a positive integer. Received: {name}={number!r}")


def require_positive_number(**numbers: float) -> None:
    """Raises an `InputError` for the first argument that is not a finite number above 0."""
    for name, number in numbers.items():
        if not (isinstance(number, Real) and 0 < number < float("inf")):
            raise InputError(f"`{name}` must be positive. Received: {name}={number!r}")


def require_non_negative(**numbers: float) -> None:
    """Raises an `InputError` for the first argument that is not a finite number of 0 or more."""
    for name, number in numbers.items():
        if not (isinstance(number, Real) and 0 <= number < float("inf")):
            raise InputError(f"`{name}` must be 0 or more. Received: {name}={number!r}")
