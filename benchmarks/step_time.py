"""Milliseconds of a DCGAN step (28x28x1, 64 filters, batch 64), each variant against plain float32 in the same run."""

import time
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from zoo import DCGAN, layers, machine
from zoo.networks import parts

ROUNDS, STEPS, BATCH_SIZE = 5, 20, 64


def build(policy="float32", jit_compile=False, batch_normalization=layers.FusedBatchNormalization):
    keras.mixed_precision.set_global_policy(policy)
    with mock.patch.object(parts, "FusedBatchNormalization", batch_normalization):
        model = DCGAN((28, 28, 1), filters=64)
    model.compile(jit_compile=jit_compile)
    return model


def main():
    images = np.random.default_rng(0).uniform(0, 1, (20 * BATCH_SIZE, 28, 28, 1)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices({"image": images}).batch(BATCH_SIZE).repeat().prefetch(2)
    variants = {
        "float32": build(),
        "float32, Keras' batch normalisation": build(batch_normalization=keras.layers.BatchNormalization),
        "float32, XLA": build(jit_compile=True),
        "mixed_bfloat16": build("mixed_bfloat16"),
    }
    times = {name: [] for name in variants}
    for model in variants.values():
        model.fit(batches, steps_per_epoch=3, verbose=0)
    for _ in range(ROUNDS):  # in turn, so that a slow minute of the machine hits all alike
        for name, model in variants.items():
            start = time.perf_counter()
            model.fit(batches, steps_per_epoch=STEPS, verbose=0)
            times[name].append((time.perf_counter() - start) / STEPS * 1e3)
    print(f"{machine.describe()}; TensorFlow {tf.__version__}; median of {ROUNDS} rounds of {STEPS} steps")
    baseline = np.median(times["float32"])
    for name, values in times.items():
        print(f"{name:<40} {np.median(values):7.1f} ms  {np.median(values) / baseline:5.2f} x")


if __name__ == "__main__":
    main()
