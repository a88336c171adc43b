"""Between a seed and a score: latents, samples of latents, features."""

import numpy as np
import pytest
from test_model import SHAPE, make

from zoo.errors import InputError

IMAGES = np.random.default_rng(0).uniform(0, 1, (4, *SHAPE)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return make("CGAN", ema_decay=0.9)


def test_samples_are_what_the_latents_become(model):
    latents = model.latents([3, 2**40])
    assert latents.shape == (2, model.latent_size)
    np.testing.assert_array_equal(model.decode(latents, [0, 2]), model.sample([3, 2**40], [0, 2]))


def test_inversion_finds_samples_again_and_says_how_far_the_nearest_sample_is(model):
    samples = model.sample(6, [0, 1, 2, 0, 1, 2])
    latents, distances = model.invert(samples, [0, 1, 2, 0, 1, 2], starts=3)
    assert (latents.shape, distances.shape) == ((6, model.latent_size), (6,))
    others = np.linalg.norm((samples - np.roll(samples, 3, axis=0)).reshape(6, -1), axis=1)  # of the same class
    assert (distances < 0.1 * others).all()
    latents, distances = model.invert(IMAGES, 1, starts=2, iterations=5)
    apart = (model.decode(latents, 1) - IMAGES).reshape(4, -1)
    np.testing.assert_allclose(distances, np.linalg.norm(apart, axis=1), rtol=1e-5)


def test_latents_of_an_inversion_lie_where_the_prior_draws(model):
    latents, _ = make("GAN").invert(IMAGES, starts=1, iterations=20)  # a uniform prior
    assert np.abs(latents).max() <= np.sqrt(3)


def test_features_go_into_the_last_layer(model):
    features = model.features(IMAGES, 1)
    last = model.discriminator.layers[-1]
    scores = model.score(model._from_unit(IMAGES), np.full(4, 1))
    np.testing.assert_allclose(last(features), scores, atol=1e-5)


def test_features_of_a_graph_are_exported(model):
    assert "features" in model.signatures()
    assert "features" not in make("EBGAN").signatures()


def test_what_does_not_fit_says_why(model):
    with pytest.raises(InputError, match=r"`latents` should be \[n, .*Received: shape \[3\]"):
        model.decode(np.zeros(3))
    with pytest.raises(InputError, match="`labels` should hold a class in"):
        model.decode(model.latents(2))
    with pytest.raises(InputError, match="`labels` should hold a class in"):
        model.features(IMAGES)
    with pytest.raises(InputError, match="The discriminator of EBGAN has no features"):
        make("EBGAN").features(IMAGES)
    with pytest.raises(InputError, match="LAPGAN has no single latent vector"):
        make("LAPGAN").decode(np.zeros((1, 4)))
    with pytest.raises(InputError, match="LAPGAN has no single latent vector"):
        make("LAPGAN").invert(IMAGES)
    with pytest.raises(InputError, match="starts"):
        model.invert(IMAGES, 1, starts=0)
    with pytest.raises(InputError, match="AffGAN samples without latents"):
        make("AffGAN").latents(1)
