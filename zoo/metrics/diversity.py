"""Diversity as the lack of similarity between samples, which shows when a class has collapsed to a few images.

Odena et al., "Conditional Image Synthesis With Auxiliary Classifier GANs", 2017, https://arxiv.org/abs/1610.09585,
Sec. 4.2; the similarity is that of Wang et al., "Multi-scale structural similarity for image quality assessment", 2003.
"""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first (Wang et al.)
BLOCK = 256  # pairs at once, to bound the memory
FILTER = 11  # pixels per side of the Gaussian window, which has to fit the coarsest scale


def ms_ssim_diversity(images: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, float | int | list[dict]]:
    """Mean MS-SSIM over random pairs of different images of one class; lower is more diverse, 1 means all are alike.

    It says nothing about quality (noise is diverse), so compare it with the value for real images of the same classes
    and size. No image is in two pairs, so that the pairs are independent and the standard error is that of their mean.

    The five scales need images of 161 pixels or more; smaller images use as many scales as fit, from the finest, with
    the weights scaled to the same sum. Scores are comparable only at the same number of scales.

    Args:
        images: `[n, height, width, channels]`, floats in [0, 1] or uint8.
        labels: the class of each image, integers `[n]`; at least one class has two images.
        seed: the seed of the draws.

    Returns:
        "ms_ssim" in [0, 1]; "stderr", its standard error, NaN for one pair; "pairs", their number; "scales", how many
        of the five were used; "classes", a dict for each class with a pair: its "label", "pairs" and "ms_ssim".

    Raises:
        InputError: another shape, values outside [0, 1], no two images of a class, or a side of fewer than 11 pixels.
    """
    unit = 255 if np.asarray(images).dtype == np.uint8 else 1
    images, labels = checks.finite("images", images), checks.finite("labels", labels)
    if unit == 1:
        checks.in_unit_interval("images", images)
    if images.ndim != 4 or min(images.shape[1:3]) < FILTER:
        raise InputError(
            f"`images` should have shape [n, height, width, channels], {FILTER} pixels per side or more. "
            f"Received: shape {list(images.shape)}"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise InputError(f"`labels` should be {len(images)} integers. Received: {labels.dtype} {list(labels.shape)}")
    first, second, kinds = _pairs(labels, checks.random_state(seed))
    if not len(first):
        raise InputError(f"`images` should hold two of one class. Received: {len(images)} images of as many classes")
    scales = _scales(min(images.shape[1:3]))
    similarities = np.concatenate(
        [
            _similarities(images[first[block]] / np.float32(unit), images[second[block]] / np.float32(unit), scales)
            for block in (slice(start, start + BLOCK) for start in range(0, len(first), BLOCK))
        ]
    )
    return {
        "ms_ssim": float(similarities.mean()),
        "stderr": float(similarities.std(ddof=1) / np.sqrt(len(first))) if len(first) > 1 else float("nan"),
        "pairs": len(first),
        "scales": scales,
        "classes": [
            {
                "label": int(label),
                "pairs": int((kinds == label).sum()),
                "ms_ssim": float(similarities[kinds == label].mean()),
            }
            for label in np.unique(kinds)
        ],
    }


def _pairs(labels: np.ndarray, draws: np.random.RandomState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows `[pairs]`, their partners in the same class, and the class; each row at most once."""
    first, second = [], []
    for label in np.unique(labels):
        rows = draws.permutation(np.flatnonzero(labels == label))
        half = len(rows) // 2
        first.append(rows[:half])
        second.append(rows[half : 2 * half])
    rows = np.concatenate(first)
    return rows, np.concatenate(second), labels[rows]


def _similarities(first: np.ndarray, second: np.ndarray, scales: int) -> np.ndarray:
    """MS-SSIM of each row of `first` and the same one of `second`, float32 images in [0, 1], as float64 `[n]`."""
    import tensorflow as tf

    weights = np.array(WEIGHTS[:scales])
    similarities = tf.image.ssim_multiscale(
        first.astype(np.float32),
        second.astype(np.float32),
        max_val=1.0,
        power_factors=weights * (sum(WEIGHTS) / weights.sum()),
        filter_size=FILTER,
    )
    return similarities.numpy().astype(np.float64)


def _scales(side: int) -> int:
    """How many of the scales, each half as large as the one before (rounded up), are no smaller than the window."""
    return sum(-(-side // 2**scale) >= FILTER for scale in range(len(WEIGHTS)))
