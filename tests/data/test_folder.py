import os

import numpy as np
import pytest
from PIL import Image

from zoo.data import folder, pictures
from zoo.errors import InputError


def write(path, colour, size=(6, 4), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def fill(root, count=20, **options):
    """`count` images; every pixel of the i-th is i."""
    for i in range(count):
        write(root / f"{i:03}.png", (i, i, i), **options)


def load(root, *arguments):
    return folder.load(f"folder:{root}", *arguments)


def rows(data):
    splits = (data.train, data.validation, data.test)
    return np.concatenate([split.images for split in splits]), np.concatenate([split.labels for split in splits])


def test_a_flat_folder_is_dealt_to_the_splits_once_and_for_all(tmp_path):
    fill(tmp_path)
    data = load(tmp_path)
    assert (data.data_shape, data.num_classes, data.class_names) == ((4, 6, 3), None, None)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [16, 2, 2]
    images, labels = rows(data)
    np.testing.assert_array_equal(np.sort(images[:, 0, 0, 0]), np.arange(20))
    assert list(images[:, 0, 0, 0]) != list(range(20))
    assert set(labels) == {-1}
    np.testing.assert_array_equal(rows(load(tmp_path))[0], images)


def test_class_folders_give_labels_in_the_order_of_their_names(tmp_path):
    for i in range(6):
        write(tmp_path / "dogs" / f"{i}.png", (100 + i,) * 3)
        write(tmp_path / "cats" / "deeper" / f"{i}.png", (i,) * 3)
    data = load(tmp_path)
    assert (data.num_classes, data.class_names) == (2, ("cats", "dogs"))
    images, labels = rows(data)
    np.testing.assert_array_equal(labels, images[:, 0, 0, 0] // 100)
    assert labels.sum() == 6


def test_files_that_are_not_images_or_are_hidden_are_ignored(tmp_path):
    fill(tmp_path, 3)
    (tmp_path / "readme.txt").write_text("cats")
    write(tmp_path / ".thumbnails" / "a.png", 7)
    (tmp_path / "._000.png").write_bytes(b"resource fork")
    assert len(rows(load(tmp_path))[0]) == 3


@pytest.mark.parametrize("suffix", sorted(pictures.SUFFIXES))
def test_every_format_is_read(tmp_path, suffix):
    for i in range(3):
        write(tmp_path / f"{i}{suffix}", (200, 100, 50))
    images, _ = rows(load(tmp_path))
    np.testing.assert_allclose(images[0, 0, 0].astype(int), (200, 100, 50), atol=4)


def test_grey_files_are_one_channel_unless_one_has_colour(tmp_path):
    write(tmp_path / "bits.png", 1, mode="1")
    write(tmp_path / "bytes.png", 100, mode="L")
    write(tmp_path / "palette.png", 50, mode="P")
    Image.linear_gradient("L").resize((6, 4)).convert("P").point(lambda level: 50).save(tmp_path / "palette.png")
    write(tmp_path / "alpha.png", (0, 51), mode="LA")
    data = load(tmp_path)
    assert data.data_shape == (4, 6, 1)
    assert sorted(rows(data)[0][:, 0, 0, 0]) == [50, 100, 204, 255]
    write(tmp_path / "colour.png", (1, 2, 3))
    data = load(tmp_path)
    assert data.data_shape == (4, 6, 3)
    assert [1, 2, 3] in rows(data)[0][:, 0, 0].tolist()


@pytest.mark.parametrize(("levels", "bits"), [((4095, 819), 12), ((65535, 13107), 16)])
def test_values_of_12_bits_in_16_are_noticed(tmp_path, caplog, levels, bits):
    """The darker file is on the scale of the brighter one."""
    for name, level in (("full", levels[0]), ("fifth", levels[1]), ("dark", 0)):
        Image.fromarray(np.full((4, 6), level, np.uint16)).save(tmp_path / f"{name}.png")
    data = load(tmp_path)
    assert data.data_shape == (4, 6, 1)
    assert sorted(rows(data)[0][:, 0, 0, 0]) == [0, 51, 255]
    assert ("2 files of 16 bits" in caplog.text) == (bits == 12)


def test_image_size_crops_and_resizes_images_of_every_shape(tmp_path):
    for i, size in enumerate([(6, 4), (5, 9), (4, 4)]):
        write(tmp_path / f"{i}.png", (i, i, i), size=size)
    data = load(tmp_path, 4)
    assert data.data_shape == (4, 4, 3)
    images, _ = rows(data)
    assert sorted(images.mean(axis=(1, 2, 3))) == [0, 1, 2]


def test_images_of_two_sizes_need_image_size(tmp_path):
    fill(tmp_path, 5)
    write(tmp_path / "odd.png", 0, size=(9, 9))
    with pytest.raises(InputError, match=r"needs image_size .*1 of its 6 images are not 6x4. Received: odd.png of 9x9"):
        load(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere, which is not a folder"):
        load(tmp_path / "nowhere")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match=r"holds no images; their names end in .*\.jpg"):
        load(tmp_path)


def test_a_folder_of_two_images_is_refused(tmp_path):
    fill(tmp_path, 2)
    with pytest.raises(InputError, match=r"too few rows .* Received: 2 rows"):
        load(tmp_path)


def test_images_beside_class_folders_are_refused(tmp_path):
    fill(tmp_path, 2)
    write(tmp_path / "cats" / "a.png", 0)
    with pytest.raises(InputError, match=r"Received: 2 images such as 000.png beside folders such as cats"):
        load(tmp_path)


@pytest.fixture
def damaged(tmp_path):
    """Five good images, one that is no image at all, one that lacks its end, and one that a link leads nowhere to."""
    noise = np.random.RandomState(0).randint(0, 256, (4, 6, 3), np.uint8)
    for i in range(5):
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    (tmp_path / "no image.png").write_bytes(b"nothing of the kind")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "lost.png").symlink_to("nowhere.png")
    return tmp_path


def test_corrupt_files_are_counted_and_refused_with_the_reason_of_each(damaged):
    reasons = (
        r"lost.png \(No such file or directory\), no image.png \(cannot identify image file\), "
        r"truncated.png \(image file is truncated"
    )
    with pytest.raises(InputError, match=rf"3 of 8 .*: {reasons}.*\)\. .*--skip_corrupt"):
        load(damaged)


def test_skip_corrupt_leaves_corrupt_files_out_and_says_so(damaged, caplog):
    data = load(damaged, None, True)
    assert len(rows(data)[0]) == 5
    assert "left out: 3 of 8" in caplog.text
    assert "truncated.png" in caplog.text


def test_a_pipe_is_no_image(tmp_path):
    fill(tmp_path, 3)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match=r"pipe.png \(not a regular file\)"):
        load(tmp_path)


def test_a_class_of_corrupt_files_is_refused(tmp_path):
    fill(tmp_path / "cats", 4)
    fill(tmp_path / "dogs", 4)
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "0.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"needs an image for each class. .*training image of birds"):
        load(tmp_path, None, True)


def test_only_the_first_few_of_many_corrupt_files_are_named(tmp_path):
    fill(tmp_path, 3)
    for name in "abcde":
        (tmp_path / f"{name}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"5 of 8 .*: a.png \(.*\), b.png \(.*\), c.png \(.*\), \.\.\.\. "):
        load(tmp_path)


@pytest.mark.parametrize("skip_corrupt", [False, True])
def test_a_folder_of_corrupt_files_alone_is_refused(tmp_path, skip_corrupt):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 of 1 image files .* cannot be read: a.png \(cannot identify image file\)"):
        load(tmp_path, None, skip_corrupt)


def test_a_folder_is_decoded_once_for_each_way_of_reading_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    images = tmp_path / "images"
    fill(images)
    data = load(images)
    assert isinstance(data.train.images, np.memmap)
    cached = (tmp_path / "cache" / "decoded").iterdir
    assert len(list(cached())) == 1
    assert load(images, 2).data_shape == (2, 2, 3)
    assert len(list(cached())) == 2
    monkeypatch.setattr(folder.pictures, "header", None)
    monkeypatch.setattr(folder.pictures, "pixels", None)
    np.testing.assert_array_equal(rows(load(images))[0], rows(data)[0])


def test_the_fingerprint_follows_the_rows_and_not_the_times(tmp_path):
    for kind in ("cats", "dogs"):
        fill(tmp_path / kind, 5)
    fingerprint = load(tmp_path).fingerprint
    os.utime(tmp_path / "cats" / "003.png", (0, 0))
    assert load(tmp_path).fingerprint == fingerprint
    write(tmp_path / "cats" / "003.png", (9, 9, 9))
    changed = load(tmp_path).fingerprint
    assert changed != fingerprint
    (tmp_path / "dogs").rename(tmp_path / "foxes")
    assert load(tmp_path).fingerprint not in (changed, fingerprint)
