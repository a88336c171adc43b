"""Every backbone: first weights follow from a seed, and outputs are float32 in any precision."""

import keras
import numpy as np
import pytest
from inside import kernels

from zoo import networks
from zoo.errors import InputError
from zoo.networks import laplacian


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
    "rectified mlp": lambda seed: networks.relu_mlp(3, 2, units=4, seed=seed),
    "maxout mlp": lambda seed: networks.maxout_mlp(3, seed=seed),
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


@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.dcgan_generator((8, 8, 1), 3, 0),
        lambda: networks.dcgan_generator((8, 8, 1), 0, 4),
        lambda: networks.dcgan_discriminator((8, 8, 1), -4),
        lambda: networks.conditional_dcgan((8, 8, 1), 2, 3, 0),
        lambda: networks.dcgan_encoder((8, 8, 1), 3, 0),
        lambda: networks.relu_mlp(2, 2, units=0),
        lambda: networks.mlp(2, 2, depth=-1),
        lambda: networks.residual_generator((8, 8, 1), 3, 0),
        lambda: networks.tapered_critic((8, 8, 1), 0),
        lambda: laplacian.dense_generator(3, (4, 4, 1), units=0),
        lambda: laplacian.residual_discriminator((8, 8, 1), filters=0),
    ],
)
def test_sizes_that_no_network_has_are_refused(make):
    with pytest.raises(InputError, match=r"must be a positive integer. Received: "):
        make()
