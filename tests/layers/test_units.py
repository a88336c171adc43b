"""Units against NumPy."""

import keras
import numpy as np
from inside import rebuilt

from zoo.layers import Maxout, PixelBias


class TestMaxout:
    def test_each_unit_is_the_largest_of_its_own_linear_maps(self):
        random = np.random.default_rng(0)
        x, kernel, bias = random.normal(size=(6, 4)), random.normal(size=(4, 3 * 5)), random.normal(size=15)
        layer = Maxout(3, pieces=5)
        layer.build((None, 4))
        layer.set_weights([kernel, bias])
        maps = x @ kernel + bias
        expected = np.stack([maps[:, 5 * unit : 5 * unit + 5].max(axis=1) for unit in range(3)], axis=1)
        np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)

    def test_the_symbolic_shape_is_that_of_the_outputs(self):
        assert Maxout(3, pieces=5)(keras.Input((4,))).shape == (None, 3)

    def test_its_configuration_holds_every_argument(self):
        initializer = keras.initializers.RandomUniform(-0.005, 0.005, seed=3)
        layer = rebuilt(Maxout(3, pieces=5, kernel_initializer=initializer, name="m", dtype="mixed_bfloat16"))
        assert (layer.units, layer.pieces, layer.name, layer.dense.compute_dtype) == (3, 5, "m", "bfloat16")
        assert layer.dense.kernel_initializer.get_config() == initializer.get_config()


def test_a_pixel_bias_is_added_to_its_own_value_of_every_map():
    layer, maps = PixelBias(), np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(layer(maps), maps)  # it starts at zero
    bias = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(np.float32)
    layer.bias.assign(bias)
    np.testing.assert_array_equal(layer(maps), maps + bias)
