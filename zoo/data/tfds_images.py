"""Every dataset of TensorFlow Datasets that has an image feature.

The features come from the builder's specification. Images are the feature called "image", or the only image feature;
labels are the class label called "label", or the only class label; otherwise the dataset has no labels. Its own splits
"train", "validation", "test" and "unlabelled" are used; if "validation" or "test" is missing, it is cut from the end of
"train" (`partition`).
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from zoo.data.dataset import Dataset, Split, partition
from zoo.data.decoding import Undecoded, centre_square, decode_once
from zoo.errors import InputError, first_line, unknown
from zoo.files import expanded
from zoo.labels import NO_LABEL

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

CHUNK = 256  # rows decoded at a time
# Datasets to list and to suggest. TFDS has hundreds more, and only building each would tell which hold images.
FAMILIAR = (
    "caltech101",
    "cats_vs_dogs",
    "celeb_a",
    "celeb_a_hq",
    "cifar10",
    "cifar100",
    "emnist",
    "fashion_mnist",
    "food101",
    "imagenet2012",
    "imagenet_resized",
    "imagenette",
    "kmnist",
    "lfw",
    "lsun",
    "mnist",
    "omniglot",
    "oxford_flowers102",
    "quickdraw_bitmap",
    "stanford_dogs",
    "stl10",
    "svhn_cropped",
    "tf_flowers",
)


def load(
    name: str,
    data_dir: str | os.PathLike | None = None,
    image_size: int | None = None,
    known: Iterable[str] = FAMILIAR,
) -> Dataset:
    """Downloads and prepares a dataset if necessary; each split is decoded when it is first read.

    Args:
        name: a name as in TFDS, such as "lsun/bedroom" or "mnist:3.0.1".
        data_dir: where TFDS keeps its datasets; None for its default.
        image_size: crops each image to its central square and resizes it to this many pixels per side; None keeps the
            images as they are.
        known: the names to suggest if `name` does not exist.

    Returns:
        The dataset.

    Raises:
        InputError: there is no such dataset or configuration; it has no image feature, or several; its images are not
            uint8, or differ in size and there is no `image_size`; its data cannot be downloaded; it has no split
            "train".
    """
    builder = _builder(name, data_dir, known)
    image = _image_feature(name, builder)
    label = _label_feature(builder)
    shape = _data_shape(name, builder.info.features[image].shape, image_size)
    _prepare(name, builder)
    places = _places(name, {split: info.num_examples for split, info in builder.info.splits.items()})

    def read(split: str) -> Split:
        parts = [places[part] for part in split.split("+")]
        spec = "+".join(f"{source}[{rows.start}:{rows.stop}]" for source, rows in parts)
        count = sum(rows.stop - rows.start for _, rows in parts)
        settings = {
            "dataset": builder.info.full_name,
            "part": spec,
            "image": image,
            "label": label,
            "image_size": image_size,
            "files": _stamps(builder),
        }
        decoded = decode_once(
            f"{name}-{split}",
            settings,
            lambda: Undecoded(count, shape, _chunks(builder, spec, image, label, image_size)),
        )
        return Split(decoded.images, decoded.labels)

    class_label = builder.info.features[label] if label else None
    licence = builder.info.redistribution_info.license
    return Dataset(
        name=name,
        data_shape=shape,
        num_classes=class_label.num_classes if class_label else None,
        class_names=tuple(class_label.names) if class_label else None,
        licence=licence or f"not stated by TensorFlow Datasets; see {builder.info.homepage}",
        read=read,
        has_unlabelled="unlabelled" in places,
    )


def by_id(name: str, data_dir: str | os.PathLike | None = None) -> np.ndarray:
    """The rows of "train" in the order of their feature "id": int64 `[n]`, their indices in the stored order.

    TFDS shuffles what it stores; the ids of CIFAR-10 and CIFAR-100 number the images in the order of the original
    files.

    Raises:
        InputError: there is no such dataset, or it has no ids.
    """
    import tensorflow_datasets as tfds

    builder = _builder(name, data_dir, FAMILIAR)
    if "id" not in _features(builder):
        raise InputError(f"the images of dataset {name!r} have no ids")
    _prepare(name, builder)
    with _quiet():
        rows = builder.as_dataset(
            split="train", decoders=tfds.decode.PartialDecoding({"id"}), read_config=_in_stored_order()
        )
    ids = rows.map(lambda row: row["id"], deterministic=True).batch(CHUNK)
    return np.argsort(np.concatenate(list(ids.as_numpy_iterator())), kind="stable")


def _in_stored_order() -> tfds.ReadConfig:
    import tensorflow_datasets as tfds

    return tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)


def _builder(name: str, data_dir: str | os.PathLike | None, known: Iterable[str]) -> tfds.core.DatasetBuilder:
    import tensorflow_datasets as tfds

    if str(data_dir).startswith("~"):  # it may also be an address such as gs://bucket, not a `Path`
        data_dir = expanded(data_dir)
    try:
        return tfds.builder(name, data_dir=data_dir)
    except Exception as error:  # TFDS raises errors of many types, over many lines
        dataset, _, config = name.partition(":")[0].partition("/")
        if dataset not in tfds.list_builders(with_community_datasets=False):
            raise unknown("dataset", name, known) from error
        if isinstance(error, ValueError) and config not in (configs := tfds.builder_cls(dataset).builder_configs):
            raise unknown(f"configuration of {dataset}", config, configs) from error
        raise InputError(f"TensorFlow Datasets cannot open {name!r}: {first_line(error)}") from error


def _image_feature(name: str, builder: tfds.core.DatasetBuilder) -> str:
    import tensorflow_datasets as tfds

    features = _features(builder)
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if "image" not in images and len(images) != 1:
        received = ", ".join(f"{key} ({type(feature).__name__})" for key, feature in features.items())
        raise InputError(
            f"dataset {name!r} needs an image feature called 'image', or just one of another name. "
            f"Received: {received or type(builder.info.features).__name__}"
        )
    image = "image" if "image" in images else images[0]
    if features[image].np_dtype != np.uint8:
        raise InputError(f"dataset {name!r} needs uint8 images. Received: {np.dtype(features[image].np_dtype)}")
    return image


def _label_feature(builder: tfds.core.DatasetBuilder) -> str | None:
    import tensorflow_datasets as tfds

    labels = [
        key
        for key, feature in _features(builder).items()
        if isinstance(feature, tfds.features.ClassLabel) and feature.num_classes
    ]
    if "label" in labels:
        return "label"
    return labels[0] if len(labels) == 1 else None


def _features(builder: tfds.core.DatasetBuilder) -> dict[str, tfds.features.FeatureConnector]:
    """The top-level features by name; empty for a dataset of sequences, such as videos."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    return dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}


def _data_shape(name: str, spec: tuple[int | None, ...], image_size: int | None) -> tuple[int, int, int]:
    height, width, channels = spec
    if image_size:
        height = width = image_size
    if height is None or width is None:
        raise InputError(f"the images of dataset {name!r} differ in size: give image_size (--image_size)")
    return height, width, channels


def _prepare(name: str, builder: tfds.core.DatasetBuilder) -> None:
    """Downloads and prepares the data, unless that has been done."""
    try:
        with _quiet():
            prepared = builder.is_prepared()
        if not prepared:
            _require_network(builder)
            builder.download_and_prepare()
    except Exception as error:  # of the network, of the disk, or of the dataset's own code
        raise InputError(
            f"dataset {name!r} is not in {builder.data_dir} and cannot be prepared there: {first_line(error)}. "
            f"Run `tfds build {name} --data_dir DIR` where there is a network and give DIR as data_dir (--data_dir), "
            "or use 'digits', which needs no download"
        ) from error


def _require_network(builder: tfds.core.DatasetBuilder) -> None:
    """Raises `OSError` if no host of the dataset can be found; TFDS would first retry each file for minutes."""
    hosts = sorted({host for url in builder.url_infos or () if (host := urlsplit(url).hostname)})
    if getproxies() or not hosts:
        return
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, None)
            return
    raise OSError(f"no network: no address for {', '.join(hosts)}")


def _places(name: str, sizes: dict[str, int]) -> dict[str, tuple[str, slice]]:
    """For each split of the zoo, the builder's split that holds it, and the range of its rows there."""
    if "train" not in sizes:
        raise InputError(f"dataset {name!r} needs a split 'train'. Received: {', '.join(sizes) or 'no splits'}")
    own = {split: (split, slice(0, sizes[split])) for split in ("validation", "test", "unlabelled") if split in sizes}
    missing = [split for split in ("validation", "test") if split not in own]
    return own | {split: ("train", rows) for split, rows in partition(name, sizes["train"], missing).items()}


def _chunks(
    builder: tfds.core.DatasetBuilder, split: str, image: str, label: str | None, image_size: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of a split in stored order, in chunks: uint8 `[k, height, width, channels]` images and `[k]` labels."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    def row(example):
        pixels = centre_square(example[image], image_size) if image_size else example[image]
        return pixels, example[label] if label else tf.constant(NO_LABEL, tf.int64)

    with _quiet():
        rows = builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding({image, label} if label else {image}),
            read_config=_in_stored_order(),
        )
    rows = rows.map(row, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    yield from rows.batch(CHUNK).prefetch(1).as_numpy_iterator()


def _stamps(builder: tfds.core.DatasetBuilder) -> list[str]:
    """The names, sizes and modification times of the dataset's files."""
    files = sorted(builder.data_path.iterdir())
    return [f"{file.name} {(stat := file.stat()).length} {stat.mtime}" for file in files]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses TFDS's warnings about its own workings."""
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
