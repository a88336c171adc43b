"""Perceptrons, computed by hand."""

import keras
import numpy as np
import pytest
from inside import kernels

from zoo import networks


class TestMlp:
    NETWORK = networks.mlp(3, 2, units=8, depth=3, name="critic")

    def test_it_computes_rectified_layers_and_a_linear_one(self):
        x = hidden = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        *weights, last, bias = (array + 0.1 for array in self.NETWORK.get_weights())
        network = keras.models.clone_model(self.NETWORK)
        network.set_weights([*weights, last, bias])
        for kernel, offset in zip(weights[::2], weights[1::2], strict=True):
            hidden = np.maximum(hidden @ kernel + offset, 0)
        np.testing.assert_allclose(network(x), hidden @ last + bias, rtol=1e-4, atol=1e-5)

    def test_it_has_the_depth_width_and_name_that_were_asked_for(self):
        assert [kernel.shape for kernel in kernels(self.NETWORK)] == [(3, 8), (8, 8), (8, 8), (8, 2)]
        assert self.NETWORK.name == "critic"

    def test_kernels_start_orthogonal_with_a_gain_of_four_fifths_and_differ(self):
        _, first, second, _ = kernels(self.NETWORK)
        for kernel in (first, second):
            np.testing.assert_allclose(kernel.T @ kernel, 0.64 * np.eye(8), atol=1e-6)
        assert not np.isclose(first, second).all()


class TestNormalizedMlp:
    def test_it_computes_rectified_batch_normalised_layers_and_a_linear_one(self):
        network = networks.normalized_mlp(3, 2, units=8, depth=2, name="denoiser")
        network.set_weights([array + 0.1 for array in network.get_weights()])
        x = hidden = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
        first, gamma, beta, second, other_gamma, other_beta, last, bias = map(np.asarray, network.trainable_variables)
        for kernel, scale, offset in ((first, gamma, beta), (second, other_gamma, other_beta)):
            hidden = hidden @ kernel
            hidden = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-5) * scale + offset
            hidden = np.maximum(hidden, 0)
        np.testing.assert_allclose(network(x, training=True), hidden @ last + bias, rtol=1e-4, atol=1e-4)
        assert network.name == "denoiser"


class TestMLPGenerator:
    def test_images_have_the_activation_and_vectors_are_linear(self):
        latents = 50 * np.random.default_rng(0).normal(size=(4, 3))
        image = networks.mlp_generator((2, 3, 1), 3, units=5, depth=2, activation="tanh", seed=1)
        vector = networks.mlp_generator((6,), 3, units=5, depth=2, activation="tanh", seed=1)
        values = vector(latents, training=True)
        np.testing.assert_allclose(image(latents, training=True), np.tanh(values).reshape(4, 2, 3, 1), atol=1e-6)
        assert vector.count_params() == 3 * 5 + 5 * 5 + 2 * 4 * 5 + (5 + 1) * 6


class TestReluMlp:
    def test_hidden_layers_start_as_he_says_and_the_last_as_glorot(self):
        *hidden, last = (layer.kernel.numpy() for layer in networks.relu_mlp(400, 300, units=500, depth=2).layers[1:])
        for kernel in hidden:
            assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / len(kernel)), rel=1e-3)
        assert np.abs(last).max() == pytest.approx(np.sqrt(6 / (500 + 300)), rel=1e-3)
