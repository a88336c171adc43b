"""Checkpoints: all that a model needs to resume training, and what is done about a damaged one."""

from __future__ import annotations

import logging
import re
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from zoo import distribute
from zoo.errors import TrainingError, first_line
from zoo.files import expanded, require_literal

NAME = "step"  # a checkpoint is called step-<step>
UNFINISHED = ("*_temp", "*.tempstate*", ".other.*")  # what a killed save leaves behind


class Checkpoint(keras.callbacks.Callback):
    """Saves all that a model needs to resume, at the end of every epoch: weights, averages, optimiser slots, step.

    A checkpoint is complete or absent, and its weights are finite. The state of random layers is not saved, since it
    follows from the step.

    Args:
        directory: the folder of the checkpoints; with several processes, one that all of them see.
        keep: how many of the latest checkpoints to keep.

    Raises:
        InputError: TensorFlow would read the directory's name as a pattern.
    """

    def __init__(self, directory, keep=2):
        super().__init__()
        self.directory = require_literal(expanded(directory))
        self.keep = keep
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)  # of training, over all restarts

    def exists(self):
        """Whether a save was ever completed in the directory; what a killed one leaves behind does not count."""
        return bool(self._paths())

    def restore(self, model, step=None):
        """Restores a compiled model from the newest checkpoint that can be read, if there is one; sets `model.step`.

        A warning names each newer checkpoint that cannot be read.

        Args:
            model: the model.
            step: restore the checkpoint of this step and no other; `None` for the newest.

        Returns:
            Whether there was a checkpoint.

        Raises:
            TrainingError: none of the checkpoints can be read, or the newest readable one is of another model.
        """
        self.set_model(model)
        paths = [path for path in self._paths() if step in (None, _step(path.name))]
        damaged = []
        for path in paths:
            if (damage := _damage(path)) is None:
                break
            damaged.append(f"{path} cannot be read: {damage}")
        else:
            if damaged:
                raise TrainingError(f"No checkpoint is left to go on from. {'; '.join(damaged)}.")
            return False
        try:
            self._state().restore(str(path)).assert_consumed()
        except (ValueError, IndexError, AssertionError, tf.errors.OpError) as error:
            raise TrainingError(f"Cannot restore {path}: {first_line(error)}") from error
        for line in damaged:
            logging.getLogger(__name__).warning("%s. Going on from %s instead.", line, path)
        if step is None and distribute.is_chief() and self._listed()[-1:] != [path.name]:
            kept = [str(older) for older in reversed(paths[len(damaged) :])]
            times = [time.time()] * len(kept)
            update = tf.compat.v1.train.update_checkpoint_state
            update(str(self.directory), kept[-1], kept, None, times, last_preserved_timestamp=0.0)
        return True

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
        # Every process takes part in a save, but only the chief's files are kept.
        directory = self.directory if distribute.is_chief() else self.directory / f".other.{time.time_ns()}"
        manager = tf.train.CheckpointManager(self._state(), directory, self.keep, checkpoint_name=NAME)
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

    def _listed(self):
        """The names in TensorFlow's list of checkpoints, the newest last; none if the list cannot be read."""
        try:
            listed = tf.train.get_checkpoint_state(str(self.directory))
        except UnicodeDecodeError:
            return []
        return [Path(path).name for path in listed.all_model_checkpoint_paths] if listed else []

    def _paths(self):
        """The checkpoints that are there or that TensorFlow's list names, the newest first."""
        names = set(self._listed())
        names |= {path.stem for path in self.directory.glob(f"{NAME}-*.index") if path.is_file()}
        names = [name for name in names if re.fullmatch(rf"{NAME}-\d+", name)]
        return [self.directory / name for name in sorted(names, key=_step, reverse=True)]


def clear_unfinished(directory: Path) -> None:
    """Removes what killed saves left in a folder of checkpoints, to which no other run may be writing."""
    for path in (path for pattern in UNFINISHED for path in directory.glob(pattern)):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _step(name):
    return int(name.rpartition("-")[2])


def _damage(path):
    """Why a checkpoint cannot be read, or `None` if every tensor of it matches its checksum."""
    try:
        reader = tf.train.load_checkpoint(str(path))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (ValueError, IndexError, RuntimeError, OSError, tf.errors.OpError) as error:
        return first_line(error)
    return None
