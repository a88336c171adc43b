"""The cache of what is needed of a dataset: found again, told apart, and computed again where it is damaged."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scored import DIGITS, ON_FEATURES, Blocks, noise

from zoo import data, metrics
from zoo.errors import InputError
from zoo.evaluation import RealData, evaluate, real_data
from zoo.evaluation.floors import floor
from zoo.evaluation.scores import SCORES, Measured
from zoo.files import PACKAGE


class TestTheCache:
    def test_a_second_run_extracts_samples_alone(self, real, capfd):
        first = evaluate(noise, real, ON_FEATURES, 100)
        again = RealData(DIGITS, Blocks())
        second = evaluate(noise, again, ON_FEATURES, 100)
        assert (first.protocol["real_features"], second.protocol["real_features"]) == ("computed", "cached")
        assert again.extractor.batches == [100]
        for record in (*first.records, *second.records):
            del record["seconds"]
        assert first.records == second.records
        assert capfd.readouterr().err == ""

    def test_belongs_to_an_extractor_and_to_the_rows_of_a_dataset(self, real, cache):
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
        for one in (real, RealData(DIGITS, other), RealData(darker, Blocks())):
            assert not one.features.cached
        assert len(list(cache.iterdir())) == 3

    @pytest.mark.parametrize("name", ["train.npy", "statistics.npz", "files.json"])
    @pytest.mark.parametrize("contents", [b"", b"[]", b"{}", None])
    def test_a_damaged_file_is_computed_again(self, real, cache, name, contents, capfd):
        intact = np.array(real.features.train)
        (path,) = cache.glob(f"*/{name}")
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(whole[: len(whole) // 2] if contents is None else contents)
        again = RealData(DIGITS, Blocks())
        np.testing.assert_array_equal(again.features.train, intact)
        assert path.read_bytes() == whole or name == "statistics.npz"  # whose archive holds the time
        error = capfd.readouterr().err
        assert error.startswith(f"zoo: warning: {path.parent} is damaged and will be computed again: ")
        assert error.count("\n") == 1
        assert RealData(DIGITS, Blocks()).features.cached

    @pytest.mark.parametrize("contents", ["", "[]", '{"inception_score, 100 rows": {"value": 3}}'])
    def test_a_damaged_floor_is_measured_again(self, real, cache, contents, capfd):
        measured = floor(real, "inception_score", 100)
        (path,) = cache.glob("*/floors.json")
        path.write_text(contents)
        assert floor(RealData(DIGITS, Blocks()), "inception_score", 100) == measured
        assert capfd.readouterr().err.startswith(f"zoo: warning: {path} is damaged")
        assert floor(RealData(DIGITS, Blocks()), "inception_score", 100) == measured
        assert capfd.readouterr().err == ""

    def test_an_infinite_floor_is_found_again(self, real, cache, monkeypatch):
        infinite = Measured({"value": {"value": float("inf"), "std": 0.5}}, None, 50)
        score = SCORES["inception_score"]
        with monkeypatch.context() as patch:
            patch.setitem(SCORES, "inception_score", replace(score, measure=lambda real, rows: infinite))
            assert floor(real, "inception_score", 50) == infinite
        (path,) = cache.glob("*/floors.json")
        json.loads(path.read_text(), parse_constant=pytest.fail)
        assert floor(RealData(DIGITS, Blocks()), "inception_score", 50) == infinite

    @pytest.mark.parametrize("split", ["train", "validation", "test"])
    @pytest.mark.parametrize("byte", [0, 77_777, -1])
    def test_a_byte_of_any_split_makes_other_rows(self, split, byte):
        def read(name):
            rows = getattr(DIGITS, name)
            images = rows.images.copy()
            if name == split:
                images.reshape(-1)[byte % images.size] ^= 1
            return data.Split(images, rows.labels)

        changed = data.Dataset(DIGITS.name, DIGITS.data_shape, 10, None, "", read)
        assert RealData(changed).fingerprint != RealData(DIGITS).fingerprint
        assert RealData(changed).folder != RealData(DIGITS).folder

    def test_a_parzen_floor_follows_the_validation_split(self):
        bright = data.Dataset(
            DIGITS.name,
            DIGITS.data_shape,
            10,
            None,
            "",
            lambda name: data.Split(
                255 - DIGITS.validation.images if name == "validation" else getattr(DIGITS, name).images,
                getattr(DIGITS, name).labels,
            ),
        )
        sigmas = [
            floor(RealData(dataset), "parzen_log_likelihood", 100).values["parzen_log_likelihood"]["sigma"]
            for dataset in (DIGITS, bright)
        ]
        assert sigmas[0] != sigmas[1]

    def test_belongs_to_the_code_that_filled_it(self, real, monkeypatch, tmp_path):
        before = real.folder
        for room in ("metrics", "features", "evaluation"):
            (tmp_path / room).mkdir()
            for path in (PACKAGE / room).glob("*.py"):
                (tmp_path / room / path.name).write_bytes(path.read_bytes())
        with (tmp_path / "metrics" / "kernel.py").open("a") as file:
            file.write("# another version")
        monkeypatch.setattr(real_data, "PACKAGE", tmp_path)
        real_data.code_version.cache_clear()
        assert RealData(DIGITS, Blocks()).folder != before
        real_data.code_version.cache_clear()

    def test_has_the_radii_once(self, real, cache, monkeypatch, capfd):
        radii = real.squared_radii(3, 5)
        np.testing.assert_array_equal(radii, metrics.squared_radii(real.features.train, 3, 5))
        with monkeypatch.context() as patch:
            patch.setattr(metrics, "squared_radii", pytest.fail)
            np.testing.assert_array_equal(RealData(DIGITS, Blocks()).squared_radii(3, 5), radii)
        (path,) = cache.glob("*/radii-3-5.npz")
        whole = path.read_bytes()
        path.write_bytes(whole[:300] + bytes([whole[300] ^ 1]) + whole[301:])
        np.testing.assert_array_equal(RealData(DIGITS, Blocks()).squared_radii(3, 5), radii)
        assert capfd.readouterr().err.startswith(f"zoo: warning: {path} is damaged")

    def test_that_cannot_be_written(self, real, tmp_path):
        (tmp_path / "cache").write_text("a file")
        with pytest.raises(InputError, match="Cannot make the folder"):
            evaluate(noise, real, ["frechet_distance"], 100)
