"""What console programs need: an exit status for every outcome, progress, TensorFlow without its first messages."""

from __future__ import annotations

import gc
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from zoo.errors import SignalError, ZooError, printable

SECONDS_A_LINE = 30  # between two lines of progress in a log


def run_command(command: Callable[[], object]) -> int:
    """Runs the command of a console script or a recipe and returns its exit status.

    Returns:
        0 for success, 2 for a `ZooError` (its message goes to stderr), and the numbers that a shell uses: 130 for
        Ctrl-C, 141 if the reader of stdout has gone, 128 + n for a run that signal n ended in good order. Any other
        exception is a bug and passes through.
    """
    escape_what_cannot_be_shown()
    try:
        command()
        sys.stdout.flush()
    except ZooError as error:
        print(f"zoo: {printable(str(error))}", file=sys.stderr)
        return 128 + error.signal if isinstance(error, SignalError) else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # otherwise the interpreter fails again at exit
        return 141
    return 0


def escape_what_cannot_be_shown() -> None:
    r"""Makes stdout escape characters that its encoding lacks, as stderr does, such as "Fr\xe9chet" in ASCII."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def progress(things: Sequence, title: str, unit: str) -> Iterator:
    """Yields things and, if this takes long, reports progress on stderr: as a bar on a terminal, as lines in a log.

    Args:
        things: the things to yield.
        title: what is done with them.
        unit: what they are called, in the plural.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(things, desc=title, unit=f" {unit}", delay=2, leave=False)
        return
    begun = told = time.monotonic()
    for done, thing in enumerate(things):
        if (now := time.monotonic()) - told > SECONDS_A_LINE:
            told = now
            print(f"{title}: {done:,} of {len(things):,} {unit} in {now - begun:.0f} s", file=sys.stderr, flush=True)
        yield thing


# Keras imports these for wrappers and plots that the zoo does not use; that takes a third as long as TensorFlow.
UNUSED_BY_KERAS = ("sklearn", "matplotlib")


def import_tensorflow() -> None:
    """Imports TensorFlow and suppresses all its messages except exceptions.

    Setting `TF_CPP_MIN_LOG_LEVEL` brings its messages back. Native code writes some before it reads this variable, so
    the file descriptor of stderr is redirected during the import. Python's garbage collector does not search what the
    first import makes, neither now nor later, since that takes long and frees nothing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    hidden = [name for name in UNUSED_BY_KERAS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # importing a module that is None there fails
    first = "tensorflow" not in sys.modules
    gc.disable()
    try:
        import tensorflow as tf
        from absl import logging
    finally:
        if first:
            gc.freeze()
        gc.enable()
        for name in hidden:
            del sys.modules[name]
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)
    tf.get_logger().setLevel("ERROR")
    logging.set_verbosity(logging.ERROR)
