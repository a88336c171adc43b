import numpy as np
import pytest

from zoo.data import decoding
from zoo.errors import InputError


@pytest.fixture
def on_disk(monkeypatch, tmp_path):
    """Makes every array too big for memory; returns the cache folder."""
    monkeypatch.setattr(decoding, "MEMORY_LIMIT", 0)
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


IMAGES = np.random.RandomState(0).randint(0, 256, (10, 4, 3, 1), np.uint8)
LABELS = np.arange(10, dtype=np.int32)


def chunks(rows=10):
    for first in range(0, rows, 4):
        yield IMAGES[first : min(first + 4, rows)], LABELS[first : min(first + 4, rows)]


def unread():
    raise AssertionError("rows in the cache were decoded again")
    yield


def decode(rows=10, key="key", source=None):
    return decoding.decode_once(key, 10, (4, 3, 1), source or chunks(rows))


@pytest.mark.parametrize("rows", [10, 7])
def test_memory_and_disk_hold_the_same_rows(monkeypatch, tmp_path, rows):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path))
    held = decode(rows)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(decoding, "MEMORY_LIMIT", IMAGES.size - 1)
    mapped = decode(rows)
    assert isinstance(mapped[0], np.memmap)
    for images, labels in (held, mapped):
        assert (images.dtype, labels.dtype) == (np.uint8, np.int32)
        np.testing.assert_array_equal(images, IMAGES[:rows])
        np.testing.assert_array_equal(labels, LABELS[:rows])


def test_the_cache_is_reused_for_the_same_key_alone(on_disk):
    decode()
    np.testing.assert_array_equal(decode(source=unread())[0], IMAGES)
    with pytest.raises(AssertionError, match="decoded again"):
        decode(key="another", source=unread())


def test_a_failed_decode_leaves_nothing_behind(on_disk):
    def failing():
        yield from chunks(4)
        raise InputError("corrupt")

    with pytest.raises(InputError, match="corrupt"):
        decode(source=failing())
    assert list(on_disk.iterdir()) == []
    np.testing.assert_array_equal(decode()[0], IMAGES)


def test_rows_that_another_process_wrote_meanwhile_are_used(on_disk):
    def slow():
        decode()
        yield from chunks()

    np.testing.assert_array_equal(decode(source=slow())[0], IMAGES)
    assert [path.name for path in on_disk.iterdir()] == ["key"]


def test_a_full_disk_is_refused_before_anything_is_written(on_disk, monkeypatch):
    monkeypatch.setattr(decoding.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2**20}))
    with pytest.raises(InputError, match=r"key needs 1.0 GiB .* 0.0 GiB free. Set GAN_ZOO_CACHE"):
        decoding.decode_once("key", 2**20, (32, 32, 1), unread())
    assert list(on_disk.iterdir()) == []


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
