"""Pictures and arrays of samples from the same seeds, at the end of every epoch."""

from __future__ import annotations

import keras
import numpy as np

from zoo import images
from zoo.files import expanded, replacing
from zoo.sampling import pictured


class SampleGrid(keras.callbacks.Callback):
    """Draws samples from the same seeds at the end of every epoch, so that they can be compared by eye.

    Args:
        directory: gets `step_<step>.png`.
        seeds: as for `GenerativeModel.sample`; `None` for the picture that `export` makes, see `zoo.sampling.pictured`.
        labels: as for `GenerativeModel.sample`, for the given seeds.
    """

    def __init__(self, directory, seeds=None, labels=None):
        super().__init__()
        self.directory = expanded(directory)
        self.seeds = seeds
        self.labels = labels

    def on_epoch_end(self, epoch, logs=None):
        self.directory.mkdir(parents=True, exist_ok=True)
        given = (self.seeds, self.labels, None)
        seeds, labels, columns = pictured(self.model.sampled_classes) if self.seeds is None else given
        pixels = images.picture(self.model.sample(seeds, labels), columns)
        images.write_png(self.directory / f"step_{self.model.step:06d}.png", pixels)


class SampleHistory(keras.callbacks.Callback):
    """Stores samples from the same seeds before the first step and at the end of every epoch, to be read afterwards.

    Args:
        directory: gets `step_<step>.npy`.
        samples: the number of samples; their seeds are 0 to samples - 1.
    """

    def __init__(self, directory, samples):
        super().__init__()
        self.directory = expanded(directory)
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
        """The samples at each step, float32 `[samples, *data_shape]`, in a dict by step, over all restarts."""
        paths = sorted(self.directory.glob("step_*.npy"))  # without what a killed write left behind
        return {int(path.stem.removeprefix("step_")): np.load(path) for path in paths}
