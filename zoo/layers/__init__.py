"""Layers that papers share and Keras lacks."""

from zoo.layers.activations import LeakyReLU, ReLU
from zoo.layers.batch_normalization import (
    FusedBatchNormalization,
    ReferenceBatch,
    RowNormalization,
    VirtualBatchNormalization,
    WithoutReference,
)
from zoo.layers.convolutions import Conv2D, Conv2DTranspose
from zoo.layers.minibatch import MinibatchDiscrimination
from zoo.layers.noise import GlobalBatchDropout, GlobalBatchNoise
from zoo.layers.normalized_kernels import SpectralNormalization, WeightNormalization, initialize_from_data
from zoo.layers.units import Maxout, PixelBias

__all__ = [
    "Conv2D",
    "Conv2DTranspose",
    "FusedBatchNormalization",
    "GlobalBatchDropout",
    "GlobalBatchNoise",
    "LeakyReLU",
    "Maxout",
    "MinibatchDiscrimination",
    "PixelBias",
    "ReLU",
    "ReferenceBatch",
    "RowNormalization",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
    "WithoutReference",
    "initialize_from_data",
]
