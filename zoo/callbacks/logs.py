"""What `fit` reports, as lines of JSON, TensorBoard events and a picture of the curves."""

from __future__ import annotations

import contextlib
import json
import math
import time

import keras
import tensorflow as tf

from zoo import distribute, images
from zoo.errors import TrainingError, first_line
from zoo.files import expanded, read_rows, replacing

SECONDS_A_PICTURE = 10


class MetricsLog(keras.callbacks.Callback):
    """Writes what `fit` reports, as means over groups of steps.

    The lines are written at the end of each epoch. Drawing the picture takes as long as many steps of a small model,
    so it is drawn at most once every `SECONDS_A_PICTURE` seconds, and at the end.

    Args:
        directory: gets `metrics.jsonl` (one line for every `every` steps, with the means over them), `losses.png` and
            `events/`; see `StepLog`.
        every: how many steps share a line.
    """

    def __init__(self, directory, every=10):
        super().__init__()
        self.every = every
        self._log = StepLog(directory, "metrics.jsonl", "losses.png", images.curves)
        self._drawn, self._rows_drawn = -math.inf, 0  # when the picture was last drawn, and from how many rows

    def on_train_begin(self, logs=None):
        self._log.open(self.model.step)

    def on_epoch_begin(self, epoch, logs=None):
        self._steps = []

    def on_train_batch_end(self, batch, logs=None):
        self._steps.append((self.model.step, logs))

    def on_epoch_end(self, epoch, logs=None):
        groups = {}
        for step, step_logs in self._steps:
            groups.setdefault(-(-step // self.every), []).append((step, step_logs))
        for group in groups.values():
            means = {name: sum(float(logs[name]) for _, logs in group) / len(group) for name in group[0][1]}
            self._log.add(group[-1][0], means)
        self._log.write()
        if time.monotonic() - self._drawn > SECONDS_A_PICTURE:
            self._draw()

    def on_train_end(self, logs=None):
        if len(self._log.rows) > self._rows_drawn:
            self._draw()

    def _draw(self):
        self._log.draw()
        self._drawn, self._rows_drawn = time.monotonic(), len(self._log.rows)


class StepLog:
    """Logs numbers by step: lines of JSON, TensorBoard events and a picture of the curves.

    Of several processes only the chief writes events.

    Args:
        directory: gets the files and `events/`.
        name: the file of JSON lines. Lines beyond the model's step, left by a killed run, are dropped.
        picture: the file of the picture.
        curves: a function from the rows, dicts of "step" and numbers by name, to the picture's pixels.
    """

    def __init__(self, directory, name, picture, curves):
        self.directory = expanded(directory)
        self.name = name
        self.picture = picture
        self.curves = curves

    def open(self, step):
        """Reads the rows up to a step."""
        self.rows = [row for row in read_rows(self.directory / self.name) if row["step"] <= step]
        place = str(self.directory / "events")
        self._events = (
            tf.summary.create_file_writer(place) if distribute.is_chief() else tf.summary.create_noop_writer()
        )

    def add(self, step, values):
        """Adds a row of values, numbers by name, at a step.

        Raises:
            TrainingError: the events cannot be written.
        """
        self.rows.append({"step": step, **values})
        with self._explained(), self._events.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)

    def write(self):
        """Writes the lines and the events.

        Raises:
            TrainingError: the events cannot be written.
        """
        with self._explained():
            self._events.flush()
        with replacing(self.directory / self.name) as path:
            path.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")

    def draw(self):
        """Writes the picture."""
        images.write_png(self.directory / self.picture, self.curves(self.rows))

    @contextlib.contextmanager
    def _explained(self):
        try:
            yield
        except tf.errors.OpError as error:
            raise TrainingError(f"Cannot write {self.directory / 'events'}: {first_line(error)}") from error
