import pytest

import zoo.data
from zoo.errors import InputError


def test_every_embedded_dataset_loads_by_its_name():
    for name in ("digits", "ring", "grid", "swiss_roll"):
        data = zoo.data.load(name)
        assert (data.name, data.slug) == (name, name)
        assert data.train.images.shape[1:] == data.data_shape


def test_names_lists_the_embedded_and_the_familiar():
    assert {"digits", "ring", "grid", "swiss_roll", "mnist", "lsun"} <= set(zoo.data.names())


def test_the_arguments_reach_their_reader(monkeypatch):
    monkeypatch.setattr(zoo.data.folder, "load", lambda *arguments: arguments)
    monkeypatch.setattr(zoo.data.tfds_images, "load", lambda *arguments, known: arguments)
    assert zoo.data.load("folder:/cats", image_size=8, skip_corrupt=True) == ("folder:/cats", 8, True)
    assert zoo.data.load("lsun/bedroom", data_dir="/data", image_size=8) == ("lsun/bedroom", "/data", 8)


def test_a_mistyped_embedded_dataset_is_recognised():
    with pytest.raises(InputError, match=r"Unknown dataset: 'digts'. Did you mean digits"):
        zoo.data.load("digts")


@pytest.mark.parametrize(
    ("name", "image_size", "message"),
    [
        ("mnist", 0, "image_size must be positive. Received: image_size=0"),
        ("digits", 32, "'digits' comes in one shape only. Received: image_size=32"),
        ("ring", 32, "'ring' comes in one shape only"),
    ],
)
def test_a_misplaced_image_size_is_refused(name, image_size, message):
    with pytest.raises(InputError, match=message):
        zoo.data.load(name, image_size=image_size)
