"""The parts that the convolutional, dense and residual backbones share."""

from __future__ import annotations

import keras

from zoo.layers import FusedBatchNormalization


def normal(seed, deviation=0.02):
    """The normal initialiser of kernels, by default DCGAN's; each kernel gets different numbers."""
    return keras.initializers.RandomNormal(stddev=deviation, seed=keras.random.SeedGenerator(seed))


def batch_normalization():
    """Batch normalisation with DCGAN's constants."""
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5)
