"""Pictures: where every tile lands, and what cannot be drawn."""

import numpy as np
import pytest
from PIL import Image

from zoo.errors import InputError
from zoo.images import (
    GAP,
    LIGHT,
    chains,
    densities,
    grid,
    histograms,
    level_sets,
    lines,
    panels,
    picture,
    scatter,
    scatters,
    write_png,
)


def tile(pixels, row, column, side):
    """The tile at (row, column) of a grid of square tiles."""
    top, left = GAP + row * (side + GAP), GAP + column * (side + GAP)
    return pixels[top : top + side, left : left + side]


def test_grid_tiles_row_by_row_and_leaves_the_rest_light():
    images = np.zeros((5, 64, 64, 3), np.float32)
    images += np.linspace(0, 1, 5)[:, None, None, None]
    pixels = grid(images)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (2 * 64 + 3 * GAP, 3 * 64 + 4 * GAP, 3)
    for index, level in enumerate([0, 64, 128, 191, 255, LIGHT]):
        assert (tile(pixels, *divmod(index, 3), 64) == level).all()
    assert (pixels[:GAP] == LIGHT).all()
    assert (pixels[:, -GAP:] == LIGHT).all()


def test_grid_takes_a_number_of_columns():
    assert grid(np.zeros((6, 64, 64, 1)), columns=6).shape == (64 + 2 * GAP, 6 * 64 + 7 * GAP, 1)


def test_grid_enlarges_small_images_by_a_whole_factor():
    image = np.random.default_rng(0).random((1, 28, 28, 1))
    pixels = tile(grid(image), 0, 0, 84)
    np.testing.assert_array_equal(pixels[1::3, 1::3], np.rint(image[0] * 255))
    np.testing.assert_array_equal(pixels[::3, ::3], pixels[2::3, 2::3])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8)), r"shape \[n, height, width, 1 or 3\]. Received: shape \[2, 8, 8\]"),
        (np.zeros((0, 8, 8, 1)), r"Received: shape \[0, 8, 8, 1\]"),
        (np.zeros((1, 8, 8, 2)), r"Received: shape \[1, 8, 8, 2\]"),
        (np.full((1, 8, 8, 1), -1.0), r"lie in \[0, 1\]. Received: values in \[-1.0, -1.0\]"),
        (np.full((1, 8, 8, 1), 2), r"Received: values in \[2, 2\]"),
        (np.full((1, 8, 8, 1), np.nan), r"Received: values in \[nan, nan\]"),
    ],
)
def test_grid_refuses(images, message):
    with pytest.raises(InputError, match=message):
        grid(images)


def test_scatter_draws_points_where_they_are():
    corner = scatter(np.array([[0.0, 0.0], [1.0, 1.0], [0.9, 0.9]]))
    assert corner.shape == (500, 500, 3)
    assert corner.dtype == np.uint8
    coloured = (corner.max(axis=2).astype(int) - corner.min(axis=2)) > 60
    top_right, bottom_left = coloured[:250, 250:].sum(), coloured[250:, :250].sum()
    assert top_right > bottom_left > 0
    assert coloured[:200, :200].sum() == 0


def coloured(pixels):
    return (pixels.max(axis=2).astype(int) - pixels.min(axis=2)) > 60


def test_level_sets_of_a_slope_to_the_right_are_upright():
    point = np.zeros((1, 2))
    pixels = level_sets(lambda points: points[:, :1], np.array([[1.0, 1.0]]), point)
    assert pixels.shape == (500, 500, 3)
    drawn = coloured(pixels)
    columns, rows = drawn.mean(axis=0), drawn.mean(axis=1)
    assert columns.max() > 0.5  # a line from the bottom to the top
    assert rows.max() < 0.5
    lying = coloured(level_sets(lambda points: points[:, 1], np.array([[1.0, 1.0]]), point))
    assert lying.mean(axis=1).max() > 0.5


def test_densities_are_darkest_where_the_points_are_and_stand_beside_each_other():
    corner, spread = np.full((50, 2), 0.9), np.random.default_rng(0).uniform(-1, 1, (50, 2))
    pixels = densities({"corner": corner, "spread": spread}, limit=1.0)
    assert pixels.shape == (250, 400, 3)
    shades = pixels[:, :200].astype(int)
    green = shades[..., 1] - shades[..., 0] > 40  # neither the frame nor the page
    rows, columns = np.argwhere(green).mean(axis=0)
    assert rows < 60
    assert columns > 160


def test_a_histogram_a_name_and_lines_on_shared_axes():
    pixels = histograms({"narrow": np.zeros(5), "wide": np.arange(100.0)})
    assert pixels.shape == (400, 800, 3)
    narrow, wide = coloured(pixels[:, :400]).sum(), coloured(pixels[:, 400:]).sum()
    assert wide > 10 * narrow > 0
    assert lines(np.arange(3), {"up": [0, 1, 2], "down": [2, 1, 0]}, "x").shape == (500, 800, 3)


def test_panels_have_one_for_each_name_and_a_colour_for_each_run():
    runs = {
        "one": {"loss": [(0, 0.0), (9, 9.0)], "score": [(0, 1.0), (9, 1.0)]},
        "other": {"loss": [(0, 9.0), (9, 0.0)]},
    }
    pixels = panels(runs)
    assert pixels.shape == (300, 900, 3)
    halves = [{tuple(pixel) for pixel in half.reshape(-1, 3)} for half in (pixels[:, :450], pixels[:, 450:])]
    blue, orange = (31, 119, 180), (255, 127, 14)
    assert [colour in half for half in halves for colour in (blue, orange)] == [True, True, True, False]


def test_scatters_have_a_panel_a_name_three_a_row():
    data = np.array([[1.0, 1.0], [-1.0, -1.0]])
    pixels = scatters(
        data, {"none": data[:0], "many": np.linspace(-1, 1, 100)[:, None].repeat(2, 1), "c": data, "d": data}
    )
    assert pixels.shape == (600, 900, 3)
    assert coloured(pixels[:300, 300:600]).sum() > 50 > coloured(pixels[:300, :300]).sum() == 0
    assert coloured(pixels[300:, 300:]).sum() == 0


def test_picture_chooses_by_shape():
    assert picture(np.zeros((1, 64, 64, 3))).shape == (64 + 2 * GAP, 64 + 2 * GAP, 3)
    assert picture(np.zeros((7, 2))).shape == (500, 500, 3)
    with pytest.raises(InputError, match=r"or \[n, 2\]. Received: shape \[7, 3\]"):
        picture(np.zeros((7, 3)))
    with pytest.raises(InputError, match="finite"):
        picture(np.full((7, 2), np.inf))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_write_png_round_trips(tmp_path, channels, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    write_png(tmp_path / "a.png", pixels)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_chain_is_a_row_whose_images_are_enlarged_to_the_last():
    coarse, fine = np.zeros((2, 2, 3, 1)), np.stack([np.zeros((64, 64, 1)), np.ones((64, 64, 1))])
    coarse[0, 1, 2] = 0.2
    pixels = chains([coarse, fine])
    assert pixels.shape == (2 * 64 + 3 * GAP, 2 * 64 + 3 * GAP, 1)
    enlarged = np.zeros((64, 64, 1))
    enlarged[32:, 43:] = 51  # of 64 columns, the last third of 3 begins at 42.67
    for (row, column), expected in {(0, 0): enlarged, (0, 1): 0, (1, 0): 0, (1, 1): 255}.items():
        np.testing.assert_array_equal(tile(pixels, row, column, 64), np.broadcast_to(expected, (64, 64, 1)))
