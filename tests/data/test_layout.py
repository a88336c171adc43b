import os
import sys

import numpy as np
import pytest

from zoo.data import layout
from zoo.errors import InputError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def found(root):
    """From the path of each file, as seen from `root`, to its split and class."""
    files, splits, labels, class_names = layout.find(root)
    return {
        file.relative_to(root).as_posix(): (split, class_names[label] if label >= 0 else None)
        for file, split, label in zip(files, splits.tolist(), labels.tolist(), strict=True)
    }


def test_folders_called_like_splits_are_splits(tmp_path):
    touch(tmp_path, "train/cat/0.png", "train/dog/0.png", "valid/cat/0.png", "Test/dog/0.png", "labels.txt")
    assert found(tmp_path) == {
        "train/cat/0.png": ("train", "cat"),
        "train/dog/0.png": ("train", "dog"),
        "valid/cat/0.png": ("validation", "cat"),
        "Test/dog/0.png": ("test", "dog"),
    }
    assert layout.find(tmp_path).class_names == ("cat", "dog")


def test_splits_may_hold_images_side_by_side(tmp_path):
    touch(tmp_path, "train/0.png", "test/0.png")
    assert found(tmp_path) == {"train/0.png": ("train", None), "test/0.png": ("test", None)}


def test_one_folder_called_like_a_split_among_others_is_a_class(tmp_path):
    touch(tmp_path, "car/0.png", "plane/0.png", "train/0.png")
    assert layout.find(tmp_path).class_names == ("car", "plane", "train")


@pytest.mark.parametrize(
    "names", [["train/0.png", "test/0.png", "cats/0.png"], ["val/0.png", "valid/0.png", "train/0.png"], ["test/0.png"]]
)
def test_splits_that_are_unclear_are_refused(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(InputError, match=r"one for each split: train, .* Received: "):
        layout.find(tmp_path)


def test_images_beside_the_folders_of_splits_are_refused(tmp_path):
    touch(tmp_path, "train/0.png", "test/0.png", "1.png")
    with pytest.raises(InputError, match=r"all its images in the folders test, train\. Received: .*1\.png beside them"):
        layout.find(tmp_path)


@pytest.mark.parametrize("names", [["train/cat/0.png", "test/0.png"], ["train/0.png", "test/cat/0.png"]])
def test_classes_in_some_splits_alone_are_refused(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(InputError, match=r"class folders in every split or in none\. Received: none in "):
        layout.find(tmp_path)


def test_numbered_folders_sort_as_numbers(tmp_path):
    touch(tmp_path, "10/0.png", "2/0.png", "0/0.png")
    assert layout.find(tmp_path).class_names == ("0", "2", "10")
    touch(tmp_path, "fold10/0.png", "fold9/0.png")
    assert layout.find(tmp_path).class_names == ("0", "2", "10", "fold9", "fold10")


def test_links_to_files_and_folders_are_followed(tmp_path):
    touch(tmp_path, "elsewhere/0.png", "elsewhere/1.png")
    root = tmp_path / "root"
    (root / "dogs").mkdir(parents=True)
    (root / "cats").symlink_to(tmp_path / "elsewhere")
    (root / "dogs" / "2.png").symlink_to(tmp_path / "elsewhere" / "0.png")
    assert found(root) == {
        "cats/0.png": ("train", "cats"),
        "cats/1.png": ("train", "cats"),
        "dogs/2.png": ("train", "dogs"),
    }


def test_loops_of_links_end(tmp_path):
    touch(tmp_path, "cats/0.png", "dogs/0.png")
    (tmp_path / "all").symlink_to(tmp_path)
    (tmp_path / "cats" / "up").symlink_to("..")
    (tmp_path / "cats" / "self").symlink_to("self")
    (tmp_path / "cats" / "dogs").symlink_to("../dogs")
    (tmp_path / "dogs" / "cats").symlink_to("../cats")
    assert {name: kind for name, (_, kind) in found(tmp_path).items()} == {
        "cats/0.png": "cats",
        "cats/dogs/0.png": "cats",
        "dogs/0.png": "dogs",
        "dogs/cats/0.png": "dogs",
    }


def test_pictures_of_other_formats_are_counted(tmp_path, caplog):
    touch(tmp_path, "0.png", "1.heic", "2.HEIC", "3.svg", "notes.txt")
    assert len(layout.find(tmp_path).files) == 1
    assert "of formats that are not read: 2 .heic, 1 .svg" in caplog.text
    assert "txt" not in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_shown_in_ascii(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    with open(os.fsencode(tmp_path) + b"/caf\xe9/\xff.png", "wb"):
        pass
    assert layout.find(tmp_path).class_names == (r"caf\xe9",)


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch):
    touch(tmp_path, "cats/0.png", "dogs/0.png")
    listed = layout.Path.iterdir

    def iterdir(path):
        if path.name == "dogs":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(layout.Path, "iterdir", iterdir)
    with pytest.raises(InputError, match=r"Cannot list .*dogs: Permission denied"):
        layout.find(tmp_path)


def test_the_files_of_each_split_are_shuffled_always_alike(tmp_path):
    touch(tmp_path, *(f"{split}/{kind}/{i}.png" for split in ("train", "test") for kind in "ab" for i in range(10)))
    first, second = layout.find(tmp_path), layout.find(tmp_path)
    assert first.files == second.files
    assert first.splits.tolist() == ["train"] * 20 + ["test"] * 20
    assert len(np.unique(first.labels[:6])) == 2
