"""Metrics of your own, computed on samples while a model trains."""

from __future__ import annotations

import keras
import numpy as np

from zoo import distribute, images
from zoo.callbacks.logs import StepLog
from zoo.errors import InputError, require_positive


class SampleMetrics(keras.callbacks.Callback):
    """Computes metrics of samples at the end of every epoch, and logs and draws them like losses.

    Args:
        directory: gets `sample_metrics.jsonl`, `sample_metrics.png` and `events/`; see `StepLog`.
        metrics: functions by name, each from samples, float32 `[samples, *data_shape]`, images in [0, 1], to a number.
        samples: the number of samples; their seeds are 0 to samples - 1.

    Raises:
        InputError: there is no metric, or, at the end of an epoch, one returns something other than a number.
    """

    def __init__(self, directory, metrics, samples=1000):
        super().__init__()
        require_positive(samples=samples)
        if not metrics:
            raise InputError("`metrics` should hold at least one function by its name. Received: none")
        self.metrics = dict(metrics)
        self.samples = samples
        self._log = StepLog(directory, "sample_metrics.jsonl", "sample_metrics.png", images.score_curves)

    def on_train_begin(self, logs=None):
        self._log.open(self.model.step)

    def on_epoch_end(self, epoch, logs=None):
        samples = self.model.sample(self.samples)
        self._log.add(self.model.step, {name: self._number(name, samples) for name in self.metrics})
        if distribute.is_chief():
            self._log.write()
            self._log.draw()

    def _number(self, name, samples):
        value = np.asarray(self.metrics[name](samples))
        if value.ndim or value.dtype.kind not in "fiub":
            raise InputError(
                f"The metric {name} should be a number. Received: {value.dtype} of shape {list(value.shape)}"
            )
        return float(value)
