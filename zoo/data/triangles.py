"""Triangles: images on a known manifold, so that a sample's distance to it can be computed.

M. Lucic, K. Kurach, M. Michalski, S. Gelly, O. Bousquet. Are GANs Created Equal? A Large-Scale Study. 2018.
https://arxiv.org/abs/1711.10337. Sizes, angles and splits are those of the authors' code, `Convex_Polygons_Dataset` of
https://github.com/google/compare_gan. There are two differences. The code rotates its triangles by less than 7 degrees,
since it takes radians for degrees; here they are rotated at random. The code counts 8 x 8 points in each pixel; here 8
lines cross each pixel, and the covered part of each line is computed exactly, so that grey levels follow the corners
without steps.
"""

from __future__ import annotations

import numpy as np

from zoo.data.dataset import Dataset, Split
from zoo.errors import InputError
from zoo.labels import NO_LABEL

NAME = "triangles"
SIDE = 28  # pixels per side of an image
SIZE = 0.75  # diameter of the circle on which the corners lie, as a share of the image's side
LEAST_ANGLE = 10.0  # degrees between two corners, seen from the circle's centre
LINES = 8  # how many lines cross each row of pixels
ROWS = {"train": slice(0, 60_000), "test": slice(60_000, 70_000), "validation": slice(70_000, 80_000)}
ON_MANIFOLD = 0.75  # the distance within which the paper, as remembered, counts an image as a triangle
NEAR = 2_000  # how many triangles of the training split are candidates for the start of a search
STEP = 1e-3  # how far a parameter moves to either side for a difference quotient
EVALUATIONS = 100  # at most, in one search
AT_ONCE = 50  # images that are drawn at once: few enough that they stay in the cache of a processor


def parameters(rows: slice) -> np.ndarray:
    """The parameters of these rows of the 80,000 triangles: float64 `[n, 4]`, uniform in [0, 1); see `corners`."""
    random = np.random.RandomState(0)  # the legacy generator's stream never changes between NumPy versions
    return random.random_sample((ROWS["validation"].stop, 4))[rows]


def corners(parameters: np.ndarray) -> np.ndarray:
    """The corners of triangles, float64 `[n, 3, 2]`: row and column in pixels, from the image's upper left corner.

    Each corner lies in a different third of a circle. The circle is rotated, and moved so that the triangle's centre of
    mass is the image's centre.

    Args:
        parameters: `[n, 4]`: the place of each corner in its third, in [0, 1], and the rotation as a share of a turn.
    """
    third = 360 / 3
    places = third * np.arange(3) + LEAST_ANGLE + parameters[:, :3] * (third - LEAST_ANGLE)
    angles = np.radians(places + 360 * parameters[:, 3:])
    points = SIZE * SIDE / 2 * np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return points - points.mean(axis=1, keepdims=True) + SIDE / 2


def draw(triangles: np.ndarray) -> np.ndarray:
    """Black triangles on white: float32 `[n, 28, 28, 1]` in [0, 1].

    Args:
        triangles: their corners, `[n, 3, 2]`, clockwise or anticlockwise.
    """
    return np.concatenate([_drawn(part) for part in np.array_split(triangles, -(-len(triangles) // AT_ONCE))])


def _drawn(triangles):
    y = (np.arange(SIDE * LINES) + 0.5) / LINES
    start, end = triangles, np.roll(triangles, -1, axis=1)
    dy, dx = np.moveaxis(end - start, -1, 0)
    area = dy[:, 0] * dx[:, 1] - dx[:, 0] * dy[:, 1]
    downward = np.where(area > 0, 1, -1)[:, None] * dy  # > 0 for an edge with the triangle to its right
    steep = np.where(np.abs(dy) < 1e-9, 1e-9, dy)
    crossing = start[..., 1:] + (y - start[..., :1]) * (dx / steep)[..., None]  # with each edge's line: [n, 3, lines]
    left = np.where(downward[..., None] > 0, crossing, -np.inf).max(axis=1)
    right = np.where(downward[..., None] < 0, crossing, np.inf).min(axis=1)
    inside = (y >= triangles[..., 0].min(axis=1, keepdims=True)) & (y <= triangles[..., 0].max(axis=1, keepdims=True))
    left, right = (np.where(inside, bound, 0.0)[..., None] for bound in (left, right))
    columns = np.arange(SIDE)
    covered = np.clip(np.minimum(right, columns + 1) - np.maximum(left, columns), 0, 1)
    return (1 - covered.reshape(-1, SIDE, LINES, SIDE).mean(axis=2)).astype(np.float32)[..., None]


def distances(images: np.ndarray) -> np.ndarray:
    """How far images are from the nearest triangle of this kind: float64 `[n]`, Euclidean over the pixels in [0, 1].

    The search starts from the nearest of 2,000 training images and optimises the four parameters by least squares. It
    always ends at a triangle, so a distance may come out too large, but never too small. An image takes about 20 ms.

    Args:
        images: `[n, 28, 28, 1]`, floats in [0, 1].

    Raises:
        InputError: the images have another shape.
    """
    from scipy.optimize import least_squares
    from scipy.spatial.distance import cdist

    if images.shape[1:] != (SIDE, SIDE, 1):
        raise InputError(f"Triangles are images of shape {[SIDE, SIDE, 1]}. Received: {list(images.shape[1:])}")
    known = parameters(slice(NEAR))
    flat = images.reshape(len(images), -1).astype(np.float64)
    nearest = cdist(flat, draw(corners(known)).reshape(NEAR, -1)).argmin(axis=1)

    def residuals(point, image):
        return draw(corners(point[None])).ravel() - image

    def slopes(point, image):
        ahead, behind = (draw(corners(point + offset * np.eye(4))).reshape(4, -1) for offset in (STEP, -STEP))
        return (ahead - behind).T / (2 * STEP)

    bounds = [0, 0, 0, -np.inf], [1, 1, 1, np.inf]
    found = [
        least_squares(residuals, known[row], slopes, bounds, args=(image,), max_nfev=EVALUATIONS)
        for row, image in zip(nearest, flat, strict=True)
    ]
    return np.array([np.sqrt(2 * result.cost) for result in found])


def require(dataset: Dataset) -> None:
    """Raises an `InputError` for a dataset whose manifold is not this one."""
    if dataset.name != NAME:
        raise InputError(f"The manifold is known only for {NAME!r}. Received: dataset {dataset.name!r}")


def load() -> Dataset:
    """The 80,000 triangles: 60,000 for training, 10,000 for testing, 10,000 for validation."""

    def read(split: str) -> Split:
        images = np.concatenate([draw(corners(parameters(ROWS[part]))) for part in split.split("+")])
        return Split(np.round(255 * images).astype(np.uint8), np.full(len(images), NO_LABEL, np.int32))

    return Dataset(
        name=NAME,
        data_shape=(SIDE, SIDE, 1),
        num_classes=None,
        class_names=None,
        licence="none needed: computed images",
        read=read,
    )
