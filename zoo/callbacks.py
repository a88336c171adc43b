"""What `fit` does beside training, at the end of each epoch: checkpoints to go on from, sample grids, curves."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from zoo import distribute, images
from zoo.errors import TrainingError
from zoo.files import replacing


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
            raise TrainingError(f"Cannot restore {latest}: {str(error).splitlines()[0]}") from error

    def on_epoch_begin(self, epoch, logs=None):
        self._since = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        self.model.check_weights()
        self.seconds.assign_add(time.monotonic() - self._since)
        # Every process takes part in a save, and only the chief's is kept.
        directory = self.directory if distribute.is_chief() else self.directory / f".other.{time.time_ns()}"
        manager = tf.train.CheckpointManager(self._state(), directory, self.keep, checkpoint_name="step")
        try:
            manager.save(checkpoint_number=self.model.step)
        except (OSError, tf.errors.OpError) as error:
            reason = str(error).splitlines()[0]
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
        seeds: as for `GenerativeModel.sample`.
        labels: as for `GenerativeModel.sample`.
    """

    def __init__(self, directory, seeds=64, labels=None):
        super().__init__()
        self.directory = Path(directory)
        self.seeds = seeds
        self.labels = labels

    def on_epoch_end(self, epoch, logs=None):
        self.directory.mkdir(parents=True, exist_ok=True)
        samples = self.model.sample(self.seeds, self.labels)
        images.write_png(self.directory / f"step_{self.model.step:06d}.png", images.picture(samples))


class MetricsLog(keras.callbacks.Callback):
    """Writes what `fit` reports as lines of JSON, as TensorBoard events and as a picture of the curves.

    Args:
        directory: gets `metrics.jsonl` (one line for every `every` steps, the means over them), `losses.png` and
            `events/`. Lines beyond the model's step, left by a run that was killed, are dropped.
        every: how many steps share a line.
    """

    async_safe = True  # a batch's logs are only put aside: Keras need not wait for the device

    def __init__(self, directory, every=10):
        super().__init__()
        self.directory = Path(directory)
        self.every = every

    def on_train_begin(self, logs=None):
        path = self.directory / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._rows = [row for line in lines if (row := _parse(line)) and row["step"] <= self.model.step]
        self._events = tf.summary.create_file_writer(str(self.directory / "events"))

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
            self._rows.append({"step": group[-1][0], **means})
            self._write_events(group[-1][0], means)
        with replacing(self.directory / "metrics.jsonl") as path:
            path.write_text("".join(json.dumps(row) + "\n" for row in self._rows), encoding="utf-8")
        images.write_png(self.directory / "losses.png", images.curves(self._rows))

    def _write_events(self, step, means):
        try:
            with self._events.as_default(step=step):
                for name, value in means.items():
                    tf.summary.scalar(name, value)
            self._events.flush()
        except tf.errors.OpError as error:
            raise TrainingError(f"Cannot write {self.directory / 'events'}: {str(error).splitlines()[0]}") from error


def _parse(line):
    try:
        return json.loads(line)
    except ValueError:  # the last line of a run that was killed
        return None
