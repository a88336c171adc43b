"""The residual networks: the published shapes, and kernels of the variances in the authors' code."""

import keras
import numpy as np
import pytest
from inside import layers_of, order

from zoo import networks
from zoo.layers import GlobalBatchDropout


class TestResidual:
    """The networks of WGAN-GP's scores, for 32x32 images and 128 channels."""

    CONVOLUTION = 9 * 128 * 128 + 128

    def test_three_blocks_of_the_generator_double_a_map_of_4x4(self):
        generator = networks.residual_generator((32, 32, 3), 128)
        doubled = [layer.output.shape[1:] for layer in layers_of(generator, keras.layers.Add)]
        assert doubled == [(8, 8, 128), (16, 16, 128), (32, 32, 128)]
        shortcuts = 3 * (128 * 128 + 128)
        normalisations = 7 * 4 * 128
        first, last = 128 * 16 * 128 + 16 * 128, 9 * 128 * 3 + 3
        assert generator.count_params() == first + 6 * self.CONVOLUTION + shortcuts + normalisations + last

    def test_two_of_the_critics_four_blocks_halve_the_map_and_nothing_is_normalised(self):
        critic = networks.residual_critic((32, 32, 3))
        maps = [layer.output.shape[1:] for layer in layers_of(critic, keras.layers.Add)]
        assert maps == [(16, 16, 128), (8, 8, 128), (8, 8, 128), (8, 8, 128)]
        assert not layers_of(critic, keras.layers.BatchNormalization, GlobalBatchDropout)
        first = 9 * 3 * 128 + 128 + 3 * 128 + 128
        shortcut = 128 * 128 + 128
        assert critic.count_params() == first + 7 * self.CONVOLUTION + shortcut + 128 + 1

    def test_the_last_three_blocks_may_drop_their_outputs(self):
        critic = networks.residual_critic((8, 8, 1), filters=4, dropout=(0.2, 0.5, 0.5))
        assert [layer.rate for layer in layers_of(critic, GlobalBatchDropout)] == [0.2, 0.5, 0.5]
        kinds = order(critic)
        assert [kinds[place - 1] for place, kind in enumerate(kinds) if kind == "GlobalBatchDropout"] == ["Add"] * 3

    def test_kernels_have_the_variances_of_the_authors_code(self):
        critic = networks.residual_critic((32, 32, 3))
        convolutions = layers_of(critic, keras.layers.Conv2D)
        (shortcut,) = (layer for layer in convolutions if layer.kernel.shape == (1, 1, 128, 128))
        wide = convolutions[-1]
        assert wide.kernel.numpy().std() == pytest.approx(np.sqrt(4 / (9 * 256)), rel=0.01)
        assert shortcut.kernel.numpy().std() == pytest.approx(np.sqrt(2 / 256), rel=0.02)
