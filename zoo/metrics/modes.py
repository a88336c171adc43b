"""How many modes of a distribution a generator reaches, and how evenly, where the modes can be counted."""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks
from zoo.metrics.neighbours import nearest_neighbours

HIGH_QUALITY = 3  # standard deviations from the nearest mode
DIGITS = 10


def mode_coverage(samples: np.ndarray, centers: np.ndarray, sigma: float) -> dict[str, float]:
    """Modes and quality of samples from a mixture of equal Gaussians.

    A sample belongs to its nearest mode, and is of high quality if less than 3 sigma from it; a mode counts if it has
    such a sample (Srivastava et al., "VEEGAN", 2017, https://arxiv.org/abs/1705.07761; Lin et al., "PacGAN", 2017,
    https://arxiv.org/abs/1712.04086). The convention is 2,500 samples.

    Args:
        samples: `[n, d]`.
        centers: means of the modes, `[modes, d]`.
        sigma: their common standard deviation.

    Returns:
        "modes", how many count; "high_quality", the share of such samples; "reverse_kl", the Kullback-Leibler
        divergence in nats of their histogram over the modes from the uniform one: 0 if all modes are equally frequent,
        log(modes) if one mode has all samples, infinite if there are no such samples.

    Raises:
        InputError: another shape, values that are not finite, or a sigma that is not positive.
    """
    if not sigma > 0:
        raise InputError(f"`sigma` should be positive. Received: {sigma}")
    samples, centers = checks.rows(samples=samples, centers=centers)
    (distances,), (nearest,) = (array.T for array in nearest_neighbours(samples, centers))
    good = nearest[distances < HIGH_QUALITY * sigma]
    return {**_histogram_scores(good, len(centers)), "high_quality": len(good) / len(samples)}


def stacked_modes(digit_predictions: np.ndarray) -> dict[str, float]:
    """Modes of stacked MNIST: three digits per sample, one in each colour channel, so 1,000 combinations.

    Metz et al., "Unrolled Generative Adversarial Networks", 2017, https://arxiv.org/abs/1611.02163, with
    25,600 samples; VEEGAN and PacGAN take 26,000. Fewer can neither reach all modes nor a divergence near 0.

    Args:
        digit_predictions: the digit that a classifier sees in each channel, integers `[n, 3]` in [0, 9].

    Returns:
        "modes", how many of the 1,000 combinations occur; "reverse_kl", the Kullback-Leibler divergence in nats of
        their histogram from the uniform one.

    Raises:
        InputError: another shape, or anything but digits.
    """
    (digits,) = checks.rows(digit_predictions=digit_predictions)
    if digits.dtype.kind not in "iu" or digits.shape[1] != 3 or digits.min() < 0 or digits.max() >= DIGITS:
        raise InputError(
            "`digit_predictions` should be integers [n, 3] in [0, 9]. "
            f"Received: {digits.dtype} {list(digits.shape)} in [{digits.min()}, {digits.max()}]"
        )
    return _histogram_scores(digits.astype(np.int64) @ [DIGITS**2, DIGITS, 1], DIGITS**3)


def _histogram_scores(modes: np.ndarray, total: int) -> dict[str, float]:
    """The scores of a histogram, from the mode that each sample belongs to, integers in [0, total - 1]."""
    from scipy.special import rel_entr

    counts = np.bincount(modes, minlength=total)
    divergence = float(rel_entr(counts / len(modes), 1 / total).sum()) if len(modes) else float("inf")
    return {"modes": int(np.count_nonzero(counts)), "reverse_kl": divergence}
