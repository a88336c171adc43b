import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import nearest_neighbours, neighbours, precision_recall, squared_radii, two_sample_accuracy

DRAWS = np.random.default_rng(0)
REAL = DRAWS.normal(size=(300, 6))
FAKE = DRAWS.normal(size=(250, 6)) * 0.8 + 0.3


@pytest.fixture(params=[2**23, 1000], ids=["one block", "many blocks"], autouse=True)
def block(request, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", request.param)


def all_distances(a, b):
    return np.linalg.norm(a[:, None] - b[None], axis=2)


class TestNearestNeighbours:
    def test_are_those_of_a_full_sort(self):
        distances, indices = nearest_neighbours(FAKE, REAL, k=4)
        expected = all_distances(FAKE, REAL)
        np.testing.assert_array_equal(indices, expected.argsort(axis=1)[:, :4])
        np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4], rtol=1e-12)

    def test_find_copies_at_exactly_zero_far_from_the_origin(self):
        distances, indices = nearest_neighbours(REAL[::-1] + 1e6, REAL + 1e6)
        assert not distances.any()
        np.testing.assert_array_equal(indices[:, 0], np.arange(300)[::-1])

    @pytest.mark.parametrize("far", [1e8, 1e12, -1e15])
    @pytest.mark.parametrize("side", ["queries", "references"])
    def test_stay_exact_beside_a_row_far_away(self, side, far):
        outlier = np.full((1, 6), far)
        queries = np.concatenate([FAKE, outlier]) if side == "queries" else FAKE
        references = np.concatenate([outlier, REAL]) if side == "references" else REAL
        _, indices = nearest_neighbours(queries, references, k=3)
        expected = all_distances(queries[:250], references).argsort(axis=1)[:, :3]
        np.testing.assert_array_equal(indices[:250], expected)

    def test_of_two_clusters_far_apart_stay_exact(self):
        clusters = np.concatenate([REAL - 1e9, REAL + 1e9])
        distances, indices = nearest_neighbours(FAKE + 1e9, clusters, k=2)
        expected = all_distances(FAKE + 1e9, clusters)
        np.testing.assert_array_equal(distances, np.sort(expected, axis=1)[:, :2])
        np.testing.assert_array_equal(indices, expected.argsort(axis=1, kind="stable")[:, :2])

    def test_of_bytes_do_not_wrap_around(self):
        pixels = np.array([[0], [255]], np.uint8)
        np.testing.assert_array_equal(nearest_neighbours(pixels, pixels, k=2)[0], [[0, 255], [0, 255]])

    @pytest.mark.parametrize(("k", "message"), [(0, "k=0"), (301, "at least 301 rows.*300")])
    def test_need_as_many_references(self, k, message):
        with pytest.raises(InputError, match=message):
            nearest_neighbours(FAKE, REAL, k)


class TestPrecisionRecall:
    def test_is_its_definition_written_out(self):
        real, fake = (np.sort(all_distances(rows, rows), axis=1) for rows in (REAL, FAKE))
        distances = all_distances(REAL, FAKE)
        in_real, in_wide = (distances <= real[:, k, None] for k in (3, 5))
        assert precision_recall(REAL, FAKE) == pytest.approx(
            {
                "precision": in_real.any(axis=0).mean(),
                "recall": (distances <= fake[:, 3]).any(axis=1).mean(),
                "density": in_wide.sum(axis=0).mean() / 5,
                "coverage": in_wide.any(axis=1).mean(),
            },
            rel=1e-12,
        )

    def test_a_row_far_away_moves_no_other_ball(self):
        radii = squared_radii(np.concatenate([REAL, np.full((1, 6), 1e12)]), 3, 5)[:, :300]
        np.testing.assert_allclose(radii, squared_radii(REAL, 3, 5), rtol=1e-9)

    def test_takes_radii_that_are_known(self):
        radii = squared_radii(REAL, 3, 5)
        assert precision_recall(REAL, FAKE, real_radii=radii) == precision_recall(REAL, FAKE)
        with pytest.raises(InputError, match=r"`real_radii` should be \[2, 300\]. Received: \[2, 299\]"):
            precision_recall(REAL, FAKE, real_radii=radii[:, 1:])

    @pytest.mark.parametrize("offset", [0, 1e4])
    def test_of_a_set_and_itself_counts_each_ball_with_its_surface(self, offset):
        scores = precision_recall(REAL + offset, REAL + offset)
        # A ball holds its centre, and its k neighbours up to the one on its surface.
        assert scores == pytest.approx({"precision": 1, "recall": 1, "density": 6 / 5, "coverage": 1})

    def test_of_separate_sets_is_zero(self):
        assert set(precision_recall(REAL, FAKE + 100).values()) == {0.0}

    def test_tells_a_lost_mode_from_an_invented_one(self):
        two_modes = np.concatenate([REAL, REAL + 100])
        lost, invented = precision_recall(two_modes, REAL), precision_recall(REAL, two_modes)
        assert (lost["precision"], lost["recall"], lost["coverage"]) == (1, 0.5, 0.5)
        assert (invented["precision"], invented["recall"], invented["coverage"]) == (0.5, 1, 1)

    def test_of_one_image_finds_nothing_recalled(self):
        one = np.tile(REAL[:1], (100, 1))
        scores = precision_recall(REAL, one)
        assert scores["precision"] == 1
        assert scores["recall"] == pytest.approx(1 / 300)  # the image itself
        assert scores["coverage"] < 0.1

    def test_of_constant_sets_is_all_or_nothing(self):
        constant = np.full((10, 6), 0.1)
        assert precision_recall(constant, constant)["precision"] == 1
        assert set(precision_recall(constant, constant + 1e-3).values()) == {0.0}

    @pytest.mark.parametrize(
        ("real", "fake", "message"),
        [
            (REAL[:5], FAKE, "`real_features` should have at least 6 rows.*5"),
            (REAL, FAKE[:3], "`fake_features` should have at least 4 rows.*3"),
            (REAL, FAKE[:, 1:], "same number of columns"),
            (np.full_like(REAL, np.nan), FAKE, "finite"),
        ],
    )
    def test_needs_k_neighbours(self, real, fake, message):
        with pytest.raises(InputError, match=message):
            precision_recall(real, fake)


class TestTwoSampleAccuracy:
    def test_is_a_half_for_one_distribution(self):
        score = two_sample_accuracy(*np.random.default_rng(1).normal(size=(2, 500, 4)))
        assert abs(score["accuracy"] - 0.5) < 5 * np.sqrt(0.25 / 1000)

    def test_is_one_for_separate_sets(self):
        assert set(two_sample_accuracy(REAL, REAL + 100).values()) == {1.0}

    def test_is_zero_for_copies(self):
        assert set(two_sample_accuracy(REAL, REAL[::-1]).values()) == {0.0}

    def test_of_a_mode_without_its_variety_is_fake_before_real(self):
        real = np.random.default_rng(1).normal(size=(100, 100))
        assert two_sample_accuracy(real, 0.1 * real[::-1]) == {"accuracy": 0.5, "real": 0, "fake": 1}

    def test_stays_exact_beside_a_row_far_away(self):
        alone = two_sample_accuracy(REAL[:250], FAKE)
        far = np.full((1, 6), 1e12)
        beside = two_sample_accuracy(np.concatenate([REAL[:250], far]), np.concatenate([FAKE, -far]))
        # Of the two rows far away each has its nearest neighbour in one side.
        assert beside["real"] * 251 - alone["real"] * 250 == pytest.approx(1, abs=1)
        assert beside["fake"] * 251 - alone["fake"] * 250 == pytest.approx(0, abs=1)

    def test_needs_equal_numbers(self):
        with pytest.raises(InputError, match="300 and 250"):
            two_sample_accuracy(REAL, FAKE)
