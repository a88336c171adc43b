"""Metrics of samples during a training: what they are given, where they go, and what they may not be."""

import json

import numpy as np
import pytest
from test_model import batches, make

from zoo import callbacks
from zoo.errors import InputError


def test_metrics_are_of_the_samples_after_each_epoch(tmp_path):
    model = make("DCGAN")
    seen = []
    metrics = {
        "brightness": lambda samples: samples.mean(),
        "rows": lambda samples: seen.append(samples) or len(samples),
    }
    watch = callbacks.SampleMetrics(tmp_path, metrics, samples=5)
    model.fit(batches(), steps_per_epoch=2, epochs=2, verbose=0, callbacks=[watch])
    rows = [json.loads(line) for line in (tmp_path / "sample_metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["rows"]) for row in rows] == [(2, 5.0), (4, 5.0)]
    assert rows[1]["brightness"] == pytest.approx(float(model.sample(5).mean()), abs=1e-6)
    np.testing.assert_array_equal(seen[1], model.sample(5))
    assert (tmp_path / "sample_metrics.png").is_file()


def test_what_is_no_number_is_refused(tmp_path):
    with pytest.raises(InputError, match="`metrics` should hold at least one function"):
        callbacks.SampleMetrics(tmp_path, {})
    watch = callbacks.SampleMetrics(tmp_path, {"mean": lambda samples: samples.mean(axis=0)}, samples=3)
    with pytest.raises(InputError, match="The metric mean should be a number"):
        make("DCGAN").fit(batches(), steps_per_epoch=1, verbose=0, callbacks=[watch])
