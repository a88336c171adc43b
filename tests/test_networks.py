"""The shared backbones: the published shapes, and first weights that follow from a seed."""

import re

import keras
import numpy as np
import pytest

from zoo import networks
from zoo.errors import InputError


@pytest.fixture(scope="module")
def generator():
    """The paper's generator, for 64x64 faces."""
    return networks.dcgan_generator((64, 64, 3), latent_size=100, filters=128)


@pytest.fixture(scope="module")
def discriminator():
    return networks.dcgan_discriminator((64, 64, 3), filters=128)


def layers_of(network, *kinds):
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def order(network):
    return [type(layer).__name__ for layer in network.layers]


def kernels(network):
    return [layer.kernel.numpy() for layer in network.layers if hasattr(layer, "kernel")]


class TestPaperGenerator:
    def test_maps_grow_from_4x4x1024_to_the_image(self, generator):
        maps = layers_of(generator, keras.layers.Reshape, keras.layers.Conv2DTranspose)
        assert [layer.output.shape[1:] for layer in maps] == [
            (4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 3),
        ]  # fmt: skip

    def test_every_layer_but_the_output_is_normalised_and_rectified(self, generator):
        hidden, output = ["BatchNormalization", "ReLU", "Conv2DTranspose"], "Activation"
        assert order(generator) == ["InputLayer", "Dense", "Reshape", *hidden * 4, output]

    def test_only_the_output_layer_has_a_bias(self, generator):
        weights = 100 * 16 * 1024 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
        assert generator.count_params() == weights + 3 + 4 * (1024 + 512 + 256 + 128)

    def test_the_image_is_a_hyperbolic_tangent(self, generator):
        before = keras.Model(generator.input, generator.layers[-2].output)
        latents = 100 * np.random.default_rng(0).normal(size=(2, 100))
        image = generator(latents).numpy()
        assert 0.1 < np.abs(image).max() <= 1
        np.testing.assert_allclose(image, np.tanh(before(latents)), rtol=1e-5, atol=1e-6)


class TestPaperDiscriminator:
    def test_maps_shrink_to_4x4x1024_and_one_logit(self, discriminator):
        maps = layers_of(discriminator, keras.layers.Conv2D, keras.layers.Dense)
        assert [layer.output.shape[1:] for layer in maps] == [
            (32, 32, 128), (16, 16, 256), (8, 8, 512), (4, 4, 1024), (1,),
        ]  # fmt: skip

    def test_every_hidden_layer_but_the_first_is_normalised(self, discriminator):
        assert order(discriminator) == [
            "InputLayer", "Conv2D", "LeakyReLU", *["Conv2D", "BatchNormalization", "LeakyReLU"] * 3, "Flatten", "Dense",
        ]  # fmt: skip

    def test_only_layers_without_normalisation_have_biases(self, discriminator):
        weights = 25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 4 * 4 * 1024
        assert discriminator.count_params() == weights + 128 + 1 + 4 * (256 + 512 + 1024)

    def test_the_negative_slope_is_a_fifth(self, discriminator):
        assert {layer.negative_slope for layer in layers_of(discriminator, keras.layers.LeakyReLU)} == {0.2}


@pytest.mark.parametrize("network", ["generator", "discriminator"])
class TestBoth:
    def test_kernels_start_normal_with_a_deviation_of_2_percent(self, network, request):
        for kernel in kernels(request.getfixturevalue(network)):
            standard_error = 0.02 / np.sqrt(kernel.size)
            assert kernel.mean() == pytest.approx(0, abs=4 * standard_error)
            assert kernel.std() == pytest.approx(0.02, abs=4 * standard_error)
            assert np.abs(kernel).max() > 0.06  # not truncated

    def test_normalisation_has_the_papers_momentum_and_epsilon(self, network, request):
        found = layers_of(request.getfixturevalue(network), keras.layers.BatchNormalization)
        assert {(layer.momentum, layer.epsilon) for layer in found} == {(0.9, 1e-5)}


@pytest.fixture
def mixed_bfloat16():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(policy)


BUILDERS = {
    "generator": lambda seed: networks.dcgan_generator((8, 8, 1), latent_size=3, filters=4, seed=seed),
    "discriminator": lambda seed: networks.dcgan_discriminator((8, 8, 1), filters=4, seed=seed),
    "mlp": lambda seed: networks.mlp(3, 2, units=4, seed=seed),
}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
class TestSeedsAndPrecision:
    def test_the_first_weights_follow_from_the_seed(self, build):
        first, again, other = (kernels(build(seed)) for seed in (5, 5, 6))
        for one, same, different in zip(first, again, other, strict=True):
            np.testing.assert_array_equal(one, same)
            assert not np.isclose(one, different).any()

    def test_outputs_stay_float32_in_mixed_precision(self, build, mixed_bfloat16):
        network = build(0)
        assert network.output.dtype == "float32"
        assert network.layers[1].compute_dtype == "bfloat16"


FITTING = {smallest << stages: stages for smallest in (4, 5, 6, 7) for stages in (1, 2, 3, 4)}


class TestStages:
    @pytest.mark.parametrize("size", range(8, 97))
    def test_a_size_fits_if_it_is_4_to_7_pixels_doubled(self, size):
        shape = (size, size, 1)
        if size in FITTING:
            assert networks.dcgan_stages(shape) == FITTING[size]
        else:
            unit = 2 ** int(np.log2(size / 4))
            message = re.escape(f"multiples of {unit}. Received: data_shape={shape}")
            with pytest.raises(InputError, match=message):
                networks.dcgan_stages(shape)

    @pytest.mark.parametrize(("shape", "stages"), [((8, 64, 3), 1), ((20, 16, 1), 2), ((64, 40, 1), 3)])
    def test_the_smaller_side_decides(self, shape, stages):
        assert networks.dcgan_stages(shape) == stages

    def test_both_sides_have_to_fit(self):
        with pytest.raises(InputError, match=r"multiples of 4\. Received: data_shape=\(16, 18, 1\)"):
            networks.dcgan_stages((16, 18, 1))

    @pytest.mark.parametrize("shape", [(7, 8, 1), (8, 4, 1), (1, 1, 1)])
    def test_small_images_are_refused(self, shape):
        with pytest.raises(InputError, match=rf"at least 8x8 pixels\. Received: data_shape={re.escape(str(shape))}"):
            networks.dcgan_stages(shape)

    def test_vectors_are_refused(self):
        with pytest.raises(InputError, match=r"needs images: .*Received: data_shape=\(2,\)"):
            networks.dcgan_stages((2,))


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
