"""The protocol: what is sampled, what is refused, and what stands beside a score."""

import numpy as np
import pytest
from scored import DIGITS, ON_FEATURES, TEST, TRAIN, UNSEEN, VALIDATION, Blocks, noise, rows_of

from zoo import data, evaluation, metrics
from zoo.errors import InputError
from zoo.evaluation import RealData, evaluate, scores


def by_function(report):
    values = {}
    for record in report.records:
        values.setdefault(record["function"], []).append(record["value"])
    return values


class TestTheProtocol:
    def test_values_are_those_of_the_scores_on_the_same_arrays(self, real):
        found = by_function(evaluate(rows_of(UNSEEN), real, ON_FEATURES, 300))
        real, fake = Blocks()(TRAIN).features, Blocks()(UNSEEN[:300])
        assert found["inception_score"] == [metrics.inception_score(fake.probabilities)[0]]
        assert found["frechet_distance"] == pytest.approx([metrics.frechet_distance(real, fake.features)], rel=1e-5)
        assert found["precision_recall"] == list(metrics.precision_recall(real, fake.features).values())
        assert found["two_sample_accuracy"] == list(metrics.two_sample_accuracy(real[:300], fake.features).values())

    def test_the_floor_is_the_score_of_test_rows(self, real):
        records = evaluate(noise, real, ON_FEATURES, 100).records
        expected = evaluate(rows_of(TEST), RealData(DIGITS, Blocks()), ON_FEATURES, 100).records
        assert [record["floor"] for record in records] == [record["value"] for record in expected]
        assert records[0]["floor_std"] == expected[0]["std"]
        assert {record["floor_n_fake"] for record in records} == {100}

    def test_a_record_says_what_its_number_depends_on(self, real):
        report = evaluate(rows_of(UNSEEN), real, ["frechet_distance", "frechet_distance"], 300)
        (record,) = report.records
        assert record.pop("seconds") >= 0
        assert record == {
            "score": "Fréchet block distance",
            "function": "frechet_distance",
            "better": "lower",
            "value": record["value"],
            "settings": {},
            "rounding": "8 bits",
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
        assert report.protocol["seconds"].keys() == {"real_data", "sampling", "features", "scores"}

    def test_nothing_is_sampled_or_extracted_in_one_piece(self, real):
        asked = []
        evaluate(lambda seeds: asked.append(seeds) or noise(seeds), real, ON_FEATURES, 600)
        assert np.concatenate(asked[1:]).tolist() == list(range(600))
        assert max(len(seeds) for seeds in asked) == max(real.extractor.batches) == 256

    def test_a_floor_of_too_few_rows_is_none(self, real, monkeypatch):
        monkeypatch.setattr(scores, "SUBSET", len(TEST) + 1)
        (record,) = evaluate(rows_of(UNSEEN), real, ["kernel_distance"], 300).records
        assert record["floor"] is record["floor_n_fake"] is None
        assert record["std"] > 0

    def test_score_is_the_bare_values(self, real):
        values = evaluation.score(rows_of(UNSEEN), real, ["inception_score", "precision_recall"], 50)
        records = evaluate(rows_of(UNSEEN), real, ["inception_score", "precision_recall"], 50).records
        assert list(values) == ["inception_score", "precision", "recall", "density", "coverage"]
        assert list(values.values()) == [record["value"] for record in records]

    def test_settings_are_those_that_the_scores_were_taken_with(self, real):
        report = evaluate(rows_of(UNSEEN), real, [*ON_FEATURES, "ms_ssim_diversity", "parzen_log_likelihood"], 300)
        settings = {record["score"]: record["settings"] for record in report.records}
        assert settings["block score"] == {"splits": 10}
        assert settings["precision"] == settings["recall"] == {"k": 3}
        assert settings["density"] == settings["coverage"] == {"k": 5}
        assert settings["MS-SSIM of pairs of a class"]["seed"] == 0
        assert len(settings["Parzen log-likelihood (nats)"]["sigmas"]) == 10

    def test_samples_are_rounded_to_the_levels_of_the_data(self, real):
        step = 1 / 255
        between = rows_of(np.clip(UNSEEN + 0.4 * step * np.sign(0.5 - UNSEEN), 0, 1))
        scores = [*ON_FEATURES, "ms_ssim_diversity", "parzen_log_likelihood"]
        assert evaluation.score(between, real, scores, 300) == evaluation.score(rows_of(UNSEEN), real, scores, 300)

    def test_ms_ssim_is_of_pairs_that_the_extractor_sees_in_one_class(self, real):
        (record,) = evaluate(rows_of(TRAIN), real, ["ms_ssim_diversity"], 1100).records
        images, floor = TRAIN[:1100], TEST
        expected, expected_floor = (
            metrics.ms_ssim_diversity(images, Blocks()(images).probabilities.argmax(axis=1))
            for images in (images, floor)
        )
        assert (record["value"], record["stderr"]) == (expected["ms_ssim"], expected["stderr"])
        assert (record["floor"], record["floor_stderr"]) == (expected_floor["ms_ssim"], expected_floor["stderr"])
        assert record["classes"] == expected["classes"]
        assert 500 < record["pairs"] <= 550
        assert (record["scales"], record["n_fake"], record["features"], record["reference"]) == (
            1,
            1100,
            "blocks",
            None,
        )

    def test_scores_of_pixels_need_no_extractor(self):
        (parzen,) = evaluate(rows_of(TRAIN), RealData(DIGITS), ["parzen_log_likelihood"], 1100).records
        flat = [images.reshape(len(images), -1) for images in (TRAIN[:1100], VALIDATION, TEST)]
        assert parzen["value"] == metrics.parzen_log_likelihood(*flat)["mean"] == parzen["floor"]
        assert (parzen["reference"], parzen["n_real"], parzen["n_fake"]) == ("digits test", 180, 1100)
        assert parzen["stderr"] > 0
        assert 0.1 <= parzen["sigma"] <= 1

    def test_modes_of_a_mixture(self):
        ring = data.load("ring")
        one_mode = ring.train.images[ring.train.labels == 3]
        scores = evaluation.default_scores(ring)
        modes, divergence, quality = evaluate(rows_of(one_mode), RealData(ring), scores, 500).records
        assert (modes["value"], modes["floor"]) == (1, 8)
        assert divergence["value"] == pytest.approx(np.log(8))
        assert divergence["floor"] < 0.1
        assert quality["value"] > 0.98

    def test_other_vectors_are_scored_by_windows(self):
        roll = data.load("swiss_roll")
        assert evaluation.default_scores(roll) == ["parzen_log_likelihood"]
        near, far = (
            evaluation.score(rows_of(points), RealData(roll), ["parzen_log_likelihood"], 500)["parzen_log_likelihood"]
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
            real = RealData(DIGITS, Blocks())
            return {
                name: evaluation.score(source, real, ON_FEATURES, 360)
                | {
                    "distances": [
                        one["pixels"]["distances"][0] for one in evaluation.nearest_training_images(source, real).found
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
            (["precision_recall"], 5, "precision_recall needs 6 samples or more: .* Received: 5"),
            (["inception_score"], 9, "inception_score needs 10 samples or more: .* Received: 9"),
            (["inception_score"], 0, "`samples` must be a positive integer. Received: samples=0"),
            (["mode_coverage"], 100, "Modes are known only for ring and grid. Received: 'digits'"),
        ],
    )
    def test_is_refused_before_sampling_starts(self, real, scores, samples, message):
        asked = []
        with pytest.raises(InputError, match=message):
            evaluate(lambda seeds: asked.extend(seeds) or noise(seeds), real, scores, samples)
        assert len(asked) <= 1
        assert real.extractor.batches == []

    def test_too_few_training_rows(self, real):
        real.extractor.dimensions = 1437
        with pytest.raises(InputError, match=r"needs 1,438 training rows of 'digits' or more: .* Received: 1,437"):
            evaluate(noise, real, ["frechet_distance"], 2000)

    def test_features_without_an_extractor(self):
        with pytest.raises(InputError, match=r"precision_recall compares features, so it needs an extractor. Received"):
            evaluate(noise, RealData(DIGITS), ["precision_recall"], 100)

    def test_images_that_are_too_small_for_the_window(self):
        ring = data.load("ring")
        with pytest.raises(
            InputError, match=r"needs images of 11 pixels per side or more. Received: .*ring.* of shape"
        ):
            evaluate(rows_of(ring.test.images), RealData(ring), ["ms_ssim_diversity"], 10)

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
    def test_samples_of_a_wrong_shape_or_range(self, real, source, message):
        with pytest.raises(InputError, match=message):
            evaluate(source, real, ["precision_recall"], 100)
        assert real.extractor.batches == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda features: features * np.nan, "`features of blocks` should be finite"),
            (lambda features: features[:, 1:], r"blocks should return features \[256, 16\]. Received: \[256, 15\]"),
        ],
    )
    def test_features_of_a_wrong_shape_or_range(self, real, change, message, monkeypatch, cache):
        original = Blocks.__call__

        def broken(self, images):
            extracted = original(self, images)
            return extracted._replace(features=change(extracted.features))

        monkeypatch.setattr(Blocks, "__call__", broken)
        with pytest.raises(InputError, match=message):
            evaluate(noise, real, ["precision_recall"], 100)
        assert list(cache.glob("*/*")) == []

    def test_an_extractor_of_a_single_class(self, real, monkeypatch):
        original, asked = Blocks.__call__, []
        monkeypatch.setattr(
            Blocks,
            "__call__",
            lambda self, images: original(self, images)._replace(probabilities=np.ones((len(images), 1))),
        )
        with pytest.raises(InputError, match=r"`probabilities` should have at least two classes. Received: 1"):
            evaluate(lambda seeds: asked.extend(seeds) or noise(seeds), real, ["inception_score"], 100)
        assert len(asked) == 1
