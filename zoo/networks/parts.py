"""What the backbones of DCGAN, of perceptrons and of residual blocks are made of."""

from __future__ import annotations

import keras

from zoo.layers import FusedBatchNormalization


def normal(seed, deviation=0.02):
    """The normal draw that kernels start from, DCGAN's by default; each kernel gets other numbers."""
    return keras.initializers.RandomNormal(stddev=deviation, seed=keras.random.SeedGenerator(seed))


def batch_normalization():
    """Batch normalisation with DCGAN's constants."""
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5)
