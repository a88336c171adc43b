"""How training ends before its last step: what stopped it, and from where it can go on."""

from __future__ import annotations

import contextlib
from pathlib import Path

from zoo.errors import SignalError, TrainingError, first_line


@contextlib.contextmanager
def explained(model, workdir: Path):
    """Adds to the error that stopped training which checkpoint it can go on from.

    Raises:
        TrainingError: weights or losses stopped being finite, whatever noticed it; or TensorFlow failed.
    """
    import tensorflow as tf

    try:
        yield
    except SignalError:
        raise
    except Exception as error:  # what a callback makes of numbers that are not finite may be of any kind
        reason = f"Training stopped after step {model.step}: {first_line(error)}."
        if isinstance(error, TrainingError):
            reason = str(error)
        elif isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError):
            reason = "A worker was lost."
        else:
            try:
                model.check_weights()
            except TrainingError as diverged:
                reason = str(diverged)
            else:
                if not isinstance(error, tf.errors.OpError):
                    raise
        latest = tf.train.latest_checkpoint(workdir / "checkpoints")
        kept = f"{latest} stays usable" if latest else "There was no checkpoint yet"
        raise TrainingError(f"{reason} {kept}.") from error


@contextlib.contextmanager
def ended_by_signals(name: str, workdir: Path):
    """Yields a list of the callback that ends training on a signal, if any; then says how to go on.

    Args:
        name: the recipe's name.
        workdir: the run's workdir.

    Raises:
        SignalError: a signal ended it.
    """
    from zoo import callbacks, distribute

    if distribute.workers():
        yield []
        return
    with callbacks.StopOnSignal() as stop:
        yield [stop]
    if stop.received:
        raise SignalError(
            f"{stop.received.name} stopped {name}, and {workdir} holds its last step. "
            "The same command goes on from there.",
            stop.received,
        )
