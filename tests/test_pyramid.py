"""Pyramids: images come back from them exactly, and one step down or up is the triangle filter that it says."""

import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import pyramid
from zoo.errors import InputError


def images(height, width, channels=2, rows=2):
    return tf.random.stateless_uniform([rows, height, width, channels], [height, width], -1, 1)


class TestSizes:
    @pytest.mark.parametrize(
        ("side", "sides"),
        [(7, [7, 4]), (8, [8, 4]), (9, [9, 5]), (28, [28, 14, 7]), (32, [32, 16, 8]), (96, [96, 48, 24, 12, 6])],
    )
    def test_sides_are_halved_down_to_4_to_8_pixels(self, side, sides):
        assert pyramid.halved_sizes((side, side, 3)) == tuple((side, side) for side in sides)

    def test_the_smaller_side_decides(self):
        assert pyramid.halved_sizes((64, 33, 3)) == ((64, 33), (32, 17), (16, 9), (8, 5))

    @pytest.mark.parametrize("data_shape", [(6, 32, 1), (28, 5, 1), (64,)])
    def test_what_cannot_be_halved_is_refused(self, data_shape):
        with pytest.raises(
            InputError, match=rf"halves have 4 or more.* Received: data_shape={re.escape(str(data_shape))}"
        ):
            pyramid.halved_sizes(data_shape)

    def test_own_sizes_need_not_be_halves(self):
        assert pyramid.checked_sizes([[28, 28], [14, 14], [8, 8]], (28, 28, 3)) == ((28, 28), (14, 14), (8, 8))

    @pytest.mark.parametrize(
        "sizes",
        [
            [(28, 28)],
            [(32, 32), (16, 16)],
            [(28, 28), (14, 28)],
            [(28, 28), (14, 14), (14, 14)],
            [(28, 28), (7, 3)],
            [(28, 28), (14,)],
        ],
        ids=["one level", "not the image's", "one side kept", "no smaller", "too small", "one side"],
    )
    def test_sizes_that_are_no_pyramid_are_refused(self, sizes):
        with pytest.raises(
            InputError, match=rf"`sizes` must be .*\(28, 28\).* Received: sizes={re.escape(str(sizes))}"
        ):
            pyramid.checked_sizes(sizes, (28, 28, 3))


class TestResize:
    def test_halving_is_the_filter_1_3_3_1(self):
        row = np.zeros((1, 1, 8, 1), "float32")
        row[0, 0, 3] = 8
        expected = [0, 3, 1, 0]  # pixel 3 is an inner one of pixels 1 to 4, an outer one of 3 to 6
        np.testing.assert_allclose(pyramid.resize(row, (1, 4))[0, 0, :, 0], expected, rtol=1e-6)

    def test_doubling_interpolates_linearly(self):
        row = np.float32([0, 4, 8]).reshape(1, 1, 3, 1)
        np.testing.assert_allclose(pyramid.resize(row, (1, 6))[0, 0, :, 0], [0, 1, 3, 5, 7, 8], rtol=1e-6)

    @pytest.mark.parametrize(
        ("old", "new"), [((28, 28), (14, 14)), ((14, 15), (8, 7)), ((8, 7), (14, 15)), ((9, 5), (9, 96))]
    )
    def test_it_is_tensorflows_antialiased_bilinear_filter(self, old, new):
        rows = images(*old)
        expected = tf.image.resize(rows, new, antialias=True)
        np.testing.assert_allclose(pyramid.resize(rows, new), expected, atol=1e-6)

    def test_a_constant_stays_one(self):
        np.testing.assert_allclose(pyramid.resize(tf.fill([1, 9, 13, 1], 0.7), (5, 96)), 0.7, rtol=1e-6)

    def test_a_layer_keeps_its_size_over_its_configuration(self):
        inputs = keras.Input((9, 8, 2))
        outputs = pyramid.Resize((5, 4))(inputs)
        assert outputs.shape == (None, 5, 4, 2)
        network = keras.Model(inputs, outputs)
        rows = images(9, 8)
        np.testing.assert_array_equal(keras.models.clone_model(network)(rows), network(rows))


class TestPyramid:
    @pytest.mark.parametrize("side", range(8, 97))
    def test_images_of_every_size_come_back(self, side):
        shape = (side, 104 - side)
        sizes = pyramid.halved_sizes((*shape, 2))
        rows = images(*shape)
        coefficients, low_passes = pyramid.laplacian(rows, sizes)
        assert [tuple(part.shape[1:3]) for part in coefficients] == list(sizes)
        seen = []
        details = [lambda low_pass, detail=detail: seen.append(low_pass) or detail for detail in coefficients[:-1]]
        chain = pyramid.reconstruct(coefficients[-1], details, sizes)
        assert [tuple(image.shape[1:3]) for image in chain] == list(reversed(sizes))
        np.testing.assert_allclose(chain[-1], rows, atol=1e-6)
        for expected, received in zip(low_passes, reversed(seen), strict=True):
            np.testing.assert_allclose(received, expected, atol=1e-6)

    def test_it_is_the_recurrence_of_the_definition(self):
        sizes = ((12, 11), (6, 6), (4, 5))
        rows = images(12, 11)
        coefficients, low_passes = pyramid.laplacian(rows, sizes)
        for level, (size, smaller) in enumerate(itertools.pairwise(sizes)):
            coarse = tf.image.resize(rows, smaller, antialias=True)
            np.testing.assert_allclose(low_passes[level], tf.image.resize(coarse, size), atol=1e-6)
            np.testing.assert_allclose(coefficients[level], rows - low_passes[level], atol=1e-6)
            rows = coarse
        np.testing.assert_allclose(coefficients[-1], rows, atol=1e-6)

    def test_of_a_constant_image_all_but_the_coarsest_level_is_zero(self):
        *details, coarsest = pyramid.laplacian(tf.fill([1, 28, 28, 1], 0.25), ((28, 28), (14, 14), (8, 8)))[0]
        np.testing.assert_allclose(coarsest, 0.25, rtol=1e-6)
        for detail in details:
            np.testing.assert_allclose(detail, 0, atol=1e-6)
