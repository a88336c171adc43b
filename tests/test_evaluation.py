"""Scores of sample sources and of SavedModels: the protocol, the floor, the cache, neighbours and battles."""

import itertools
import json

import numpy as np
import pytest
import saved_models
import tensorflow as tf
from scored import Blocks, save_fighter

from zoo import data, evaluation, metrics
from zoo.errors import InputError
from zoo.evaluation import Reference, evaluate
from zoo.pretrained import load

DIGITS = data.load("digits")
TRAIN, VALIDATION, TEST = (split.images / np.float32(255) for split in (DIGITS.train, DIGITS.validation, DIGITS.test))
UNSEEN = np.concatenate([VALIDATION, TEST])
ON_FEATURES = ["inception_score", "frechet_distance", "precision_recall", "two_sample_accuracy"]


def rows_of(images):
    """A source whose seed s is row s of `images`, counted round."""
    return lambda seeds: images[seeds % len(images)]


def noise(seeds):
    return np.random.default_rng(seeds[0]).random((len(seeds), 16, 16, 1), np.float32)


def by_function(report):
    values = {}
    for record in report.records:
        values.setdefault(record["function"], []).append(record["value"])
    return values


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "scores"


@pytest.fixture
def reference():
    return Reference(DIGITS, Blocks())


class TestTheProtocol:
    def test_values_are_those_of_the_scores_on_the_same_arrays(self, reference):
        found = by_function(evaluate(rows_of(UNSEEN), reference, ON_FEATURES, 300))
        real, fake = Blocks()(TRAIN).features, Blocks()(UNSEEN[:300])
        assert found["inception_score"] == [metrics.inception_score(fake.probabilities)[0]]
        assert found["frechet_distance"] == pytest.approx([metrics.frechet_distance(real, fake.features)], rel=1e-5)
        assert found["precision_recall"] == list(metrics.precision_recall(real, fake.features).values())
        assert found["two_sample_accuracy"] == list(metrics.two_sample_accuracy(real[:300], fake.features).values())

    def test_the_floor_is_the_score_of_test_rows(self, reference):
        records = evaluate(noise, reference, ON_FEATURES, 100).records
        expected = evaluate(rows_of(TEST), Reference(DIGITS, Blocks()), ON_FEATURES, 100).records
        assert [record["floor"] for record in records] == [record["value"] for record in expected]
        assert records[0]["floor_std"] == expected[0]["std"]
        assert {record["floor_n_fake"] for record in records} == {100}

    def test_a_record_says_what_its_number_depends_on(self, reference):
        report = evaluate(rows_of(UNSEEN), reference, ["frechet_distance", "frechet_distance"], 300)
        (record,) = report.records
        assert record.pop("seconds") >= 0
        assert record == {
            "score": "Fréchet block distance",
            "function": "frechet_distance",
            "better": "lower",
            "value": record["value"],
            "features": "blocks",
            "features_sha256": "b" * 64,
            "reference": "digits train",
            "n_real": 1437,
            "n_fake": 300,
            "seeds": "0..299",
            "floor": record["floor"],
            "floor_split": "test",
            "floor_n_real": 1437,
            "floor_n_fake": 180,
        }
        assert report.protocol["seconds"].keys() == {"reference", "sampling", "features", "scores"}

    def test_nothing_is_sampled_or_extracted_in_one_piece(self, reference):
        asked = []
        evaluate(lambda seeds: asked.append(seeds) or noise(seeds), reference, ON_FEATURES, 600)
        assert np.concatenate(asked[1:]).tolist() == list(range(600))
        assert max(len(seeds) for seeds in asked) == max(reference.extractor.batches) == 256

    def test_a_floor_of_too_few_rows_is_none(self, reference, monkeypatch):
        monkeypatch.setattr(evaluation, "SUBSET", len(TEST) + 1)
        (record,) = evaluate(rows_of(UNSEEN), reference, ["kernel_distance"], 300).records
        assert record["floor"] is record["floor_n_fake"] is None
        assert record["std"] > 0

    def test_score_is_the_bare_values(self, reference):
        values = evaluation.score(rows_of(UNSEEN), reference, ["inception_score", "precision_recall"], 50)
        records = evaluate(rows_of(UNSEEN), reference, ["inception_score", "precision_recall"], 50).records
        assert list(values) == ["inception_score", "precision", "recall", "density", "coverage"]
        assert list(values.values()) == [record["value"] for record in records]

    def test_scores_of_pixels_need_no_extractor(self):
        ssim, parzen = evaluate(
            rows_of(TRAIN), Reference(DIGITS), ["ms_ssim_diversity", "parzen_log_likelihood"], 1100
        ).records
        assert ssim["value"] == metrics.ms_ssim_diversity(TRAIN[:1000])["ms_ssim"]
        assert ssim["floor"] == metrics.ms_ssim_diversity(TEST)["ms_ssim"]
        assert (ssim["scales"], ssim["n_fake"], ssim["features"], ssim["reference"]) == (1, 1000, None, None)
        flat = [images.reshape(len(images), -1) for images in (TRAIN[:1100], VALIDATION, TEST)]
        assert parzen["value"] == metrics.parzen_log_likelihood(*flat)["mean"] == parzen["floor"]
        assert (parzen["reference"], parzen["n_real"], parzen["n_fake"]) == ("digits test", 180, 1100)
        assert parzen["stderr"] > 0
        assert 0.1 <= parzen["sigma"] <= 1

    def test_modes_of_a_mixture(self):
        ring = data.load("ring")
        one_mode = ring.train.images[ring.train.labels == 3]
        scores = evaluation.default_scores(ring)
        modes, divergence, quality = evaluate(rows_of(one_mode), Reference(ring), scores, 500).records
        assert (modes["value"], modes["floor"]) == (1, 8)
        assert divergence["value"] == pytest.approx(np.log(8))
        assert divergence["floor"] < 0.1
        assert quality["value"] > 0.98

    def test_other_vectors_are_scored_by_windows(self):
        roll = data.load("swiss_roll")
        assert evaluation.default_scores(roll) == ["parzen_log_likelihood"]
        near, far = (
            evaluation.score(rows_of(points), Reference(roll), ["parzen_log_likelihood"], 500)["parzen_log_likelihood"]
            for points in (roll.train.images, roll.train.images + 5)
        )
        assert near > far


class TestRanking:
    """The failures that everyone would name, through the same path as a model."""

    @pytest.fixture(scope="class")
    def found(self, tmp_path_factory):
        sources = {
            "good": rows_of(UNSEEN),
            "one image": rows_of(UNSEEN[:1]),
            "noise": noise,
            "copies": rows_of(TRAIN),
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GAN_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
            reference = Reference(DIGITS, Blocks())
            return {
                name: evaluation.score(source, reference, ON_FEATURES, 360)
                | {
                    "distances": [
                        one["pixels"]["distances"][0]
                        for one in evaluation.nearest_training_images(source, reference).found
                    ]
                }
                for name, source in sources.items()
            }

    @pytest.mark.parametrize("failure", ["one image", "noise"])
    def test_failures_are_far_from_the_data(self, found, failure):
        good, bad = found["good"], found[failure]
        assert bad["frechet_distance"] > 10 * good["frechet_distance"]
        assert bad["coverage"] < 0.1 < 0.5 < good["coverage"]
        assert bad["two_sample_accuracy"] > 0.9 > 0.6 > good["two_sample_accuracy"]

    def test_one_image_is_of_one_class_and_noise_of_no_quality(self, found):
        assert found["one image"]["inception_score"] == pytest.approx(1)
        assert found["one image"]["recall"] < 0.1
        assert found["noise"]["precision"] < 0.1

    def test_copies_are_nearer_than_the_data_itself(self, found):
        assert found["copies"]["two_sample_accuracy"] < 0.1 < 0.4 < found["good"]["two_sample_accuracy"]
        assert max(found["copies"]["distances"]) == 0 < min(found["good"]["distances"])


class TestWhatCannotBeScored:
    @pytest.mark.parametrize(
        ("scores", "samples", "message"),
        [
            (["frechet_distence"], 100, "Unknown score: 'frechet_distence'. Did you mean frechet_distance"),
            (["frechet_distance"], 16, "frechet_distance needs 17 samples or more: .* Received: 16"),
            (["kernel_distance"], 999, "kernel_distance needs 1,000 samples or more: .* Received: 999"),
            (["precision_recall"], 3, "precision_recall needs 4 samples or more: .* Received: 3"),
            (["inception_score"], 9, "inception_score needs 10 samples or more: .* Received: 9"),
            (["inception_score"], 0, "`samples` must be a positive integer. Received: samples=0"),
            (["mode_coverage"], 100, "mode_coverage needs a dataset of known modes: ring or grid. Received: 'digits'"),
        ],
    )
    def test_is_refused_before_sampling_starts(self, reference, scores, samples, message):
        asked = []
        with pytest.raises(InputError, match=message):
            evaluate(lambda seeds: asked.extend(seeds) or noise(seeds), reference, scores, samples)
        assert len(asked) <= 1
        assert reference.extractor.batches == []

    def test_too_few_training_rows(self, reference):
        reference.extractor.dimensions = 1437
        with pytest.raises(InputError, match=r"needs 1,438 training rows of 'digits' or more: .* Received: 1,437"):
            evaluate(noise, reference, ["frechet_distance"], 2000)

    def test_features_without_an_extractor(self):
        with pytest.raises(InputError, match=r"precision_recall compares features, so it needs an extractor. Received"):
            evaluate(noise, Reference(DIGITS), ["precision_recall"], 100)

    def test_images_that_are_too_small_for_the_window(self):
        ring = data.load("ring")
        with pytest.raises(InputError, match=r"needs images of 11 pixels a side or more. Received: .*ring.* of shape"):
            evaluate(rows_of(ring.test.images), Reference(ring), ["ms_ssim_diversity"], 10)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (
                lambda seeds: np.zeros((len(seeds), 28, 28, 1)),
                r"\[1, 16, 16, 1\].* 'digits'.*Received: \[1, 28, 28, 1\]",
            ),
            (lambda seeds: noise(seeds) * np.nan, "`samples` should be finite. Received: 256 NaN"),
            (lambda seeds: noise(seeds) * 255, r"`samples` should lie in \[0, 1\]"),
        ],
    )
    def test_samples_of_a_wrong_shape_or_range(self, reference, source, message):
        with pytest.raises(InputError, match=message):
            evaluate(source, reference, ["precision_recall"], 100)
        assert reference.extractor.batches == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda features: features * np.nan, "`features of blocks` should be finite"),
            (lambda features: features[:, 1:], r"blocks should return features \[256, 16\]. Received: \[256, 15\]"),
        ],
    )
    def test_features_of_a_wrong_shape_or_range(self, reference, change, message, monkeypatch, cache):
        original = Blocks.__call__

        def broken(self, images):
            extracted = original(self, images)
            return extracted._replace(features=change(extracted.features))

        monkeypatch.setattr(Blocks, "__call__", broken)
        with pytest.raises(InputError, match=message):
            evaluate(noise, reference, ["precision_recall"], 100)
        assert list(cache.glob("*/*")) == []

    def test_an_extractor_of_a_single_class(self, reference, monkeypatch):
        original, asked = Blocks.__call__, []
        monkeypatch.setattr(
            Blocks,
            "__call__",
            lambda self, images: original(self, images)._replace(probabilities=np.ones((len(images), 1))),
        )
        with pytest.raises(InputError, match=r"`probabilities` should have at least two classes. Received: 1"):
            evaluate(lambda seeds: asked.extend(seeds) or noise(seeds), reference, ["inception_score"], 100)
        assert len(asked) == 1


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

    def test_that_cannot_be_written(self, reference, tmp_path):
        (tmp_path / "cache").write_text("a file")
        with pytest.raises(InputError, match="Cannot make the folder"):
            evaluate(noise, reference, ["frechet_distance"], 100)


class TestNeighbours:
    def test_are_those_of_a_search_in_one_piece(self, reference, monkeypatch):
        monkeypatch.setattr(evaluation, "BLOCK", 50 * 256)
        found = evaluation.nearest_training_images(rows_of(UNSEEN), reference).found
        spaces = {
            "pixels": lambda images: images.reshape(len(images), -1),
            "features": lambda images: Blocks()(images)[0],
        }
        for space, project in spaces.items():
            distances, rows = metrics.nearest_neighbours(project(UNSEEN[:8]), project(TRAIN), 3)
            assert [one[space]["rows"] for one in found] == rows.tolist()
            np.testing.assert_allclose([one[space]["distances"] for one in found], distances)
        assert [one["seed"] for one in found] == list(range(8))

    @pytest.mark.parametrize(("extractor", "columns"), [(None, 4), (Blocks(), 7)])
    def test_picture_has_a_row_a_sample(self, extractor, columns):
        picture = evaluation.nearest_training_images(rows_of(TRAIN), Reference(DIGITS, extractor)).picture
        assert picture.shape == (8 * 66 + 2, columns * 66 + 2, 1)
        tiles = [picture[2:66, 2 + 66 * column :][:, :64] for column in range(columns)]
        np.testing.assert_array_equal(tiles[0], tiles[1])  # a copy is nearest to what it copies


class TestBattles:
    def test_a_sharp_discriminator_beats_a_blind_one(self, tmp_path):
        # Digits have a mean of 0.1 to 0.5. One score is shifted, and so is its boundary.
        sharp = save_fighter(tmp_path / "sharp", 0.0, lambda mean: 3.3 - tf.abs(mean - 0.3), decision_boundary=3.0)
        blind = save_fighter(tmp_path / "blind", 1.0, tf.ones_like, decision_boundary=0.0)
        (battle,) = evaluation.battles({"sharp": sharp, "blind": blind}, DIGITS)
        assert battle == ("sharp", "blind", {"r_test": 1.0, "r_sample": 0.0, "winner": "first"}, "")
        (battle,) = evaluation.battles({"blind": blind, "sharp": sharp}, DIGITS)
        assert battle.result["winner"] == "second"

    def test_who_cannot_fight(self, tmp_path):
        models = {
            "one": save_fighter(tmp_path / "one", 0.0, tf.ones_like, decision_boundary=0.0),
            "critic": save_fighter(tmp_path / "critic", 0.0, tf.ones_like, decision_boundary=None),
            "sampler": save_fighter(tmp_path / "sampler", 0.0, None, decision_boundary=0.0),
            "labelled": save_fighter(tmp_path / "labelled", 0.0, tf.ones_like, decision_boundary=0.0, num_classes=10),
        }
        found = evaluation.battles(models, DIGITS)
        assert [(battle.first, battle.second) for battle in found] == list(itertools.combinations(models, 2))
        assert [battle.result for battle in found] == [None] * 6
        assert [battle.reason for battle in found[:3]] == [
            "critic has no decision_boundary in its card, as a critic has none",
            "sampler has no signature discriminate(image, label) that returns score",
            "labelled judges an image by its label, which the other's samples lack",
        ]


class TestFiles:
    def report(self, **changes):
        record = {"score": "s", "function": "f", "value": 1.5, "features": None, "reference": "digits train"}
        return evaluation.Report([record | changes], {"dataset": "digits", "seconds": {"scores": 1.0}})

    def test_json_states_the_artefact(self, tmp_path):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        (path,) = evaluation.write(tmp_path / "a" / "b", model, self.report(value=float("inf")), None)
        contents = json.loads(path.read_text(), parse_constant=pytest.fail)
        assert contents["artefact"] == {"name": "toy", "version": 1, "files": model.card["files"]}
        assert contents["peak_memory_mib"] > 50
        assert contents["scores"][0]["value"] == "inf"
        assert contents["dataset"] == "digits"

    @pytest.mark.parametrize(("path", "version"), [("model", None), ("model/7", 7)])
    def test_artefact_without_a_card(self, tmp_path, path, version):
        saved_models.save(tmp_path / path)
        found = evaluation.artefact(load(tmp_path / path))
        assert (found["name"], found["version"]) == ("model", version)
        assert list(found["files"]) == ["saved_model.pb"]

    def test_card_keeps_other_scores_and_replaces_the_same(self, tmp_path):
        model = save_fighter(tmp_path / "toy", 0.5, None)
        evaluation.write_card(model, self.report(), "zoo evaluate toy")
        evaluation.write_card(model, self.report(value=2.5, seconds=3), "zoo evaluate toy --samples=5")
        scores = load(tmp_path / "toy").card["scores"]
        assert [score["score"] for score in scores] == ["classifier score", "s"]
        assert scores[1] == {
            "score": "s",
            "value": 2.5,
            "features": None,
            "reference": "digits train",
            "command": "zoo evaluate toy --samples=5",
        }


def test_the_leading_value_of_every_score_is_the_first_that_it_measures():
    rows = np.random.default_rng(0).uniform(size=(1100, 16, 16, 1)).astype(np.float32)
    reference = evaluation.Reference(DIGITS, Blocks())
    for name in set(evaluation.SCORES) - {"mode_coverage", "parzen_log_likelihood"}:
        values = evaluation.score(lambda seeds: rows[seeds], reference, [name], 1100)
        assert next(iter(values)) == evaluation.leading_value(name)
    ring = evaluation.Reference(data.load("ring"))
    values = evaluation.score(lambda seeds: np.zeros((len(seeds), 2), np.float32), ring, ["mode_coverage"], 10)
    assert next(iter(values)) == evaluation.leading_value("mode_coverage")
