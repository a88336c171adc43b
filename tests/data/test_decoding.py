import hashlib
import json

import numpy as np
import pytest

from zoo.data import decoding
from zoo.data.dataset import Split
from zoo.errors import InputError

IMAGES = np.random.RandomState(0).randint(0, 256, (10, 4, 3, 1), np.uint8)
LABELS = np.arange(10, dtype=np.int32)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The folder of decoded rows."""
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "decoded"


def chunks(rows=10):
    for first in range(0, rows, 4):
        yield IMAGES[first : min(first + 4, rows)], LABELS[first : min(first + 4, rows)]


def decode(source=None, name="digits", **settings):
    def undecoded():
        return decoding.Undecoded(10, (4, 3, 1), chunks() if source is None else source)

    return decoding.decode_once(name, settings, undecoded)


def unread():
    raise AssertionError("rows in the cache were decoded again")
    yield


@pytest.mark.parametrize("rows", [10, 7])
def test_all_rows_are_mapped_even_if_they_are_fewer_than_was_thought(cache, rows):
    images, labels, _ = decode(chunks(rows))
    assert isinstance(images, np.memmap)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int32)
    np.testing.assert_array_equal(images, IMAGES[:rows])
    np.testing.assert_array_equal(labels, LABELS[:rows])


@pytest.mark.parametrize("rows", [10, 7])
def test_a_split_streams_the_mapped_rows(cache, rows):
    images, labels, _ = decode(chunks(rows))
    (batch,) = Split(images[1:], labels[1:]).batches(10)
    np.testing.assert_array_equal(batch["image"], IMAGES[1:rows].astype(np.float32) / 255)
    np.testing.assert_array_equal(batch["label"], LABELS[1:rows])


def test_the_cache_is_reused_for_the_same_name_and_settings_alone(cache):
    decode(size=4)
    np.testing.assert_array_equal(decode(unread(), size=4).images, IMAGES)
    for other in ({"name": "letters", "size": 4}, {"size": 5}):
        with pytest.raises(AssertionError, match="decoded again"):
            decode(unread(), **other)


def test_the_arrays_lie_beside_the_settings_that_made_them(cache):
    decoded = decode(chunks(7), name="lsun/bedroom", size=4)
    (folder,) = cache.iterdir()
    assert folder.name.startswith("lsun-bedroom-")
    settings = json.loads((folder / "settings.json").read_text())
    sha256 = hashlib.sha256(IMAGES[:7].tobytes() + LABELS[:7].tobytes()).hexdigest()
    assert settings == {"format": decoding.FORMAT, "size": 4, "rows": 7, "shape": [4, 3, 1], "sha256": sha256}
    assert decoded.sha256 == sha256


def test_a_failed_decode_leaves_nothing_behind(cache):
    def failing():
        yield from chunks(4)
        raise InputError("corrupt")

    with pytest.raises(InputError, match="corrupt"):
        decode(failing())
    assert list(cache.iterdir()) == []
    np.testing.assert_array_equal(decode().images, IMAGES)


def test_rows_that_another_process_wrote_meanwhile_are_used(cache):
    def slow():
        decode()
        yield from chunks()

    np.testing.assert_array_equal(decode(slow()).images, IMAGES)
    assert len(list(cache.iterdir())) == 1


def test_no_rows_are_refused(cache):
    with pytest.raises(InputError, match="holds no images"):
        decode(chunks(0))


def test_a_damaged_cache_is_named(cache):
    decode()
    (folder,) = cache.iterdir()
    (folder / "images.raw").write_bytes(b"short")
    with pytest.raises(InputError, match=rf"{folder} is damaged: .* Remove it"):
        decode()


def test_a_full_disk_is_refused_before_anything_is_written(cache, monkeypatch):
    monkeypatch.setattr(decoding.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2**20}))
    with pytest.raises(InputError, match=r"digits.* needs 1.0 GiB .* 0.0 GiB free. Set GAN_ZOO_CACHE"):
        decoding.decode_once("digits", {}, lambda: decoding.Undecoded(2**20, (32, 32, 1), unread()))
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"Cannot make the folder .*file/decoded"):
        decode()


def test_the_default_cache_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("GAN_ZOO_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert decoding.cache_dir() == tmp_path / ".cache" / "gan-zoo"


def test_centre_square_keeps_the_middle_of_the_longer_side():
    wide = np.tile(np.arange(8, dtype=np.uint8), (4, 1))[..., None]
    np.testing.assert_array_equal(decoding.centre_square(wide, 4)[..., 0], np.tile([2, 3, 4, 5], (4, 1)))
    np.testing.assert_array_equal(
        decoding.centre_square(wide.transpose(1, 0, 2), 4)[..., 0], np.tile([2, 3, 4, 5], (4, 1)).T
    )


def test_centre_square_averages_areas_and_rounds():
    image = np.array([[0, 255, 10, 10], [255, 255, 10, 11], [4, 4, 0, 0], [4, 4, 0, 0]], np.uint8)[..., None]
    # 191.25 -> 191 and 10.25 -> 10.
    np.testing.assert_array_equal(decoding.centre_square(image, 2)[..., 0], [[191, 10], [4, 0]])
    assert decoding.centre_square(np.full((2, 2, 1), 255, np.uint8), 1).numpy().item() == 255
