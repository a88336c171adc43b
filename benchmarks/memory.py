"""Resident memory of a process that trains DCGAN on digits for 5,000 steps with every callback of a recipe."""

import tempfile
from pathlib import Path

import keras
import psutil

from zoo import DCGAN, callbacks, data, machine

STEPS, EVERY = 5000, 500


class Memory(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"step {self.model.step:>5}  {psutil.Process().memory_info().rss / 2**20:7.1f} MiB", flush=True)


def main():
    digits = data.load("digits")
    model = DCGAN(digits.data_shape, filters=8, ema_decay=0.99)
    model.compile()
    print(machine.describe())
    with tempfile.TemporaryDirectory() as workdir:
        watchers = [
            callbacks.MetricsLog(workdir),
            callbacks.SampleGrid(Path(workdir, "samples")),
            callbacks.Checkpoint(Path(workdir, "checkpoints")),
            Memory(),
        ]
        batches = digits.train.stream(batch_size=64)
        model.fit(batches, steps_per_epoch=EVERY, epochs=STEPS // EVERY, callbacks=watchers, verbose=0)


if __name__ == "__main__":
    main()
