"""Pictures of samples, scores and logs, such as grids of images and scatter plots, as uint8 arrays and files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zoo.errors import InputError
from zoo.files import replacing

TILE = 64  # pixels: smaller images are enlarged to at least this size, to be recognisable
GAP = 2  # pixels between tiles
LIGHT = 230  # grey level of the gaps and of empty tiles
MARKED = 50  # the points of a curve with fewer points than this are marked
FRAME = 120  # milliseconds per frame of an animation
SLACK = 1e-3  # how far rounding may carry a pixel out of [0, 1]


def picture(samples: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Draws images `[n, height, width, channels]` as a `grid`, points `[n, 2]` by `scatter`.

    Raises:
        InputError: the samples have another shape or lie outside their range.
    """
    if samples.ndim == 4:
        return grid(samples, columns)
    if samples.shape[1:] == (2,):
        return scatter(samples)
    raise InputError(f"Samples to draw should have shape [n, height, width, channels] or [n, 2]. {_received(samples)}")


def drawable(data_shape: tuple[int, ...]) -> bool:
    """Whether `picture` can draw samples, each of this shape."""
    return data_shape == (2,) or (len(data_shape) == 3 and data_shape[-1] in (1, 3))


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images `[n, height, width, channels]` in [0, 1], with 1 or 3 channels, as uint8.

    Raises:
        InputError: the shape is another, or values lie outside [0, 1] or are NaN.
    """
    if images.ndim != 4 or images.size == 0 or images.shape[-1] not in (1, 3):
        raise InputError(f"Images should have shape [n, height, width, 1 or 3]. {_received(images)}")
    if not (images.min() >= -SLACK and images.max() <= 1 + SLACK):
        raise InputError(f"Images should lie in [0, 1]. Received: values in [{images.min()}, {images.max()}]")
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Tiles images row by row, enlarging small ones by a whole factor.

    Args:
        images: `[n, height, width, channels]` in [0, 1], 1 or 3 channels.
        columns: tiles per row; by default the grid is as nearly square as n allows.

    Returns:
        uint8 `[picture height, picture width, channels]`.

    Raises:
        InputError: the shape is another, or values lie outside [0, 1] or are NaN.
    """
    pixels = to_bytes(images)
    factor = math.ceil(TILE / max(pixels.shape[1:3]))
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)

    n, height, width, channels = pixels.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    tiles = np.full((rows * columns, GAP + height, GAP + width, channels), LIGHT, np.uint8)
    tiles[:n, GAP:, GAP:] = pixels
    tiles = tiles.reshape(rows, columns, *tiles.shape[1:]).swapaxes(1, 2)
    tiled = tiles.reshape(rows * (GAP + height), columns * (GAP + width), channels)
    return np.pad(tiled, ((0, GAP), (0, GAP), (0, 0)), constant_values=LIGHT)


def strips(samples: dict[str, np.ndarray], columns: int) -> np.ndarray:
    """Draws a strip of images below each name, as uint8 `[height, width, 3]`.

    Args:
        samples: equally many images for each name, `[n, height, width, channels]` in [0, 1], with 1 or 3 channels.
        columns: how many strips stand side by side.
    """
    rows = math.ceil(len(samples) / columns)
    figure = _figure(4 * columns, 0.75 * rows)
    for place in figure.subplots(rows, columns, squeeze=False).flat:
        place.set_axis_off()
    for axes, (name, images) in zip(figure.axes, samples.items(), strict=False):
        axes.set_title(name, fontsize=9, pad=3)
        axes.imshow(grid(images, columns=len(images)), cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
    return _rendered(figure)


def chains(stages: Sequence[np.ndarray]) -> np.ndarray:
    """A `grid` of the stages of samples, one row per sample, each image enlarged to the size of the last stage.

    Args:
        stages: arrays `[n, height, width, channels]` in [0, 1], in order; the images of the last are the largest.
    """
    height, width = stages[-1].shape[1:3]
    enlarged = [
        stage.take(np.arange(height) * stage.shape[1] // height, axis=1).take(
            np.arange(width) * stage.shape[2] // width, axis=2
        )
        for stage in stages
    ]
    tiles = np.stack(enlarged, axis=1)
    return grid(tiles.reshape(-1, *tiles.shape[2:]), columns=len(stages))


def scatter(points: np.ndarray) -> np.ndarray:
    """Draws points `[n, 2]` on equal axes, as uint8 `[500, 500, 3]`.

    Raises:
        InputError: the shape is another, or values are not finite.
    """
    if points.shape[1:] != (2,) or not np.isfinite(points).all():
        raise InputError(f"Points should be finite and have shape [n, 2]. {_received(points)}")
    figure = _figure(5, 5)
    axes = figure.add_subplot(aspect="equal", adjustable="datalim")
    axes.scatter(points[:, 0], points[:, 1], s=4, linewidths=0)
    return _rendered(figure)


def curves(rows: list[dict[str, float]]) -> np.ndarray:
    """Draws training logs against the step, losses above and other logs below, as uint8 `[800, 800, 3]`.

    Args:
        rows: dicts with "step" and the value of each log that the step has.
    """
    figure = _figure(8, 8)
    upper, lower = figure.subplots(2, sharex=True)
    for name, points in sorted(_points(rows).items()):
        axes = upper if name.endswith("_loss") else lower
        axes.plot(*zip(*points, strict=True), label=name, linewidth=1)
    lower.set_xlabel("step")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    return _rendered(figure)


def score_curves(rows: list[dict[str, float]]) -> np.ndarray:
    """Draws scores against the step, each on its own axes, by `panels`.

    Args:
        rows: dicts with "step" and the value of each score that the step has.
    """
    return panels({"": _points(rows)})


def _points(rows):
    """The pairs of step and value of each log, by its name."""
    points = {}
    for row in rows:
        for name in row.keys() - {"step"}:
            points.setdefault(name, []).append((row["step"], row[name]))
    return points


def panels(runs: dict[str, dict[str, list[tuple[float, float]]]]) -> np.ndarray:
    """Draws the logs of runs: one panel for each log, shared by all runs, two panels per row of 300 pixels.

    Args:
        runs: for each run's name, its logs: for each log's name, pairs of step and value. A legend names the runs if
            there are several.

    Returns:
        uint8 `[h, 900, 3]`.
    """
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    height = -(-len(names) // 2)
    figure = _figure(9, 3 * height)
    for place, name in enumerate(names, start=1):
        axes = figure.add_subplot(height, 2, place, title=name, xlabel="step")
        for colour, (title, run) in enumerate(runs.items()):
            if points := run.get(name):
                marker = "." if len(points) < MARKED else None
                axes.plot(*zip(*points, strict=True), marker=marker, linewidth=1, label=title, color=f"C{colour}")
        axes.grid(alpha=0.3)
        if len(runs) > 1:
            axes.legend(fontsize="small")
    return _rendered(figure)


def level_sets(score: Callable[[np.ndarray], np.ndarray], data: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Draws the level sets of a critic around data and samples, as uint8 `[500, 500, 3]`.

    Args:
        score: a function from points, float32 `[n, 2]`, to their scores, `[n]` or `[n, 1]`.
        data: points `[n, 2]`, which determine what part of the plane is drawn.
        samples: points `[n, 2]`.
    """
    limit = 1.3 * np.abs(data).max()
    axis = np.linspace(-limit, limit, 128, dtype=np.float32)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1)
    scores = np.asarray(score(plane.reshape(-1, 2))).reshape(plane.shape[:2])
    figure = _figure(5, 5)
    axes = figure.add_subplot(aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
    axes.contour(axis, axis, scores, levels=20, linewidths=0.7)
    for points, colour in ((data, "tab:orange"), (samples, "tab:green")):
        axes.scatter(points[:, 0], points[:, 1], s=4, linewidths=0, color=colour)
    return _rendered(figure)


def densities(points: dict[str, np.ndarray], limit: float) -> np.ndarray:
    """Draws the density of points in the plane, n pictures side by side, one per name, as uint8 `[250, 200 n, 3]`.

    Args:
        points: for each name, points `[m, 2]`.
        limit: how far the pictures reach from the origin, in both directions of both axes.
    """
    figure = _figure(2 * len(points), 2.5)
    for place, (name, where) in enumerate(points.items(), start=1):
        axes = figure.add_subplot(1, len(points), place, title=name, aspect="equal", xticks=[], yticks=[])
        axes.hist2d(*where.T, bins=60, range=[[-limit, limit]] * 2, cmap="Greens")
    return _rendered(figure)


def scatters(data: np.ndarray, samples: dict[str, np.ndarray]) -> np.ndarray:
    """Draws samples over the same data, one picture per name and three per row, as uint8 `[300 rows, 900, 3]`.

    Args:
        data: points `[m, 2]`.
        samples: for each name, points `[n, 2]`.
    """
    height = -(-len(samples) // 3)
    limit = 1.1 * np.abs(data).max()
    figure = _figure(9, 3 * height)
    for place, (name, points) in enumerate(samples.items(), start=1):
        axes = figure.add_subplot(
            height, 3, place, title=name, aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit)
        )
        for shown, colour in ((data, "lightgrey"), (points, "tab:green")):
            axes.scatter(shown[:, 0], shown[:, 1], s=2, linewidths=0, color=colour)
    return _rendered(figure)


def histograms(values: dict[str, np.ndarray]) -> np.ndarray:
    """Draws n histograms side by side, one per name, each on its own axes, as uint8 `[400, 400 n, 3]`."""
    figure = _figure(4 * len(values), 4)
    for place, (name, numbers) in enumerate(values.items(), start=1):
        figure.add_subplot(1, len(values), place, title=name).hist(np.ravel(numbers), bins=100)
    return _rendered(figure)


def lines(x: np.ndarray, values: dict[str, Sequence[float]], label: str) -> np.ndarray:
    """Draws one curve per name over `x`, whose axis is called `label`, as uint8 `[500, 800, 3]`."""
    figure = _figure(8, 5)
    axes = figure.add_subplot(xlabel=label)
    for name, numbers in values.items():
        axes.plot(x, numbers, label=name, linewidth=1)
    axes.grid(alpha=0.3)
    axes.legend()
    return _rendered(figure)


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Writes pixels, uint8 `[height, width, 1 or 3]`, as a PNG file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        _pillow(pixels).save(temporary, format="PNG")


def write_gif(path: str | Path, frames: Sequence[np.ndarray]) -> None:
    """Writes an animation that repeats for ever as a GIF file, whole or not at all.

    Args:
        path: the file's path.
        frames: each uint8 `[height, width, 1 or 3]`, shown for `FRAME` milliseconds.

    Raises:
        InputError: the file cannot be written.
    """
    first, *others = map(_pillow, frames)
    with replacing(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=others, duration=FRAME, loop=0)


def _pillow(pixels: np.ndarray):
    from PIL import Image

    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)


def _figure(width: float, height: float):
    """A matplotlib figure, sized in hundreds of pixels, without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="tight")


def _rendered(figure) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    # Figure and canvas refer to each other, so they live until a garbage collection, which would take .3 s. Empty them.
    canvas.renderer = None
    figure.clear()
    return pixels


def _received(values: np.ndarray) -> str:
    return f"Received: shape {list(values.shape)}"
