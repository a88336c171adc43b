"""`zoo sample`: seeds, the files it writes, and how it fails."""

import os
import tracemalloc

import numpy as np
import pytest
import saved_models
import tensorflow as tf
from PIL import Image

from zoo.artefacts.catalogue import load
from zoo.commands.sample import npz_in_parts, parse_labels, parse_seeds
from zoo.errors import InputError


def test_sample_writes_a_picture_and_arrays(run, capsys):
    assert run("sample toy-digits --seeds 0-2,40 --label 3 --out a.png --npz b.npz") == 0
    assert capsys.readouterr() == ("a.png: 4 samples\nb.npz: 4 samples\n", "")
    assert sorted(os.listdir()) == ["a.png", "b.npz"]
    with Image.open("a.png") as image:
        assert image.size == (2 * 64 + 6, 2 * 64 + 6)
    with np.load("b.npz") as arrays:
        assert arrays["seeds"].tolist() == [0, 1, 2, 40]
        assert arrays["labels"].tolist() == [3, 3, 3, 3]
        np.testing.assert_array_equal(arrays["samples"], load("toy-digits").sample([0, 1, 2, 40], 3))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Sneaker", 1),
        ("Bag,Sneaker,0,-1", [2, 1, 0, -1]),
        ("2", 2),
        ("10", 3),  # a class of that name
        ("shark, white", 4),
        (None, None),
    ],
)
def test_labels_are_names_or_numbers(text, labels):
    assert parse_labels(text, ["Coat", "Sneaker", "Bag", "10", "shark, white"]) == labels


@pytest.mark.parametrize(
    ("text", "names"), [("Sneakr", ["Coat", "Sneaker"]), ("1.5", ["Coat"]), ("-2", None), ("", None)]
)
def test_other_labels_are_refused(text, names):
    with pytest.raises(InputError, match="Unknown class: "):
        parse_labels(text, names)


def test_a_label_for_each_seed_by_the_names_of_the_card(run, workplace):
    saved_models.save(workplace / "shoes" / "1")
    saved_models.write_card(workplace / "shoes", num_classes=2, class_names=["Bag", "Sneaker"])
    assert run("sample shoes --seeds 4-6 --label Sneaker,Bag,Sneaker --npz a.npz") == 0
    with np.load("a.npz") as arrays:
        assert arrays["labels"].tolist() == [1, 0, 1]
        np.testing.assert_array_equal(arrays["samples"], load("shoes").sample([4, 5, 6], [1, 0, 1]))


@pytest.mark.parametrize(("flags", "written"), [("", "grid.png"), ("--npz only.npz", "only.npz")])
def test_sample_writes_grid_png_unless_told_otherwise(run, flags, written):
    assert run(f"sample toy-digits --seeds 5 {flags}") == 0
    assert os.listdir() == [written]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("toy-digit --seeds 0", "Unknown pretrained model: 'toy-digit'. Did you mean toy-digits?"),
        ("toy-digits --seeds 3-1", "--seeds should look like 0-63, or 1,5,9, or 0-7,42. Received: '3-1'"),
        ("toy-digits --seeds 0 --label 10", "`labels` should lie in [-1, 9]. Received: 10"),
        ("toy-digits --seeds 0 --label a", "Unknown class: 'a'. Known: none."),
        ("toy-digits --seeds 0-2 --label 1,2", "`labels` should hold one label per seed, 3. Received: 2"),
        ("toy-digits --seeds 0 --out a.jpg", "a.jpg: should end in .png."),
        ("toy-digits --seeds 0 --out=", "'': should end in .png."),
        ("toy-digits --seeds 0 --npz a.png", "a.png: should end in .npz."),
        ("toy-digits --seeds 0 --out no/a.png", "no/a.png: its folder no does not exist or cannot be written."),
        ("toy-digits --seeds 0 --npz b.npz --out a.png/../no.png", "a.png/../no.png: its folder a.png/.. does not"),
    ],
)
def test_sample_errors_are_one_line_with_nothing_written(run, arguments, message, capsys):
    assert run(f"sample {arguments}") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"zoo: {message}")
    assert err.count("\n") == 1
    assert os.listdir() == []


def test_vectors_that_cannot_be_drawn_can_be_saved(run, workplace, capsys):
    saved_models.save(workplace / "model", lambda seed, label: saved_models.uniform(seed, label, shape=(3,)))
    assert run("sample model --seeds 0-4 --npz a.npz --out a.png") == 2
    assert "Received: shape [5, 3]" in capsys.readouterr().err
    assert os.listdir() == ["model"]
    assert run("sample model --seeds 0-4 --npz a.npz") == 0
    with np.load("a.npz") as arrays:
        assert arrays["samples"].shape == (5, 3)


def test_trusted(run, workplace, capsys):
    def body(seed, label):
        tf.print("hello", output_stream="file://greeting")
        return saved_models.uniform(seed, label)

    saved_models.save(workplace / "model", body)
    assert run("sample model --seeds 0") == 2
    assert "PrintV2" in capsys.readouterr().err
    assert os.listdir() == ["model"]
    assert run("sample model --seeds 0 --trusted") == 0
    assert sorted(os.listdir()) == ["greeting", "grid.png", "model"]


def test_many_samples_are_those_of_one_call(run, capsys):
    assert run("sample toy-digits --seeds 0-599 --label 3 --npz a.npz --out a.png") == 0
    assert capsys.readouterr().out == "a.png: 600 samples\na.npz: 600 samples\n"
    with np.load("a.npz") as arrays:
        assert arrays["samples"].dtype == np.float32
        np.testing.assert_array_equal(arrays["samples"], load("toy-digits").sample(600, 3))
        np.testing.assert_array_equal(arrays["seeds"], np.arange(600))
    with Image.open("a.png") as image:
        assert image.size == (25 * 66 + 2, 24 * 66 + 2)


def test_an_npz_takes_no_more_memory_than_its_seeds_and_a_part(tmp_path):
    seeds, labels = np.arange(1000), np.zeros(1000, np.int32)
    part = np.ones((10, 64, 64, 1), np.float32)
    tracemalloc.start()
    with npz_in_parts(tmp_path / "a.npz", seeds, labels) as append:
        for _ in range(100):
            append(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * part.nbytes
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["samples"], np.ones((1000, 64, 64, 1), np.float32))


def begin_and_fail(path):
    with npz_in_parts(path, np.arange(2), np.arange(2)) as append:
        append(np.ones((1, 4, 4, 1)))
        raise InputError("midway")


def test_what_fails_midway_leaves_no_npz(tmp_path):
    with pytest.raises(InputError, match="midway"):
        begin_and_fail(tmp_path / "a.npz")
    assert os.listdir(tmp_path) == []


def test_a_card_of_more_classes_than_can_be_drawn_costs_no_memory(run, workplace, capsys):
    saved_models.save(workplace / "many" / "1")
    saved_models.write_card(workplace / "many", num_classes=10**12)
    assert run("sample many --seeds 0 --label all") == 2
    assert "At most 10,000,000 samples are drawn at once. Received: 1,000,000,000,000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "--seeds 0-10000",
            "A picture holds at most 10,000 samples; --npz FILE and --out FOLDER/ take more. Received: 10,001",
        ),
        ("--seeds 0-1999 --label all", "A picture holds at most 10,000 samples; "),
        (
            "--seeds 0-1999999 --label all --npz a.npz",
            "At most 10,000,000 samples are drawn at once. Received: 20,000,000",
        ),
        ("--seeds 0-99 --npz a.npz --label 10", "`labels` should lie in [-1, 9]. Received: 10"),
    ],
)
def test_more_than_can_be_drawn_is_refused(run, flags, message, capsys):
    assert run(f"sample toy-digits {flags}") == 2
    assert capsys.readouterr().err.startswith(f"zoo: {message}")
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("text", "seeds"), [("0-3", [0, 1, 2, 3]), ("1,5,9", [1, 5, 9]), ("0-1,42", [0, 1, 42]), ("7-7", [7])]
)
def test_seeds(text, seeds):
    assert parse_seeds(text).tolist() == seeds


@pytest.mark.parametrize("text", ["", "a", "1,", "1--2", "-1", "2-1", "1.5", "9" * 19])
def test_seeds_refused(text):
    with pytest.raises(InputError, match="--seeds should look like"):
        parse_seeds(text)


def test_more_seeds_than_memory_holds_are_refused():
    with pytest.raises(InputError, match=r"at most 10,000,000 seeds\. Received: 3,000,000,001 or more"):
        parse_seeds("0-3000000000")


def test_a_row_for_each_class(run, capsys):
    assert run("sample toy-digits --seeds 5,7,9 --label all --npz a.npz --out a.png") == 0
    with np.load("a.npz") as arrays:
        assert arrays["seeds"].tolist() == 10 * [5, 7, 9]
        assert arrays["labels"].tolist() == [label for label in range(10) for _ in range(3)]
    with Image.open("a.png") as image:
        assert image.size == (3 * 64 + 4 * 2, 10 * 64 + 11 * 2)


def test_a_folder_gets_a_picture_of_each_sample(run, capsys):
    assert run("sample toy-digits --seeds 5,7 --label 3 --out pictures/") == 0
    assert capsys.readouterr().out == "pictures/: 2 samples\n"
    assert sorted(os.listdir("pictures")) == ["5-3.png", "7-3.png"]
    with Image.open("pictures/7-3.png") as image:
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels, np.rint(load("toy-digits").sample([7], 3)[0, ..., 0] * 255))
    assert run("sample toy-digits --seeds 5 --out /dev/null/") == 2
    assert "expected a folder" in capsys.readouterr().err
