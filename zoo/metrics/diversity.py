"""Diversity as the lack of similarity between samples, which shows collapse where a class has its own few images.

Odena et al., "Conditional Image Synthesis With Auxiliary Classifier GANs", 2017, https://arxiv.org/abs/1610.09585,
Sec. 4.2; the similarity is that of Wang et al., "Multi-scale structural similarity for image quality assessment", 2003.
"""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError, require_positive
from zoo.metrics import checks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first (Wang et al.)
FILTER = 11  # pixels a side of the Gaussian window, which has to fit the coarsest scale


def ms_ssim_diversity(images: np.ndarray, pairs: int = 100, seed: int = 0) -> dict[str, float]:
    """Mean MS-SSIM over random pairs of two different rows; lower is more diverse, 1 is all alike.

    It says nothing of quality (noise is diverse), so compare with the same number for real images of the same class and
    size. The five scales need images of 161 pixels or more; smaller ones use as many as fit, from the finest, their
    weights scaled to the same sum, and their scores compare with those of equal "scales" alone.

    Args:
        images: `[n, height, width, channels]` in [0, 1], n at least 2; the paper takes one class at a time.
        pairs: how many; the paper takes 100 a class.
        seed: of the draws.

    Returns:
        "ms_ssim" in [0, 1], and "scales", how many of the five were used.

    Raises:
        InputError: another shape, values outside [0, 1], fewer than 2 images, or a side of fewer than 11 pixels.
    """
    images = checks.in_unit_interval("images", images)
    require_positive(pairs=pairs)
    if images.ndim != 4 or min(images.shape[1:3]) < FILTER:
        raise InputError(
            f"`images` should have shape [n, height, width, channels], {FILTER} pixels a side or more. "
            f"Received: shape {list(images.shape)}"
        )
    checks.require_rows(2, "a pair takes two", images=images)
    weights = np.array(WEIGHTS[: _scales(min(images.shape[1:3]))])
    draws = checks.random_state(seed)
    first = draws.randint(len(images), size=pairs)
    second = (first + draws.randint(1, len(images), size=pairs)) % len(images)

    import tensorflow as tf

    similarities = tf.image.ssim_multiscale(
        images[first].astype(np.float32),
        images[second].astype(np.float32),
        max_val=1.0,
        power_factors=weights * (sum(WEIGHTS) / weights.sum()),
        filter_size=FILTER,
    )
    return {"ms_ssim": float(np.mean(similarities, dtype=np.float64)), "scales": len(weights)}


def _scales(side: int) -> int:
    """How many of the scales, each half as large as the one before (rounded up), are as large as the window."""
    return sum(-(-side // 2**scale) >= FILTER for scale in range(len(WEIGHTS)))
