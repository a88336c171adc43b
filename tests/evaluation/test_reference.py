"""The cache of what is needed of a dataset: found again, told apart, and computed again where it is damaged."""

import json

import numpy as np
import pytest
from scored import DIGITS, ON_FEATURES, Blocks, noise

from zoo import data
from zoo.errors import InputError
from zoo.evaluation import Reference, evaluate
from zoo.evaluation.scores import Measured


class TestTheCache:
    def test_a_second_run_extracts_samples_alone(self, reference, capfd):
        first = evaluate(noise, reference, ON_FEATURES, 100)
        again = Reference(DIGITS, Blocks())
        second = evaluate(noise, again, ON_FEATURES, 100)
        assert (first.protocol["reference"], second.protocol["reference"]) == ("computed", "cached")
        assert again.extractor.batches == [100]
        for record in (*first.records, *second.records):
            del record["seconds"]
        assert first.records == second.records
        assert capfd.readouterr().err == ""

    def test_belongs_to_an_extractor_and_to_the_rows_of_a_dataset(self, reference, cache):
        darker = data.Dataset(
            DIGITS.name,
            DIGITS.data_shape,
            None,
            None,
            "",
            lambda split: data.Split(getattr(DIGITS, split).images // 2, getattr(DIGITS, split).labels),
        )
        other = Blocks()
        other.sha256 = "c" * 64
        for one in (reference, Reference(DIGITS, other), Reference(darker, Blocks())):
            assert not one.features.cached
        assert len(list(cache.iterdir())) == 3

    @pytest.mark.parametrize("name", ["train.npy", "statistics.npz", "files.json"])
    @pytest.mark.parametrize("contents", [b"", b"[]", b"{}", None])
    def test_a_damaged_file_is_computed_again(self, reference, cache, name, contents, capfd):
        intact = np.array(reference.features.train)
        (path,) = cache.glob(f"*/{name}")
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(whole[: len(whole) // 2] if contents is None else contents)
        again = Reference(DIGITS, Blocks())
        np.testing.assert_array_equal(again.features.train, intact)
        assert path.read_bytes() == whole or name == "statistics.npz"  # whose archive holds the time
        error = capfd.readouterr().err
        assert error.startswith(f"zoo: warning: {path.parent} is damaged and will be computed again: ")
        assert error.count("\n") == 1
        assert Reference(DIGITS, Blocks()).features.cached

    @pytest.mark.parametrize("contents", ["", "[]", '{"inception_score, 100 rows": {"value": 3}}'])
    def test_a_damaged_floor_is_measured_again(self, reference, cache, contents, capfd):
        floor = reference.floor("inception_score", 100)
        (path,) = cache.glob("*/floors.json")
        path.write_text(contents)
        assert Reference(DIGITS, Blocks()).floor("inception_score", 100) == floor
        assert capfd.readouterr().err.startswith(f"zoo: warning: {path} is damaged")
        assert Reference(DIGITS, Blocks()).floor("inception_score", 100) == floor
        assert capfd.readouterr().err == ""

    def test_an_infinite_floor_is_found_again(self, reference, cache):
        floor = Measured({"value": {"value": float("inf"), "std": 0.5}}, None, 100)
        reference._floors["inception_score, 50 rows"] = floor
        reference.floor("inception_score", 100)
        (path,) = cache.glob("*/floors.json")
        json.loads(path.read_text(), parse_constant=pytest.fail)
        assert Reference(DIGITS, Blocks()).floor("inception_score", 50) == floor

    def test_that_cannot_be_written(self, reference, tmp_path):
        (tmp_path / "cache").write_text("a file")
        with pytest.raises(InputError, match="Cannot make the folder"):
            evaluate(noise, reference, ["frechet_distance"], 100)
