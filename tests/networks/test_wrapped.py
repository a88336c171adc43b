"""Networks around given ones: what changes and what stays."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inside import layers_of, order

from zoo import networks
from zoo.errors import InputError
from zoo.layers import SpectralNormalization, WeightNormalization


class TestSpectrallyNormalized:
    def test_every_kernel_is_normalised_and_its_weights_are_kept(self):
        plain = networks.dcgan_discriminator((16, 16, 1), filters=4, normalized=False)
        weights = [weight.numpy() for weight in plain.weights]
        normalized = networks.spectrally_normalized(plain)
        hidden = ["SpectralNormalization", "LeakyReLU"]
        assert order(normalized) == ["InputLayer", *hidden * 2, "Flatten", "SpectralNormalization"]
        assert normalized.name == plain.name
        for before, after in zip(weights, normalized.trainable_weights, strict=True):
            np.testing.assert_array_equal(before, after)

    def test_once_the_vectors_have_settled_every_norm_is_1(self):
        network = networks.spectrally_normalized(networks.mlp(5, 2, units=4, depth=1, seed=3))
        images = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
        for _ in range(200):
            outputs = network(images, training=True)
        (first, first_bias, last, last_bias) = (weight.numpy() for weight in network.trainable_weights)
        first, last = (kernel / np.linalg.svd(kernel, compute_uv=False)[0] for kernel in (first, last))
        expected = np.maximum(images @ first + first_bias, 0) @ last + last_bias
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)

    def test_networks_inside_are_normalised_too(self):
        inner = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)], name="inner")
        outer = keras.Sequential([keras.Input((8, 8, 1)), inner, keras.layers.Flatten(), keras.layers.Dense(1)])
        inner, _, last = networks.spectrally_normalized(outer).layers
        assert order(inner) == ["SpectralNormalization"]
        assert isinstance(last, SpectralNormalization)

    def test_frozen_layers_are_normalised_and_layers_without_a_kernel_pass(self):
        dense = keras.layers.Dense(4, trainable=False)
        others = [keras.layers.PReLU(), keras.layers.LayerNormalization(axis=[1, 2])]
        network = keras.Sequential([keras.Input((3, 4)), dense, *others])
        assert order(networks.spectrally_normalized(network)) == [
            "SpectralNormalization",
            "PReLU",
            "LayerNormalization",
        ]

    def test_a_kernel_of_another_kind_is_refused(self):
        network = keras.Sequential([keras.Input((8, 2)), keras.layers.Conv1D(2, 3), keras.layers.Flatten()])
        with pytest.raises(InputError, match=r"takes a layer of Dense, .*Received: Conv1D$"):
            networks.spectrally_normalized(network)

    def test_the_vectors_follow_from_the_seed_and_differ(self):
        def vectors(seed):
            network = networks.spectrally_normalized(networks.mlp(3, 8, units=8, depth=2), seed)
            return [layer.vector.numpy() for layer in layers_of(network, SpectralNormalization)]

        for one, same, other in zip(vectors(1), vectors(1), vectors(2), strict=True):
            np.testing.assert_array_equal(one, same)
            assert not np.isclose(one, other).any()
        first, second, _ = vectors(1)
        assert not np.isclose(first, second).any()


class TestWithFeatures:
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)

    @pytest.mark.parametrize("form", ["functional", "sequential"])
    def test_it_gives_the_inputs_of_the_last_layer_and_its_outputs(self, form):
        dense = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
        network = keras.Sequential([keras.Input((3,)), *dense])
        if form == "functional":  # its layers belong to two networks
            inputs = keras.Input((3,))
            network = keras.Model(inputs, dense[1](dense[0](inputs)))
        network(keras.Input((3,)))  # as `networks.checked` calls it
        features, outputs = networks.with_features(network)(self.X)
        np.testing.assert_allclose(features, dense[0](self.X), rtol=1e-6)
        np.testing.assert_allclose(outputs, network(self.X), rtol=1e-6)

    def test_it_has_the_networks_own_inputs_and_weights(self):
        inputs = [keras.Input((3,)), keras.Input((2,))]
        network = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(inputs)))
        both = networks.with_features(network)
        assert [tuple(tensor.shape) for tensor in both.inputs] == [(None, 3), (None, 2)]
        assert list(map(id, both.weights)) == list(map(id, network.weights))

    def test_features_may_be_taken_before_layers_that_only_disturb_them(self):
        dense = [keras.layers.Dense(2), WeightNormalization(keras.layers.Dense(1))]
        noise = [keras.layers.GaussianNoise(1.0) for _ in range(2)]
        network = keras.Sequential([keras.Input((3,)), dense[0], *noise, dense[1]])
        both = networks.with_features(network, before=(keras.layers.GaussianNoise,))
        np.testing.assert_array_equal(both(self.X, training=True)[0], dense[0](self.X))

    def test_a_subclass_is_refused(self):
        class Subclass(keras.Model):
            """A network whose layers only its `call` knows."""

        with pytest.raises(InputError, match=r"must be functional\. Received: a Subclass$"):
            networks.with_features(Subclass())

    def test_another_last_layer_is_refused(self):
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.ReLU()])
        with pytest.raises(InputError, match=r"Received: one that ends in ReLU$"):
            networks.with_features(network)


class TestWeightNormalized:
    def test_every_kernel_is_normalised_and_its_weights_are_kept(self):
        plain = networks.dcgan_discriminator((16, 16, 1), filters=4, normalized=False)
        weights = [weight.numpy() for weight in plain.weights]
        normalized = networks.weight_normalized(plain)
        hidden = ["WeightNormalization", "LeakyReLU"]
        assert order(normalized) == ["InputLayer", *hidden * 2, "Flatten", "WeightNormalization"]
        assert normalized.name == plain.name
        kept = [
            weight.numpy() for layer in layers_of(normalized, WeightNormalization) for weight in layer.layer.weights
        ]
        for old, new in zip(weights, kept, strict=True):
            np.testing.assert_array_equal(old, new)


class TestVirtuallyNormalized:
    UNIFORM = keras.initializers.RandomUniform(0, 1, seed=0)

    def test_batch_normalisation_is_replaced_and_rows_do_not_depend_on_their_batch(self):
        plain = networks.dcgan_generator((16, 16, 1), 5, filters=4)
        virtual = networks.virtually_normalized(plain, 6, self.UNIFORM)
        kinds = [type(layer).__name__ for layer in virtual._flatten_layers(include_self=False)]
        assert (kinds.count("VirtualBatchNormalization"), kinds.count("FusedBatchNormalization")) == (2, 0)
        latents = tf.random.stateless_uniform([7, 5], [0, 1])
        whole = virtual(latents, training=True)
        assert whole.shape == (7, 16, 16, 1)
        np.testing.assert_allclose(virtual(latents[3:4], training=True)[0], whole[3], atol=1e-5)

    def test_without_the_rows_own_share_it_is_batch_normalisation_by_the_reference(self):
        plain = networks.dcgan_generator((8, 8, 1), 5, filters=4)
        virtual = networks.virtually_normalized(plain, 2000, self.UNIFORM)
        (reference,) = (layer for layer in virtual.layers if hasattr(layer, "reference"))
        for layer in virtual._flatten_layers(include_self=False):
            if hasattr(layer, "gamma"):
                layer.gamma.assign(tf.ones_like(layer.gamma.value))
        expected = plain(reference.reference.value, training=True)  # by the statistics of the same batch
        np.testing.assert_allclose(virtual(reference.reference.value)[:20], expected[:20], atol=5e-3)


class TestWithMinibatchDiscrimination:
    def test_the_last_layer_reads_the_features_and_how_close_they_are(self):
        network = networks.dcgan_discriminator((16, 16, 1), filters=4)
        other = networks.with_minibatch_discrimination(network, 3, 2)
        assert order(other)[-3:] == ["Flatten", "MinibatchDiscrimination", "Dense"]
        assert (other.output_shape, other.name) == ((None, 1), network.name)
        *_, discrimination, last = other.layers
        assert (discrimination.kernels, discrimination.size) == (3, 2)
        assert last.kernel.shape == (4 * 4 * 8 + 3, 1)


class TestRescaled:
    def test_inputs_and_outputs_are_multiplied(self):
        network = networks.mlp(3, 2, units=4, name="inner")
        other = networks.rescaled(network, 0.5, 3.0)
        rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        np.testing.assert_allclose(other(rows), 3 * network(rows / 2).numpy(), rtol=1e-6)
        assert other.name == "inner"
        assert other.output.dtype == "float32"
