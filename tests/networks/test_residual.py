"""The residual networks: the published shapes, and kernels of the variances in the authors' code."""

import itertools

import keras
import numpy as np
import pytest
from inside import layers_of, order

from zoo import networks
from zoo.layers import GlobalBatchDropout, RowNormalization


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


class TestTapered:
    """The networks of WGAN-GP for 64x64 images, at the 32x32 and 32 channels of the two time-scale rule's runs."""

    def test_four_blocks_of_the_generator_double_a_map_of_2x2(self):
        generator = networks.tapered_generator((32, 32, 3), 128, filters=32)
        doubled = [layer.output.shape[1:] for layer in layers_of(generator, keras.layers.Add)]
        assert doubled == [(4, 4, 256), (8, 8, 128), (16, 16, 64), (32, 32, 32)]
        channels = [256, 256, 128, 64, 32]
        blocks = sum(
            9 * old * new + 9 * new * new + new + old * new + new + 4 * (old + new)
            for old, new in itertools.pairwise(channels)
        )
        first, last = 128 * 1024 + 1024, 4 * 32 + 9 * 32 * 3 + 3
        assert generator.count_params() == first + blocks + last

    def test_four_layer_normalised_blocks_of_the_critic_halve_the_map(self):
        critic = networks.tapered_critic((32, 32, 3), filters=32)
        halved = [layer.output.shape[1:] for layer in layers_of(critic, keras.layers.Add)]
        assert halved == [(16, 16, 64), (8, 8, 128), (4, 4, 256), (2, 2, 256)]
        channels = [32, 64, 128, 256, 256]
        blocks = sum(
            9 * old * old + 9 * old * new + new + old * new + new + 4 * old for old, new in itertools.pairwise(channels)
        )
        assert critic.count_params() == 9 * 3 * 32 + 32 + blocks + 1024 + 1
        assert not layers_of(critic, keras.layers.BatchNormalization)

    def test_a_row_is_normalised_over_all_its_values_with_a_gain_for_each_channel(self):
        critic = networks.tapered_critic((16, 16, 1), filters=2)
        layer, *_ = layers_of(critic, RowNormalization)
        assert [weight.shape for weight in layer.weights] == [(2,), (2,)]
        rows = np.random.default_rng(0).normal(1, 2, (3, 4, 4, 2)).astype(np.float32)
        mean, variance = (moment(rows, axis=(1, 2, 3), keepdims=True) for moment in (np.mean, np.var))
        np.testing.assert_allclose(layer(rows), (rows - mean) / np.sqrt(variance + 1e-5), rtol=1e-4, atol=1e-5)
