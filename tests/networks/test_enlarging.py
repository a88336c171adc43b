"""The network that enlarges images: shapes, what it starts from, and what it is refused."""

import re

import numpy as np
import pytest
import tensorflow as tf

from zoo import networks
from zoo.errors import InputError


@pytest.mark.parametrize(("factor", "shape"), [(1, (6, 5, 3)), (4, (24, 20, 3))])
def test_the_output_is_larger_by_the_factor(factor, shape):
    network = networks.residual_enlarger((6, 5, 3), factor, filters=4, blocks=2)
    assert network.output_shape == (None, *shape)
    assert [layer.filters for layer in network.layers if hasattr(layer, "filters")] == [4] * 6 + [3]


@pytest.mark.parametrize("factor", [1, 2])
def test_without_its_last_kernel_it_is_bilinear_enlargement(factor):
    network = networks.residual_enlarger((4, 4, 1), factor, filters=3, blocks=1)
    last = next(layer for layer in reversed(network.layers) if hasattr(layer, "kernel"))
    last.kernel.assign(tf.zeros_like(last.kernel))
    images = tf.random.stateless_uniform([2, 4, 4, 1], [0, 1])
    expected = tf.image.resize(images, (4 * factor, 4 * factor))
    np.testing.assert_allclose(network(images), expected, atol=1e-6)


def test_vectors_are_refused():
    with pytest.raises(InputError, match=re.escape("needs images: (height, width, channels). Received: shape=(2,)")):
        networks.residual_enlarger((2,), 2, filters=4, blocks=1)
