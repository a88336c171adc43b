"""Signatures: which one suits a caller, and how it is called with any number of rows."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.artefacts.signatures import IMAGE, LABEL, LATENT, ROWS_AT_ONCE, SEED, call, matching, rows


def test_inputs_are_rows():
    assert rows(SEED) == tf.TensorSpec([None], tf.int64, "seed")
    assert rows(LABEL) == tf.TensorSpec([None], tf.int32, "label")
    assert rows(LATENT, 5) == tf.TensorSpec([None, 5], tf.float32, "latent")
    assert rows(IMAGE, 4, 4, 1) == tf.TensorSpec([None, 4, 4, 1], tf.float32, "image")


@pytest.fixture(scope="module")
def signatures(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("signatures") / "model")
    module = tf.Module()

    @tf.function(input_signature=[rows(SEED), rows(LABEL)])
    def total(seed, label):
        return {"total": seed + tf.cast(label, tf.int64), "rows": tf.fill(tf.shape(seed), tf.size(seed))}

    tf.saved_model.save(module, path, signatures={"total": total})
    return tf.saved_model.load(path).signatures


def test_a_signature_matches_by_name_inputs_and_output(signatures):
    assert matching(signatures, "total", {SEED, LABEL}, "rows") is signatures["total"]
    assert matching(signatures, "sum", {SEED, LABEL}, "rows") is None
    assert matching(signatures, "total", {SEED}, "rows") is None
    assert matching(signatures, "total", {SEED, LABEL}, "samples") is None


def test_many_rows_are_given_a_few_at_a_time(signatures):
    count = 2 * ROWS_AT_ONCE + 3
    inputs = {SEED: np.arange(count), LABEL: np.ones(count, np.int32)}
    total, given = call(signatures["total"], inputs, "total", "rows")
    np.testing.assert_array_equal(total, np.arange(count) + 1)
    assert sorted(set(given)) == [3, ROWS_AT_ONCE]
