"""`zoo interpolate`: which latents lie on the way, the files it writes, and how it fails."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import metrics
from zoo.artefacts.catalogue import load
from zoo.artefacts.walks import walk
from zoo.errors import InputError


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    """Exported models, untrained: one of a uniform prior, one of a normal prior, one that samples by class."""
    folder = tmp_path_factory.mktemp("artefacts")
    models = {
        "uniform": zoo.DCGAN((8, 8, 1), latent_size=6, filters=2),
        "normal": zoo.LSGAN((8, 8, 1), latent_size=6, filters=2, seed=1),
        "by_class": zoo.CGAN((8, 8, 1), num_classes=3, latent_size=6),
    }
    for name, model in models.items():
        model.export(folder / name)
    return folder


@pytest.mark.parametrize("name", ["uniform", "by_class"])
def test_the_way_passes_through_every_seed(artefacts, name):
    model = load(artefacts / name)
    ways = walk(model, np.array([3, 7, 12]), 5, truncation=1.0)
    assert ways.shape == (2, 5, 6)
    latents = model.latents([3, 7, 12])
    np.testing.assert_allclose(ways[:, 0], latents[:2], atol=1e-6)
    np.testing.assert_allclose(ways[:, -1], latents[1:], atol=1e-6)
    np.testing.assert_allclose(ways[0], metrics.interpolate(latents[0], latents[1], 5, "uniform"), atol=1e-6)
    np.testing.assert_allclose(model.decode(latents, 1), model.sample([3, 7, 12], 1), atol=1e-6)


def test_truncation_pulls_towards_the_centre_of_the_prior(artefacts):
    model = load(artefacts / "uniform")
    seeds = np.array([3, 7])
    whole, half = (walk(model, seeds, 3, truncation) for truncation in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, atol=1e-6)


def test_pictures_and_animations(artefacts, run, capsys):
    assert run(f"interpolate {artefacts}/uniform --seeds 3,7,12 --steps 4") == 0
    assert capsys.readouterr().out == "walk.png: 2 ways of 4 samples\n"
    with Image.open("walk.png") as image:
        assert image.size == (4 * 64 + 5 * 2, 2 * 64 + 3 * 2)
    assert run(f"interpolate {artefacts}/by_class --seeds 3,7,12 --steps 4 --label 2 --out walk.gif") == 0
    with Image.open("walk.gif") as image:
        assert image.n_frames == 7
        assert image.info["duration"] == 120


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("uniform --seeds 3", "A way needs two seeds or more. Received: 3"),
        ("uniform --seeds 3,4 --steps 1", "`steps` should be 2 or more. Received: 1"),
        ("uniform --seeds 3,4,5 --steps 5001", "At most 10,000 samples are drawn at once. Received: 10,002"),
        ("uniform --seeds 3,4 --out a.jpg", "a.jpg: should end in .png or .gif."),
        ("uniform --seeds 3,4 --truncation 2", "--truncation should lie in [0, 1]. Received: 2.0"),
        ("by_class --seeds 3,4", "`labels` should be a class in [0, 2] for each row"),
        ("by_class --seeds 3,4 --label Dog", "Unknown class: 'Dog'"),
    ],
)
def test_command_lines_that_are_refused(artefacts, run, capsys, line, message):
    assert run(f"interpolate {artefacts}/{line}") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("numbers", [{"loc": "x"}, {}, {"loc": float("nan")}])
def test_a_prior_without_numbers_is_refused(artefacts, numbers):
    model = load(artefacts / "normal")
    model.card["prior"] = {"name": "Normal", **numbers}
    with pytest.raises(InputError, match="its card states a prior without numbers"):
        walk(model, np.arange(2), 3)


def test_a_model_without_one_latent_vector_is_refused(run, capsys):
    assert run("interpolate toy-digits --seeds 3,4") == 2
    assert "expected a signature latents(seed, label) that returns latent" in capsys.readouterr().err


def test_points_are_scattered(run, workplace):
    model = zoo.UnrolledGAN((2,), latent_size=6)
    model.export(workplace / "points")
    assert run("interpolate points --seeds 3,4") == 0
    with Image.open("walk.png") as image:
        assert image.size == (500, 500)
    assert run("interpolate points --seeds 3,4 --out walk.gif") == 2


def test_a_latent_of_another_size_is_refused(artefacts):
    model = load(artefacts / "uniform")
    for latents in (np.zeros((2, 7)), np.zeros(6)):
        with pytest.raises(
            InputError, match=r"generate: `latent` should be of shape \[n, 6\]\. Received: \["
        ) as caught:
            model.decode(latents)
        assert str(caught.value).endswith(str(list(latents.shape)))


def test_features_of_an_artefact_are_the_models(artefacts):
    model = load(artefacts / "by_class")
    images = np.random.default_rng(0).uniform(0, 1, (5, 8, 8, 1)).astype("float32")
    features = model.features(images, [0, 1, 2, 0, 1])
    assert features.shape == (5, 240)
    np.testing.assert_allclose(features[2:3], model.features(images[2:3], 2), atol=1e-6)
    with pytest.raises(InputError, match="Received: row 0 of image of shape"):
        model.features(images * 300, 1)
    with pytest.raises(InputError, match=r"`labels` should be a class in \[0, 2\]"):
        model.features(images)
