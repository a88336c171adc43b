"""The pictures are the models' own samples and the data's own test images, encoded alike."""

import numpy as np
import pytest
import saved_models

from zoo import data
from zoo.artefacts.catalogue import load as load_model
from zoo.data.dataset import Dataset, Split
from zoo.errors import InputError
from zoo.study import pictures
from zoo.study.pictures import Kind, Material

SEEDS = np.arange(5, 11)


def sampler(shape):
    return lambda seed, label: saved_models.uniform(seed, label, shape=shape)


def artefact(folder, name, shape=(16, 16, 1), **card):
    saved_models.save(folder / name / "1", sampler(shape))
    saved_models.write_card(folder / name, data_shape=list(shape), **card)
    return str(folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    artefact(folder, "plain")
    artefact(folder, "unconditional", num_classes=None)
    artefact(folder, "small", shape=(8, 8, 1))
    saved_models.save(folder / "bare" / "1", sampler((16, 16, 1)))
    saved_models.save(folder / "bright" / "1", lambda s, y: 1 + saved_models.uniform(s, y, shape=(16, 16, 1)))
    return folder


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def test_every_png_of_a_shape_has_the_same_length_and_keeps_its_pixels():
    chance = np.random.default_rng(0)
    for channels in (1, 3):
        shape = (28, 20, channels)
        images = [np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), *chance.integers(256, size=(20, *shape))]
        pngs = [pictures.encoded(image.astype(np.uint8)) for image in images]
        assert len({len(png) for png in pngs}) == 1
        for image, png in zip(images, pngs, strict=True):
            np.testing.assert_array_equal(pictures.decoded(png), image)


def test_a_large_picture_has_that_length_too():
    shape = (300, 200, 3)
    noise = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    assert len(pictures.encoded(noise)) == len(pictures.encoded(np.zeros(shape, np.uint8)))


def test_the_pictures_are_the_samples_and_the_test_images(folder, digits):
    path = str(folder / "plain")
    made = list(Material(digits, {"plain": path}, SEEDS, None).pictures(examples=3, checks=2))
    by_source = {}
    for one in made:
        by_source.setdefault(one.source, []).append(one)
    assert [(source, len(found)) for source, found in by_source.items()] == [
        ("real", 6), ("example", 3), ("check", 2), ("plain", 6),
    ]  # fmt: skip
    samples = load_model(path).sample(SEEDS)
    for one, seed, sample in zip(by_source["plain"], SEEDS, samples, strict=True):
        assert (one.seed, one.label) == (seed, -1)
        np.testing.assert_array_equal(pictures.decoded(one.png), np.rint(255 * sample).astype(np.uint8))
    for one in by_source[Kind.REAL] + by_source[Kind.EXAMPLE]:
        np.testing.assert_array_equal(pictures.decoded(one.png), digits.test.images[one.seed])
        assert one.label == digits.test.labels[one.seed]
    for one in by_source[Kind.CHECK]:
        image = digits.test.images[one.seed]
        assert not np.array_equal(pictures.decoded(one.png), image)
        np.testing.assert_array_equal(np.sort(pictures.decoded(one.png), axis=None), np.sort(image, axis=None))
    rows = [one.seed for one in made if one.source != "plain"]
    assert len(set(rows)) == len(rows)


def test_one_class_alone(folder, digits):
    made = list(Material(digits, {"plain": str(folder / "plain")}, SEEDS, "7").pictures(0, 0))
    assert {one.label for one in made} == {7}


@pytest.mark.parametrize(
    ("model", "label", "seeds", "message"),
    [
        ("small", None, SEEDS, r"one shape. Received: \[8, 8, 1\] of small and \[16, 16, 1\] of 'digits'"),
        ("unconditional", "7", SEEDS, "should know classes to be asked for one. Received: unconditional"),
        ("bare", "7", SEEDS, "should know classes"),
        ("bright", None, SEEDS, r"samples should lie in \[0, 1\]. Received: \[1\.\d+, 1\.\d+\] of bright"),
        ("plain", "7", np.arange(40), r"test split of 'digits' should have 40 images of class 7: .* Received: \d+"),
        ("plain", None, np.arange(181), "should have 181 images: .* Received: 180"),
    ],
)
def test_what_does_not_fit(folder, digits, model, label, seeds, message):
    with pytest.raises(InputError, match=message) as error:
        list(Material(digits, {model: str(folder / model)}, seeds, label).pictures(0, 0))
    assert "\n" not in str(error.value)


def test_a_class_that_is_not_there(digits):
    with pytest.raises(InputError, match="Unknown class of digits: 'seven'"):
        Material(digits, {}, SEEDS, "seven")


def test_a_class_without_images(folder):
    images, labels = np.zeros((6, 16, 16, 1), np.uint8), np.array([0, 0, 0, 0, 0, 0], np.int32)
    dataset = Dataset("few", (16, 16, 1), 2, ("a", "b"), "none", lambda split: Split(images, labels))
    with pytest.raises(InputError, match=r"'few' should have 6 images of class 1: .* Received: 0"):
        list(Material(dataset, {"plain": str(folder / "plain")}, SEEDS, "b").pictures(0, 0))


def test_data_that_are_no_images():
    with pytest.raises(InputError, match=r"images of 1 or 3 channels. Received: dataset 'ring' of shape \[2\]"):
        Material(data.load("ring"), {}, SEEDS, None)


def test_models_are_known_by_their_files(folder):
    plain, bare = pictures.described([str(folder / "plain"), str(folder / "bare")])
    assert (plain["name"], bare["name"], bare["version"]) == ("plain", "bare", "1")
    assert "1/saved_model.pb" in plain["files"]
    assert "1/variables/variables.index" in bare["files"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["plain", "plain"], "of different names, .* Received: plain, plain"),
        (["nothing"], "Unknown pretrained model"),
    ],
)
def test_models_that_cannot_take_part(folder, models, message):
    with pytest.raises(InputError, match=message):
        pictures.described([str(folder / name) for name in models])


def test_a_model_may_not_be_called_real(tmp_path):
    with pytest.raises(InputError, match=r"none of them real, example, check\. Received: real"):
        pictures.described([artefact(tmp_path, "real")])


def test_a_damaged_model_is_refused(tmp_path):
    path = artefact(tmp_path, "damaged")
    with (tmp_path / "damaged" / "1" / "saved_model.pb").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="damaged"):
        pictures.described([path])
