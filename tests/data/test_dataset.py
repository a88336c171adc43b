import ast
import itertools
import subprocess

import numpy as np
import pytest
import tensorflow as tf
import zygote

from zoo.data.dataset import Dataset, Split, in_memory, partition
from zoo.errors import InputError


def numbered(rows):
    """A split whose row i holds the vector [i] and the label i."""
    return Split(np.arange(rows, dtype=np.float32)[:, None], np.arange(rows, dtype=np.int32))


def labels(dataset, batches):
    return [batch["label"].tolist() for batch in dataset.take(batches).as_numpy_iterator()]


def dataset(name="cats", num_classes=None, read=None):
    return Dataset(name, (2, 2, 1), num_classes, None, "none", read)


@pytest.mark.parametrize("rows", [1, 2, 7, 64, 101])
def test_each_epoch_of_a_stream_is_a_permutation(rows):
    # Batches of 5 straddle the epochs.
    stream = np.concatenate(labels(numbered(rows).stream(5, seed=3), rows * 3))
    for epoch in stream[: rows * 15].reshape(15, rows):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(rows))


@pytest.mark.parametrize("rows", [180, 1000, 1437])
def test_epochs_and_seeds_shuffle_independently(rows):
    epochs = np.array(labels(numbered(rows).stream(rows, seed=0), 30) + labels(numbered(rows).stream(rows, seed=1), 30))
    correlations = np.corrcoef(np.concatenate([np.arange(rows)[None], epochs]))
    between = correlations[np.triu_indices(61, k=1)] * np.sqrt(rows - 1)
    # Standard normal for independent permutations; 1,830 pairs.
    assert abs(between).max() < 5
    assert between.std() == pytest.approx(1, abs=0.1)


def test_a_stream_is_the_same_every_time():
    split = numbered(10)
    assert labels(split.stream(4, seed=5), 20) == labels(split.stream(4, seed=5), 20)


@pytest.mark.parametrize("start", [1, 3, 1000])
def test_a_restarted_stream_continues_exactly(start):
    split = numbered(10)
    whole = labels(split.stream(4, seed=2), start + 6)
    assert labels(split.stream(4, seed=2, start=start), 6) == whole[start:]


def test_a_stream_starts_as_fast_after_many_batches():
    # Row 4e12 could not be reached by skipping.
    batch = next(iter(numbered(10).stream(4, start=10**12)))
    assert len(set(batch["label"].numpy()) & set(range(10))) == 4


@pytest.mark.parametrize(("replicas", "pipelines"), [(1, 1), (2, 1), (4, 1), (4, 2), (4, 4)])
def test_replicas_share_out_each_batch_in_order(replicas, pipelines):
    split, start, batches = numbered(50), 3, 9
    replicas_here = replicas // pipelines
    parts = [
        np.array(
            labels(
                split.stream(8, seed=1, start=start, replicas=replicas, pipeline=pipeline, pipelines=pipelines),
                batches * replicas_here,
            )
        ).reshape(batches, replicas_here * (8 // replicas))
        for pipeline in range(pipelines)
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), labels(split.stream(8, seed=1, start=start), batches))


MIRRORED = """
import numpy as np, tensorflow as tf
from zoo.data import Split

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
split = Split(np.arange(20, dtype=np.float32)[:, None], np.arange(20, dtype=np.int32))
batches = iter(
    strategy.distribute_datasets_from_function(
        lambda context: split.stream(
            8,
            replicas=context.num_replicas_in_sync,
            pipeline=context.input_pipeline_id,
            pipelines=context.num_input_pipelines,
        )
    )
)
print([[part.numpy().tolist() for part in next(batches)["label"].values] for _ in range(5)])
"""


def test_a_mirrored_strategy_sees_the_rows_of_the_global_batch():
    # In a process of its own: logical devices must be set before TensorFlow starts.
    command = [zygote.programs() / "python", "-c", MIRRORED]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    global_batches = labels(numbered(20).stream(8), 5)
    assert ast.literal_eval(run.stdout) == [[batch[:4], batch[4:]] for batch in global_batches]


def test_images_are_scaled_to_zero_and_one_and_keep_their_labels():
    images = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    batch = next(iter(Split(images, np.arange(256, dtype=np.int32)).stream(256)))
    assert batch["image"].dtype == tf.float32
    assert batch["label"].dtype == tf.int32
    np.testing.assert_allclose(batch["image"].numpy().ravel(), batch["label"].numpy() / 255, atol=1e-6, rtol=0)


def test_vectors_are_not_scaled():
    batch = next(iter(numbered(300).stream(300)))
    np.testing.assert_array_equal(batch["image"].numpy()[:, 0], batch["label"].numpy())


def test_the_batch_dimension_of_a_stream_is_static():
    split = Split(np.zeros((9, 4, 5, 3), np.uint8), np.zeros(9, np.int32))
    spec = split.stream(12, replicas=2).element_spec
    assert spec["image"] == tf.TensorSpec((6, 4, 5, 3), tf.float32)
    assert spec["label"] == tf.TensorSpec((6,), tf.int32)


def test_batches_are_one_pass_in_order_with_the_remainder():
    assert labels(numbered(7).batches(3), -1) == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be a positive integer. Received: batch_size=0"),
        ({"batch_size": 4, "start": -1}, "start=-1"),
        (
            {"batch_size": 30, "replicas": 4},
            "batch_size must be a multiple of the number of replicas. Received: batch_size=30, replicas=4",
        ),
        ({"batch_size": 4, "replicas": 4, "pipelines": 3}, "replicas=4, pipeline=0, pipelines=3"),
        ({"batch_size": 4, "replicas": 4, "pipeline": 2, "pipelines": 2}, "replicas=4, pipeline=2, pipelines=2"),
    ],
)
def test_a_stream_refuses_what_it_cannot_share_out(arguments, message):
    with pytest.raises(InputError, match=message):
        numbered(10).stream(**arguments)


@pytest.mark.parametrize(("rows", "labelled"), [(0, 0), (3, 2)])
def test_a_split_refuses_no_rows_and_missing_labels(rows, labelled):
    with pytest.raises(InputError, match=f"Received: {rows} rows, {labelled} labels"):
        Split(np.zeros((rows, 2), np.float32), np.zeros(labelled, np.int32))


@pytest.mark.parametrize(
    ("rows", "missing", "sizes"),
    [
        (1797, ("validation", "test"), {"train": 1437, "validation": 180, "test": 180}),
        (60_000, ("validation",), {"train": 54_000, "validation": 6_000}),
        (3_000_000, ("test",), {"train": 2_990_000, "test": 10_000}),
        (3, ("validation", "test"), {"train": 1, "validation": 1, "test": 1}),
        (5, (), {"train": 5}),
    ],
)
def test_partition_takes_a_tenth_or_ten_thousand_from_the_end(rows, missing, sizes):
    places = partition("x", rows, missing)
    assert {split: place.stop - place.start for split, place in places.items()} == sizes
    covered = sorted((place.start, place.stop) for place in places.values())
    assert covered[0] == (0, sizes["train"])
    assert covered[-1][1] == rows
    assert all(before[1] == after[0] for before, after in itertools.pairwise(covered))


def test_partition_refuses_too_few_rows():
    with pytest.raises(InputError, match=r"'x' has too few rows .* Received: 2 rows"):
        partition("x", 2)


def test_a_dataset_reads_a_split_once_and_only_when_asked():
    read = []
    data = dataset(read=lambda split: read.append(split) or numbered(3))
    assert read == []
    assert data.validation is data.validation
    assert read == ["validation"]


def test_in_memory_deals_every_row_to_one_split():
    read = in_memory("x", np.arange(30, dtype=np.float32)[:, None], np.arange(30, dtype=np.int32))
    rows = np.concatenate([read(split).labels for split in ("train", "validation", "test")])
    np.testing.assert_array_equal(rows, np.arange(30))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("mnist", "mnist"),
        ("lsun/bedroom", "lsun-bedroom"),
        ("mnist:3.0.1", "mnist-3.0.1"),
        ("folder:/x/cats/", "cats"),
        ("folder:/x/my cats", "my-cats"),
    ],
)
def test_slug_is_safe_in_a_file_name(name, slug):
    assert dataset(name).slug == slug


def test_splits_joined_by_a_plus_are_read_together():
    rows = np.arange(30, dtype=np.float32)[:, None]
    both = in_memory("x", rows, np.arange(30, dtype=np.int32))("train+validation")
    np.testing.assert_array_equal(both.images, rows[:27])
    np.testing.assert_array_equal(both.labels, np.arange(27))
