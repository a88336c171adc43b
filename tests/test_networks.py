"""The shared backbones: the published shapes, and first weights that follow from a seed."""

import re

import keras
import numpy as np
import pytest

from zoo import networks
from zoo.errors import InputError
from zoo.layers import Dropout, SpectralNormalization


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
        assert not layers_of(critic, keras.layers.BatchNormalization, Dropout)
        first = 9 * 3 * 128 + 128 + 3 * 128 + 128
        shortcut = 128 * 128 + 128
        assert critic.count_params() == first + 7 * self.CONVOLUTION + shortcut + 128 + 1

    def test_the_last_three_blocks_may_drop_their_outputs(self):
        critic = networks.residual_critic((8, 8, 1), filters=4, dropout=(0.2, 0.5, 0.5))
        assert [layer.rate for layer in layers_of(critic, Dropout)] == [0.2, 0.5, 0.5]
        kinds = order(critic)
        assert [kinds[place - 1] for place, kind in enumerate(kinds) if kind == "Dropout"] == ["Add"] * 3

    def test_kernels_have_the_variances_of_the_authors_code(self):
        critic = networks.residual_critic((32, 32, 3))
        convolutions = layers_of(critic, keras.layers.Conv2D)
        (shortcut,) = (layer for layer in convolutions if layer.kernel.shape == (1, 1, 128, 128))
        wide = convolutions[-1]
        assert wide.kernel.numpy().std() == pytest.approx(np.sqrt(4 / (9 * 256)), rel=0.01)
        assert shortcut.kernel.numpy().std() == pytest.approx(np.sqrt(2 / 256), rel=0.02)


class TestRescaled:
    def test_inputs_and_outputs_are_multiplied(self):
        network = networks.mlp(3, 2, units=4, name="inner")
        other = networks.rescaled(network, 0.5, 3.0)
        rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        np.testing.assert_allclose(other(rows), 3 * network(rows / 2).numpy(), rtol=1e-6)
        assert other.name == "inner"
        assert other.output.dtype == "float32"


class TestWarning:
    def test_batch_normalisation_in_a_network_inside_is_seen(self):
        inner = networks.normalized_mlp(3, 1, units=4, depth=1, name="critic")
        outer = keras.Sequential([keras.Input((3,)), inner], name="outer")
        for network in (inner, outer):
            with pytest.warns(UserWarning, match=f"'{network.name}' has batch normalisation.*the whole batch"):
                networks.warn_of_batch_normalization(network)

    @pytest.mark.filterwarnings("error")
    def test_other_networks_pass_in_silence(self):
        networks.warn_of_batch_normalization(networks.mlp(3, 1, units=4))


@pytest.fixture
def mixed_bfloat16():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(policy)


BUILDERS = {
    "generator": lambda seed: networks.dcgan_generator((8, 8, 1), latent_size=3, filters=4, seed=seed),
    "discriminator": lambda seed: networks.dcgan_discriminator((8, 8, 1), filters=4, seed=seed),
    "alternating generator": lambda seed: networks.alternating_generator((8, 8, 1), 3, filters=4, seed=seed),
    "alternating discriminator": lambda seed: networks.alternating_discriminator((8, 8, 1), filters=4, seed=seed),
    "residual generator": lambda seed: networks.residual_generator((8, 8, 1), 3, filters=4, seed=seed),
    "residual critic": lambda seed: networks.residual_critic((8, 8, 1), filters=4, seed=seed),
    "mlp": lambda seed: networks.mlp(3, 2, units=4, seed=seed),
    "normalised mlp": lambda seed: networks.normalized_mlp(3, 2, units=4, depth=2, seed=seed),
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
        hidden = ["BatchNormalization", "ReLU", "Conv2DTranspose"]
        assert order(self.GENERATOR) == ["InputLayer", "Dense", "Reshape", *hidden * 6, "Activation"]
        leaky = ["Conv2D", "BatchNormalization", "LeakyReLU"] * 4
        last = ["Conv2D", "BatchNormalization", "ReLU", "Flatten", "Dense"]
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


def test_a_normalised_mlp_computes_rectified_batch_normalised_layers_and_a_linear_one():
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
        network(keras.Input((3,)))  # as `check_network` calls it
        features, outputs = networks.with_features(network)(self.X)
        np.testing.assert_allclose(features, dense[0](self.X), rtol=1e-6)
        np.testing.assert_allclose(outputs, network(self.X), rtol=1e-6)

    def test_it_has_the_networks_own_inputs_and_weights(self):
        inputs = [keras.Input((3,)), keras.Input((2,))]
        network = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(inputs)))
        both = networks.with_features(network)
        assert [tuple(tensor.shape) for tensor in both.inputs] == [(None, 3), (None, 2)]
        assert list(map(id, both.weights)) == list(map(id, network.weights))

    def test_a_subclass_is_refused(self):
        class Subclass(keras.Model):
            """A network whose layers only its `call` knows."""

        with pytest.raises(InputError, match=r"must be functional\. Received: a Subclass$"):
            networks.with_features(Subclass())

    def test_another_last_layer_is_refused(self):
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.ReLU()])
        with pytest.raises(InputError, match=r"Received: one that ends in ReLU$"):
            networks.with_features(network)


class TestPairs:
    """The encoder and the discriminator of pairs that stand on DCGAN's discriminator."""

    CONDITION = np.eye(5, dtype=np.float32)[:2]
    IMAGES = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)
    LATENTS = np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32)
    BACKBONE = 25 * 4 + 4  # parameters of one layer of 4 filters; its 4x4 map has 64 values

    def test_the_encoder_has_its_outputs_in_place_of_the_logit(self):
        encoder = networks.dcgan_encoder((8, 8, 1), 6, filters=4)
        assert encoder.count_params() == self.BACKBONE + (64 + 1) * 6
        features = keras.Model(encoder.input, encoder.layers[-1].input)(self.IMAGES)
        np.testing.assert_allclose(encoder(self.IMAGES), features @ kernels(encoder)[-1], rtol=1e-4, atol=1e-6)

    def test_the_discriminator_has_two_layers_for_the_latents_and_two_for_both(self):
        network = networks.dcgan_discriminator_of_pairs((8, 8, 1), 3, filters=4)
        dense = [(3, 32), (32, 32), (64 + 32, 64), (64, 64), (64, 1)]
        assert sorted(kernel.shape for kernel in kernels(network) if kernel.ndim == 2) == sorted(dense)
        rates = [layer.rate for layer in layers_of(network, keras.layers.Dropout)]
        assert rates == [0.2] * 5
        assert network([self.IMAGES, self.LATENTS]).shape == (2, 1)

    def test_a_condition_joins_either_by_256_linear_units(self):
        encoder = networks.dcgan_encoder((8, 8, 1), 6, filters=4, condition_size=5)
        assert encoder.count_params() == self.BACKBONE + (5 + 1) * 256 + (64 + 256 + 1) * 6
        plain, conditional = (
            networks.dcgan_discriminator_of_pairs((8, 8, 1), 3, filters=4, condition_size=size) for size in (None, 5)
        )
        assert conditional.count_params() - plain.count_params() == (5 + 1) * 256 + 256 * 64
        for network, inputs in ((encoder, [self.IMAGES]), (conditional, [self.IMAGES, self.LATENTS])):
            outputs, others = (network([*inputs, condition]) for condition in (self.CONDITION, self.CONDITION[::-1]))
            assert not np.isclose(outputs, others, atol=1e-9).any()


class TestMLPGenerator:
    def test_images_have_the_activation_and_vectors_are_linear(self):
        latents = 50 * np.random.default_rng(0).normal(size=(4, 3))
        image = networks.mlp_generator((2, 3, 1), 3, units=5, depth=2, activation="tanh", seed=1)
        vector = networks.mlp_generator((6,), 3, units=5, depth=2, activation="tanh", seed=1)
        values = vector(latents, training=True)
        np.testing.assert_allclose(image(latents, training=True), np.tanh(values).reshape(4, 2, 3, 1), atol=1e-6)
        assert vector.count_params() == 3 * 5 + 5 * 5 + 2 * 4 * 5 + (5 + 1) * 6
