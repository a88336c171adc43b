"""DCGAN's networks: the published shapes, layers and constants, and the sizes of images that fit."""

import re

import keras
import numpy as np
import pytest
from inside import kernels, layers_of, order

from zoo import networks
from zoo.errors import InputError


@pytest.fixture(scope="module")
def generator():
    """The paper's generator, for 64x64 faces."""
    return networks.dcgan_generator((64, 64, 3), latent_size=100, filters=128)


@pytest.fixture(scope="module")
def discriminator():
    return networks.dcgan_discriminator((64, 64, 3), filters=128)


class TestPaperGenerator:
    def test_maps_grow_from_4x4x1024_to_the_image(self, generator):
        maps = layers_of(generator, keras.layers.Reshape, keras.layers.Conv2DTranspose)
        assert [layer.output.shape[1:] for layer in maps] == [
            (4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 3),
        ]  # fmt: skip

    def test_every_layer_but_the_output_is_normalised_and_rectified(self, generator):
        hidden, output = ["FusedBatchNormalization", "ReLU", "Conv2DTranspose"], "Activation"
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
            "InputLayer", "Conv2D", "LeakyReLU",
            *["Conv2D", "FusedBatchNormalization", "LeakyReLU"] * 3, "Flatten", "Dense",
        ]  # fmt: skip

    def test_only_layers_without_normalisation_have_biases(self, discriminator):
        weights = 25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 4 * 4 * 1024
        assert discriminator.count_params() == weights + 128 + 1 + 4 * (256 + 512 + 1024)

    def test_the_negative_slope_is_a_fifth(self, discriminator):
        assert {layer.negative_slope for layer in layers_of(discriminator, keras.layers.LeakyReLU)} == {0.2}


class TestDepth:
    def test_stages_of_ones_own_make_a_deeper_pair(self):
        generator = networks.dcgan_generator((32, 32, 3), 100, 64, stages=4)
        discriminator = networks.dcgan_discriminator((32, 32, 3), 64, stages=4)
        (first,) = layers_of(generator, keras.layers.Reshape)
        assert first.output.shape[1:] == (2, 2, 512)
        last = layers_of(discriminator, keras.layers.Conv2D)[-1]
        assert last.output.shape[1:] == (2, 2, 512)


class TestLabels:
    """The conditional form, for 3 classes: the label as further latents, and as further channels of the image."""

    def test_the_generator_projects_latents_and_label_together(self):
        plain, conditional = (networks.dcgan_generator((8, 8, 1), 5, filters=4, num_classes=n) for n in (None, 3))
        assert conditional.input_shape == [(None, 5), (None, 3)]
        conditional.set_weights([np.vstack([plain.get_weights()[0], np.zeros((3, 64))]), *plain.get_weights()[1:]])
        latents = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
        np.testing.assert_allclose(conditional([latents, np.eye(3)[:2]]), plain(latents), atol=1e-6)
        conditional.layers[3].kernel.assign(np.random.default_rng(1).normal(size=(8, 64)))
        first, second = (conditional([latents[:1], np.eye(3)[[label]]]).numpy() for label in (0, 2))
        assert np.abs(first - second).max() > 1e-3

    def test_the_discriminator_sees_a_constant_plane_a_class(self):
        plain = networks.dcgan_discriminator((8, 16, 1 + 3), filters=4)
        conditional = networks.dcgan_discriminator((8, 16, 1), filters=4, num_classes=3)
        assert conditional.input_shape == [(None, 8, 16, 1), (None, 3)]
        conditional.set_weights(plain.get_weights())
        image = np.random.default_rng(0).normal(size=(2, 8, 16, 1)).astype(np.float32)
        one_hot = np.eye(3, dtype=np.float32)[[2, 0]]
        planes = np.broadcast_to(one_hot[:, None, None], (2, 8, 16, 3))
        np.testing.assert_allclose(conditional([image, one_hot]), plain(np.concatenate([image, planes], -1)), atol=1e-6)


class TestDiscriminatorOfACritic:
    def test_without_normalisation_every_convolution_has_biases(self):
        critic = networks.dcgan_discriminator((16, 16, 1), filters=4, normalized=False)
        assert order(critic) == ["InputLayer", *["Conv2D", "LeakyReLU"] * 2, "Flatten", "Dense"]
        assert critic.count_params() == 25 * (4 + 4 * 8) + 4 + 8 + 4 * 4 * 8 + 1


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


class TestAlternating:
    """DCGAN's networks for 32x32 images of ImageNet, `imagenet/load_pretrained.py` of its authors' code."""

    GENERATOR = networks.alternating_generator((32, 32, 3), latent_size=256, filters=128)
    DISCRIMINATOR = networks.alternating_discriminator((32, 32, 3), filters=128)

    def test_the_generators_maps_grow_at_every_second_layer(self):
        maps = layers_of(self.GENERATOR, keras.layers.Reshape, keras.layers.Conv2DTranspose)
        assert [layer.output.shape[1:] for layer in maps] == [
            (4, 4, 512), (8, 8, 512), (8, 8, 256), (16, 16, 256), (16, 16, 128), (32, 32, 128), (32, 32, 3),
        ]  # fmt: skip

    def test_the_discriminators_maps_shrink_at_every_second_layer(self):
        maps = layers_of(self.DISCRIMINATOR, keras.layers.Conv2D, keras.layers.Dense)
        assert [layer.output.shape[1:] for layer in maps] == [
            (32, 32, 128), (16, 16, 128), (16, 16, 256), (8, 8, 256), (8, 8, 512), (4, 4, 512), (1,),
        ]  # fmt: skip

    def test_layers_are_normalised_but_for_the_images_on_both_sides(self):
        hidden = ["FusedBatchNormalization", "ReLU", "Conv2DTranspose"]
        assert order(self.GENERATOR) == ["InputLayer", "Dense", "Reshape", *hidden * 6, "Activation"]
        leaky = ["Conv2D", "FusedBatchNormalization", "LeakyReLU"] * 4
        last = ["Conv2D", "FusedBatchNormalization", "ReLU", "Flatten", "Dense"]
        assert order(self.DISCRIMINATOR) == ["InputLayer", "Conv2D", "LeakyReLU", *leaky, *last]

    def test_there_are_no_biases_and_kernels_are_3x3(self):
        pairs = 512 * 512 + 512 * 256 + 256 * 256 + 256 * 128 + 128 * 128 + 128 * 3
        normalised = 4 * (512 + 512 + 256 + 256 + 128)
        assert self.DISCRIMINATOR.count_params() == 9 * pairs + 16 * 512 + normalised
        assert self.GENERATOR.count_params() == 9 * pairs + 256 * 16 * 512 + normalised + 4 * 128

    def test_other_sizes_get_as_many_pairs_as_a_dcgan_has_layers(self):
        shapes = [layer.output.shape[1:] for layer in layers_of(
            networks.alternating_discriminator((28, 20, 1), filters=2), keras.layers.Conv2D
        )]  # fmt: skip
        assert shapes == [(28, 20, 2), (14, 10, 2), (14, 10, 4), (7, 5, 4)]
        assert networks.alternating_generator((28, 20, 1), 3, filters=2).output_shape == (None, 28, 20, 1)


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
