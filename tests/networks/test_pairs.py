"""Encoders and discriminators of pairs: what joins what, and where."""

import keras
import numpy as np
from inside import kernels, layers_of

from zoo import networks


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
