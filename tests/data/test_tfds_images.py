import itertools
import socket

import numpy as np
import pytest
import tensorflow_datasets as tfds

from zoo.data import tfds_images
from zoo.errors import InputError


def image_of(row, shape=(4, 6, 3)):
    return np.full(shape, row, np.uint8)


class Fake(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Thirty rows of training data and five of test data; the pixels of a row are its number."""

    VERSION = tfds.core.Version("1.0.0")
    SIZES = (("train", 30), ("test", 5))

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(self.features()))

    def features(self):
        return {"image": tfds.features.Image(shape=(4, 6, 3)), "label": tfds.features.ClassLabel(names=["even", "odd"])}

    def row(self, number):
        return {"image": image_of(number), "label": number % 2}

    def _split_generators(self, dl_manager):
        return {split: ((i, self.row(i)) for i in range(size)) for split, size in self.SIZES}

    def _generate_examples(self):
        raise NotImplementedError


class FakeParity(Fake):
    pass


class FakeNumbered(Fake):
    """Like cifar10: a row's id tells its place before the rows were shuffled."""

    def features(self):
        return super().features() | {"id": tfds.features.Text()}

    def row(self, number):
        return super().row(number) | {"id": f"train_{number:05d}"}


class FakeThreeSplits(Fake):
    SIZES = (("train", 30), ("validation", 4), ("test", 5))


class FakeTrainOnly(Fake):
    SIZES = (("train", 30),)


class FakeTestOnly(Fake):
    SIZES = (("test", 5),)


class FakeFaces(Fake):
    """Like celeb_a: attributes, but no class label."""

    def features(self):
        return {"image": tfds.features.Image(shape=(4, 6, 3)), "attributes": {"Smiling": np.bool_, "Young": np.bool_}}

    def row(self, number):
        return {"image": image_of(number), "attributes": {"Smiling": True, "Young": False}}


class FakeScenes(Fake):
    """Like lsun: images of every size, and unlabelled."""

    def features(self):
        return {"picture": tfds.features.Image(shape=(None, None, 3))}

    def row(self, number):
        image = np.zeros((4, 4 + 2 * (number % 3), 3), np.uint8)
        image[:, number % 3 : 4 + number % 3] = number
        return {"picture": image}


class FakePartlyLabelled(Fake):
    """One label of another name, -1 where it is not known, as in stl10."""

    def features(self):
        return {"image": tfds.features.Image(shape=(4, 6, 1)), "kind": tfds.features.ClassLabel(num_classes=3)}

    def row(self, number):
        return {"image": image_of(number, (4, 6, 1)), "kind": -1 if number % 2 else 2}


class FakeUnlabelled(FakePartlyLabelled):
    """A split of rows without labels beside the others, as in stl10."""

    SIZES = (("train", 30), ("test", 5), ("unlabelled", 40))


class FakeTwoLabels(Fake):
    def features(self):
        kind = tfds.features.ClassLabel(num_classes=3)
        return {"image": tfds.features.Image(shape=(4, 6, 1)), "shape": kind, "colour": kind}


class FakeText(Fake):
    def features(self):
        return {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}


class FakeTwoImages(Fake):
    def features(self):
        return {side: tfds.features.Image(shape=(4, 6, 3)) for side in ("left", "right")}


class FakeDepth(Fake):
    def features(self):
        return {"image": tfds.features.Image(shape=(4, 6, 1), dtype=np.uint16, encoding_format="png")}


class FakeBroken(Fake):
    def row(self, number):
        raise OSError("the disk is\nfull")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tensorflow_datasets")


def numbers(split):
    return split.images[:, 1, 2, 0].tolist()


def test_missing_validation_rows_are_the_last_tenth_of_train(data_dir):
    data = tfds_images.load("fake_parity", data_dir)
    assert (data.data_shape, data.num_classes, data.class_names) == ((4, 6, 3), 2, ("even", "odd"))
    assert [len(split) for split in (data.train, data.validation, data.test)] == [27, 3, 5]
    # TFDS stores rows in an order of its own; the two splits are that order cut in two.
    stored = [int(row["image"][0, 0, 0]) for row in tfds.load("fake_parity", data_dir=data_dir)["train"]]
    assert numbers(data.train) + numbers(data.validation) == stored
    assert sorted(numbers(data.test)) == list(range(5))
    np.testing.assert_array_equal(data.train.labels, np.array(numbers(data.train)) % 2)
    assert (data.train.images.dtype, data.train.labels.dtype) == (np.uint8, np.int32)


def test_its_own_splits_are_used_whole(data_dir):
    data = tfds_images.load("fake_three_splits", data_dir)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [30, 4, 5]


def test_a_dataset_of_training_rows_alone_is_cut_in_three(data_dir):
    data = tfds_images.load("fake_train_only", data_dir)
    splits = [numbers(split) for split in (data.train, data.validation, data.test)]
    assert [len(split) for split in splits] == [24, 3, 3]
    assert sorted(itertools.chain(*splits)) == list(range(30))


def test_attributes_are_not_labels(data_dir):
    data = tfds_images.load("fake_faces", data_dir)
    assert (data.num_classes, data.class_names) == (None, None)
    assert set(data.train.labels) == {-1}


def test_train_and_validation_are_read_together_in_order(data_dir):
    for name, sizes in {"fake_parity": (27, 3), "fake_three_splits": (30, 4)}.items():
        data = tfds_images.load(name, data_dir)
        both = data.train_and_validation
        assert (len(data.train), len(data.validation)) == sizes
        assert numbers(both) == numbers(data.train) + numbers(data.validation)
        np.testing.assert_array_equal(both.labels, [*data.train.labels, *data.validation.labels])


def test_ids_lead_back_to_the_order_before_the_rows_were_shuffled(data_dir):
    stored = tfds_images.load("fake_numbered", data_dir).train_and_validation
    assert numbers(stored) != list(range(30))
    assert stored.images[tfds_images.by_id("fake_numbered", data_dir), 1, 2, 0].tolist() == list(range(30))


def test_rows_without_ids_have_no_order_but_the_stored_one(data_dir):
    with pytest.raises(InputError, match="the images of dataset 'fake_parity' have no ids"):
        tfds_images.by_id("fake_parity", data_dir)


def test_a_label_of_another_name_is_found_and_unknown_labels_stay_minus_one(data_dir):
    data = tfds_images.load("fake_partly_labelled", data_dir)
    assert (data.data_shape, data.num_classes) == ((4, 6, 1), 3)
    np.testing.assert_array_equal(data.train.labels, np.where(np.array(numbers(data.train)) % 2, -1, 2))


def test_unlabelled_rows_are_a_split_of_that_name_or_else_those_of_train(data_dir):
    data = tfds_images.load("fake_unlabelled", data_dir)
    assert [len(split) for split in (data.train, data.validation, data.test, data.unlabelled)] == [27, 3, 5, 40]
    assert sorted(numbers(data.unlabelled)) == list(range(40))
    data = tfds_images.load("fake_parity", data_dir)
    assert data.unlabelled is data.train


def test_image_size_makes_one_shape_of_many(data_dir):
    data = tfds_images.load("fake_scenes", data_dir, image_size=2)
    assert data.data_shape == (2, 2, 3)
    # The centred square of each row is filled with the number of the row.
    assert sorted(data.test.images.reshape(5, -1).tolist()) == [[number] * 12 for number in range(5)]


def test_images_of_many_sizes_need_image_size(data_dir):
    with pytest.raises(InputError, match=r"'fake_scenes' differ in size: give image_size \(--image_size\)"):
        tfds_images.load("fake_scenes", data_dir)


@pytest.fixture
def decodings(monkeypatch, tmp_path):
    """An empty cache, and the parts of datasets that are decoded into it."""
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    decoded = []
    chunks = tfds_images._chunks
    monkeypatch.setattr(
        tfds_images, "_chunks", lambda builder, part, *rest: decoded.append(part) or chunks(builder, part, *rest)
    )
    return decoded


def test_a_split_is_decoded_when_it_is_first_asked_for_and_never_again(data_dir, decodings):
    data = tfds_images.load("fake_parity", data_dir)
    assert decodings == []
    test = data.test
    assert decodings == ["test[0:5]"]
    again = tfds_images.load("fake_parity", data_dir).test
    assert decodings == ["test[0:5]"]
    np.testing.assert_array_equal(again.images, test.images)
    np.testing.assert_array_equal(again.labels, test.labels)
    _ = data.train
    assert decodings == ["test[0:5]", "train[0:27]"]


def test_a_dataset_that_was_prepared_anew_is_decoded_anew(data_dir, decodings, tmp_path, monkeypatch):
    _ = tfds_images.load("fake_parity", data_dir).test
    monkeypatch.setattr(FakeParity, "row", lambda self, number: {"image": image_of(number + 100), "label": 0})
    data = tfds_images.load("fake_parity", tmp_path)
    assert sorted(numbers(data.test)) == [100, 101, 102, 103, 104]
    assert decodings == ["test[0:5]", "test[0:5]"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fake_text", r"Received: text \(Text\), label \(ClassLabel\)"),
        ("fake_two_images", r"Received: left \(Image\), right \(Image\)"),
        ("fake_depth", "needs uint8 images. Received: uint16"),
        ("fake_broken", "'fake_broken' is not in .* cannot be prepared there: .*the disk is"),
        ("fake_test_only", "needs a split 'train'. Received: test"),
        ("fake_pairity", "Unknown dataset: 'fake_pairity'. Did you mean fake_parity"),
        ("mnits", "Did you mean mnist"),
        ("lsun/bedrom", "Unknown configuration of lsun: 'bedrom'. Did you mean bedroom"),
        ("mnist:9.9.9", "cannot open 'mnist:9.9.9': .* only: 3"),
        ("", "Unknown dataset: ''. Known: "),
        ("../etc", "Unknown dataset: '../etc'"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_one_line(data_dir, name, message):
    with pytest.raises(InputError, match=message) as caught:
        tfds_images.load(name, data_dir, known=[*tfds_images.FAMILIAR, "fake_parity"])
    assert "\n" not in str(caught.value)


def test_without_a_network_the_error_says_how_to_prepare_the_data(data_dir, monkeypatch):
    def refuse(*arguments):
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(tfds_images, "getproxies", dict)
    with pytest.raises(InputError) as caught:
        tfds_images.load("svhn_cropped", data_dir)
    message = str(caught.value)
    assert "no address for ufldl.stanford.edu" in message
    assert "tfds build svhn_cropped --data_dir DIR" in message
    assert "--data_dir" in message
    assert "'digits'" in message
    assert "\n" not in message


@pytest.fixture
def unprepared(monkeypatch):
    """Real builders as they are before their data are there, but for the sizes of their splits."""

    def pretend(name, builder):
        split = tfds.core.SplitInfo(name="train", shard_lengths=[100], num_bytes=0)
        builder.info.set_splits(tfds.core.splits.SplitDict([split]))

    monkeypatch.setattr(tfds_images, "_prepare", pretend)


@pytest.mark.parametrize(
    ("name", "image_size", "data_shape", "num_classes"),
    [
        ("mnist", None, (28, 28, 1), 10),
        ("cifar10", None, (32, 32, 3), 10),
        ("svhn_cropped", None, (32, 32, 3), 10),
        ("stl10", None, (96, 96, 3), 10),
        ("celeb_a", None, (218, 178, 3), None),
        ("celeb_a", 64, (64, 64, 3), None),
        ("lsun/bedroom", 64, (64, 64, 3), None),
        ("imagenet_resized/32x32", None, (32, 32, 3), 1000),
        ("coil100", None, (128, 128, 3), None),  # two class labels, neither called "label"
    ],
)
def test_shapes_and_classes_come_from_the_specification(
    unprepared, tmp_path, name, image_size, data_shape, num_classes
):
    data = tfds_images.load(name, tmp_path, image_size)
    assert (data.data_shape, data.num_classes) == (data_shape, num_classes)


@pytest.mark.parametrize("name", tfds_images.FAMILIAR)
def test_the_familiar_names_are_datasets_of_images(unprepared, tmp_path, name):
    assert tfds_images.load(name, tmp_path, image_size=8).data_shape[:2] == (8, 8)
