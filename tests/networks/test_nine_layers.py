"""The convolutional networks of Salimans et al. against what their code states."""

import pytest
from inside import layers_of, order

from zoo import networks
from zoo.layers import GlobalBatchDropout, GlobalBatchNoise, MinibatchDiscrimination, WeightNormalization

SHAPE = (32, 32, 3)


def test_the_generator_has_dcgans_maps_and_scales_nothing():
    network = networks.shifting_generator(SHAPE, 100)
    normalized = [layer for layer in network.layers if type(layer).__name__ == "BatchNormalization"]
    assert [layer.output.shape[1:] for layer in normalized] == [(4, 4, 512), (8, 8, 256), (16, 16, 128)]
    assert {(layer.scale, layer.epsilon, layer.momentum) for layer in normalized} == {(False, 1e-6, 0.9)}
    (last,) = layers_of(network, WeightNormalization)
    assert (last.trainable_gain, last.deviation) == (True, 0.1)
    assert network.output_shape == (None, *SHAPE)


@pytest.mark.parametrize("kernels", [0, 100], ids=["matched", "minibatch"])
def test_the_discriminator_has_nine_convolutions_of_96_and_192_channels(kernels):
    network = networks.nine_layer_discriminator(SHAPE, 10, minibatch_kernels=kernels)
    *convolutions, last = layers_of(network, WeightNormalization)
    assert [layer.output.shape[1:] for layer in convolutions] == [
        (32, 32, 96), (32, 32, 96), (16, 16, 96), (16, 16, 192), (16, 16, 192), (8, 8, 192),
        (6, 6, 192), (6, 6, 192), (6, 6, 192),
    ]  # fmt: skip
    assert [layer.layer.kernel_size for layer in convolutions] == [(3, 3)] * 7 + [(1, 1)] * 2
    assert not any(layer.trainable_gain for layer in convolutions)
    assert (last.layer.units, last.trainable_gain, last.deviation) == (10, True, 0.1)
    rates = [layer.rate for layer in layers_of(network, GlobalBatchDropout)]
    assert rates == ([0.5, 0.5] if kernels else [0.2, 0.5, 0.5])
    assert [layer.stddev for layer in layers_of(network, GlobalBatchNoise)] == ([0.2] if kernels else [])
    assert len(layers_of(network, MinibatchDiscrimination)) == bool(kernels)
    assert order(network)[-1] == "WeightNormalization"


def test_small_maps_are_padded():
    assert networks.nine_layer_discriminator((8, 8, 1), 3, filters=4).output_shape == (None, 3)
