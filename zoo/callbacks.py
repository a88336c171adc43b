"""What `fit` does beside training: checkpoints to go on from, sample grids, curves, scores."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from zoo import distribute, evaluation, images
from zoo.errors import InputError, TrainingError, first_line, require_positive
from zoo.files import replacing
from zoo.sampling import pictured

BEST = {"lower": min, "higher": max}  # which of several values the best one is


class Checkpoint(keras.callbacks.Callback):
    """Saves all that a model needs to go on, at the end of every epoch: weights, averages, optimiser slots, step.

    A checkpoint is whole or absent, and its weights are finite. Random layers need none: their state follows from the
    step.

    Args:
        directory: where the checkpoints lie; over several processes, a folder that all of them see.
        keep: how many of the latest to keep.
    """

    def __init__(self, directory, keep=2):
        super().__init__()
        self.directory = Path(directory)
        self.keep = keep
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)  # of training, over all restarts

    def restore(self, model):
        """Brings a compiled model to the latest checkpoint, if there is one; `model.step` tells.

        Raises:
            TrainingError: the checkpoint is damaged or of another model.
        """
        self.set_model(model)
        latest = tf.train.latest_checkpoint(self.directory)
        if latest is None:
            return
        try:
            self._state().restore(latest).assert_consumed()
        except (ValueError, IndexError, AssertionError, tf.errors.OpError) as error:
            raise TrainingError(f"Cannot restore {latest}: {first_line(error)}") from error

    def on_epoch_begin(self, epoch, logs=None):
        self._since = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.assign_add(time.monotonic() - self._since)
        self.save()

    def save(self):
        """Saves the model as it is.

        Raises:
            TrainingError: weights that are not finite, or files that cannot be written.
        """
        self.model.check_weights()
        # Every process takes part in a save, and only the chief's is kept.
        directory = self.directory if distribute.is_chief() else self.directory / f".other.{time.time_ns()}"
        manager = tf.train.CheckpointManager(self._state(), directory, self.keep, checkpoint_name="step")
        try:
            manager.save(checkpoint_number=self.model.step)
        except (OSError, tf.errors.OpError) as error:
            reason = first_line(error)
            raise TrainingError(f"Cannot save the checkpoint of step {self.model.step}: {reason}") from error
        finally:
            if not distribute.is_chief():
                shutil.rmtree(directory, ignore_errors=True)

    def _state(self):
        return tf.train.Checkpoint(model=self.model, seconds=self.seconds)


class SampleGrid(keras.callbacks.Callback):
    """Draws the samples of the same seeds at the end of every epoch, so that the eye can compare.

    Args:
        directory: gets `step_<step>.png`.
        seeds: as for `GenerativeModel.sample`; `None` for the picture that `export` makes, see `zoo.sampling.pictured`.
        labels: as for `GenerativeModel.sample`, of the seeds given.
    """

    def __init__(self, directory, seeds=None, labels=None):
        super().__init__()
        self.directory = Path(directory)
        self.seeds = seeds
        self.labels = labels

    def on_epoch_end(self, epoch, logs=None):
        self.directory.mkdir(parents=True, exist_ok=True)
        given = (self.seeds, self.labels, None)
        seeds, labels, columns = pictured(self.model.sampled_classes) if self.seeds is None else given
        pixels = images.picture(self.model.sample(seeds, labels), columns)
        images.write_png(self.directory / f"step_{self.model.step:06d}.png", pixels)


class SampleHistory(keras.callbacks.Callback):
    """Keeps the samples of the same seeds, before the first step and at the end of every epoch, for after the training.

    Args:
        directory: gets `step_<step>.npy`.
        samples: how many; their seeds are 0 to samples - 1.
    """

    def __init__(self, directory, samples):
        super().__init__()
        self.directory = Path(directory)
        self.samples = samples

    def on_train_begin(self, logs=None):
        self._write()

    def on_epoch_end(self, epoch, logs=None):
        self._write()

    def _write(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        with replacing(self.directory / f"step_{self.model.step:06d}.npy") as path, path.open("wb") as file:
            np.save(file, self.model.sample(self.samples))

    def read(self):
        """From step to the samples that the model made then, float32 `[samples, *data_shape]`, over all restarts."""
        return {int(path.stem.removeprefix("step_")): np.load(path) for path in sorted(self.directory.glob("*.npy"))}


class MetricsLog(keras.callbacks.Callback):
    """Writes what `fit` reports, as means over groups of steps.

    Args:
        directory: gets `metrics.jsonl` (one line for every `every` steps, the means over them), `losses.png` and
            `events/`; see `StepLog`.
        every: how many steps share a line.
    """

    async_safe = True  # a batch's logs are only put aside: Keras need not wait for the device

    def __init__(self, directory, every=10):
        super().__init__()
        self.every = every
        self._log = StepLog(directory, "metrics.jsonl", "losses.png", images.curves)

    def on_train_begin(self, logs=None):
        self._log.open(self.model.step)

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self.model.step
        self._batches = []

    def on_train_batch_end(self, batch, logs=None):
        self._batches.append((batch, logs))

    def on_epoch_end(self, epoch, logs=None):
        groups = {}
        for batch, batch_logs in sorted(self._batches, key=lambda entry: entry[0]):
            step = self._first_step + batch + 1
            groups.setdefault(-(-step // self.every), []).append((step, batch_logs))
        for group in groups.values():
            means = {name: sum(float(logs[name]) for _, logs in group) / len(group) for name in group[0][1]}
            self._log.add(group[-1][0], means)
        self._log.write()


class Scores(keras.callbacks.Callback):
    """Scores the samples every so many steps and at the end, and keeps the best model beside the last.

    The last one is what a paper's numbers should come from; that the best one was better is worth knowing too.

    Args:
        directory: gets `scores.jsonl`, `scores.png` and `events/`, see `StepLog`; and `best/`, the checkpoint of the
            best model, which `Checkpoint(directory / "best").restore(model)` brings back.
        reference: what samples are compared with, a `zoo.evaluation.Reference`.
        scores: names in `zoo.evaluation.SCORES`; the first one's first value decides which model is best.
        every: steps between two scorings, a multiple of the model's `steps_per_execution`.
        samples: how many; their seeds are 0 to samples - 1.

    Raises:
        InputError: before the first step, if the scores cannot be taken of so many samples or none is the best.
    """

    async_safe = True  # a batch's logs are not read

    def __init__(self, directory, reference, scores, every, samples=10_000):
        super().__init__()
        require_positive(every=every)
        self.reference = reference
        self.scores = scores
        self.every = every
        self.samples = samples
        self._log = StepLog(directory, "scores.jsonl", "scores.png", images.score_curves)
        self._best = Checkpoint(Path(directory) / "best", keep=1)

    def on_train_begin(self, logs=None):
        if self.every % self.model.steps_per_execution:
            raise InputError(
                f"scores need a number of steps that {self.model.steps_per_execution} steps an execution divide. "
                f"Received: every={self.every}"
            )
        name, better = self._deciding()
        if better not in BEST:
            raise InputError(
                f"the first score has to say which model is best, the lower or the higher. "
                f"Received: {name}, at its best {better}"
            )
        evaluation.check(self.model.sample, self.reference, self.scores, self.samples)
        self._log.open(self.model.step)
        self._best.set_model(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self.model.step

    def on_train_batch_end(self, batch, logs=None):
        if (self._first_step + batch + 1) % self.every == 0:
            self._score()

    def on_train_end(self, logs=None):
        if not self._log.rows or self._log.rows[-1]["step"] < self.model.step:
            self._score()

    def best_and_final(self):
        """The rows of the best model and of the last: `{"step": ..., <value>: ...}` each."""
        name, better = self._deciding()
        return BEST[better](self._log.rows, key=lambda row: row[name]), self._log.rows[-1]

    def report(self):
        """Both in words, a line each."""
        name, _ = self._deciding()
        return "\n".join(
            f"{title:<12}step {row['step']}, {name} {row[name]:.4g}"
            for title, row in zip(("best", "final"), self.best_and_final(), strict=True)
        )

    def _score(self):
        self._log.add(self.model.step, evaluation.score(self.model.sample, self.reference, self.scores, self.samples))
        best, latest = self.best_and_final()
        if best is latest:
            self._best.save()
        if distribute.is_chief():
            self._log.write()

    def _deciding(self):
        name = evaluation.leading_value(self.scores[0])
        return name, evaluation.VALUES[name][1]


class StepLog:
    """Numbers by step: lines of JSON, TensorBoard events and a picture of the curves.

    Args:
        directory: gets the files and `events/`.
        name: of the JSON lines. Lines beyond the model's step, left by a run that was killed, are dropped.
        picture: of the curves.
        draw: from the rows, dicts with "step" and numbers by name, to the picture's pixels.
    """

    def __init__(self, directory, name, picture, draw):
        self.directory = Path(directory)
        self.name = name
        self.picture = picture
        self.draw = draw

    def open(self, step):
        """Reads the rows up to a step."""
        path = self.directory / self.name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows = [row for line in lines if (row := _parse(line)) and row["step"] <= step]
        self._events = tf.summary.create_file_writer(str(self.directory / "events"))

    def add(self, step, values):
        """Takes in a row.

        Raises:
            TrainingError: the events cannot be written.
        """
        self.rows.append({"step": step, **values})
        try:
            with self._events.as_default(step=step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)
            self._events.flush()
        except tf.errors.OpError as error:
            raise TrainingError(f"Cannot write {self.directory / 'events'}: {first_line(error)}") from error

    def write(self):
        """Writes the lines and the picture."""
        with replacing(self.directory / self.name) as path:
            path.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")
        images.write_png(self.directory / self.picture, self.draw(self.rows))


def _parse(line):
    try:
        return json.loads(line)
    except ValueError:  # the last line of a run that was killed
        return None
