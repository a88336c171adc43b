"""The training images nearest to samples."""

import numpy as np
import pytest
from scored import DIGITS, TRAIN, UNSEEN, Blocks, rows_of

from zoo import evaluation, metrics
from zoo.evaluation import RealData, nearest


class TestNeighbours:
    def test_are_those_of_a_search_in_one_piece(self, real, monkeypatch):
        monkeypatch.setattr(nearest, "BLOCK", 50 * 256)
        found = evaluation.nearest_training_images(rows_of(UNSEEN), real).found
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
        picture = evaluation.nearest_training_images(rows_of(TRAIN), RealData(DIGITS, extractor)).picture
        assert picture.shape == (8 * 66 + 2, columns * 66 + 2, 1)
        tiles = [picture[2:66, 2 + 66 * column :][:, :64] for column in range(columns)]
        np.testing.assert_array_equal(tiles[0], tiles[1])  # a copy is nearest to what it copies
