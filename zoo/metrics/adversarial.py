"""Models judged by each other's discriminators.

GAM: Im et al., "Generating images with recurrent adversarial networks", 2016, https://arxiv.org/abs/1602.05110, Sec. 4.
GAM-II: Im et al., "Generative Adversarial Parallelization", 2016, https://arxiv.org/abs/1612.04021, Sec. 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks

Score = Callable[[np.ndarray], np.ndarray]  # images [n, ...] to logits [n], above 0 for what is taken to be real

TOLERANCE = 0.1  # a ratio this close to 1 counts as 1; the paper asks for "about 1" without a number
RESAMPLES = 10_000  # of the bootstrap
INTERVAL = (0.025, 0.975)  # quantiles of the resamples between which 95 % of them lie


class Player(NamedTuple):
    """A trained pair: what its generator makes, and how its discriminator judges.

    Args:
        samples: `[n, ...]`, in the range that every player's `score` takes.
        score: from images `[n, ...]` to logits `[n]`, above 0 for what it takes to be real. A Wasserstein critic, whose
            scores have no such boundary, cannot play.
    """

    samples: np.ndarray
    score: Score


def generative_adversarial_metric(
    first: Player, second: Player, test_images: np.ndarray
) -> dict[str, float | str | tuple[float, float]]:
    """The battle between two models (GAM): each discriminator judges the other model's samples, and the test images.

    With e the share that a discriminator gets wrong, r_test = e(D1(x)) / e(D2(x)) and
    r_sample = e(D1(G2(z))) / e(D2(G1(z))). These are ratios of errors, as in the paper; its code prints ratios of
    accuracies, which lie on the other side of 1.

    The paper lets the smaller r_sample win, however small the difference. Here there is a winner only where chance
    cannot account for it: where the whole bootstrap interval of r_sample, over the choice of the samples, lies further
    from 1 than r_test may.

    Args:
        first: a trained pair.
        second: another trained pair.
        test_images: real images that neither has seen, `[n, ...]` in the range of the samples.

    Returns:
        "r_test"; "r_sample"; "r_sample_interval", in which 95 % of the ratios of 10,000 resamples lie; "winner", which
        is "tie" unless r_test is within 0.1 of 1 (otherwise one discriminator has overfitted, and its judgement proves
        nothing). If it is, the winner is "first" if the interval ends below 0.9, "second" if it begins above 1.1, and
        otherwise "tie". The ratio of equal errors is 1, even of two zeros; any other ratio over zero is infinite.

    Raises:
        InputError: images of unequal shapes, values that are not finite, or not exactly one score for each image.
    """
    first_samples = checks.finite("first.samples", first.samples)
    second_samples = checks.finite("second.samples", second.samples)
    test_images = checks.finite("test_images", test_images)
    shapes = [list(images.shape[1:]) for images in (first_samples, second_samples, test_images)]
    if shapes != [shapes[0]] * 3:
        raise InputError(
            "the samples of both players and the test images should have one shape. "
            f"Received: {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    r_test = _ratio(*(_error(player.score, test_images, real=True) for player in (first, second)))
    errors = [_error(first.score, second_samples, real=False), _error(second.score, first_samples, real=False)]
    low, high = _interval(errors, [len(second_samples), len(first_samples)])
    winner = "tie"
    if abs(r_test - 1) <= TOLERANCE:
        winner = "first" if high < 1 - TOLERANCE else "second" if low > 1 + TOLERANCE else "tie"
    return {"r_test": r_test, "r_sample": _ratio(*errors), "r_sample_interval": (low, high), "winner": winner}


def panel_errors(samples: np.ndarray, panel: Sequence[Score]) -> dict[str, float]:
    """How often a panel of discriminators takes a generator's samples for real (GAM-II).

    Higher is better. The numbers depend on the panel, so compare generators with the same one. The paper's panel has
    10 discriminators, some of which were trained with the generators that they judge.

    Args:
        samples: `[n, ...]`.
        panel: discriminators, as `Player.score`.

    Returns:
        "average" and "worst", the mean and the minimum of the panel's errors, in [0, 1].

    Raises:
        InputError: an empty panel, values that are not finite, or not exactly one score for each image.
    """
    if not panel:
        raise InputError("`panel` should hold at least one discriminator. Received: none")
    samples = checks.finite("samples", samples)
    errors = [_error(score, samples, real=False) for score in panel]
    return {"average": float(np.mean(errors)), "worst": min(errors)}


def best_before_panel(samples: Sequence[np.ndarray], panel: Sequence[Score]) -> tuple[int, list[dict[str, float]]]:
    """The generator that a panel of discriminators takes for real most often, by its average error (GAM-II).

    Args:
        samples: the samples of each generator, `[n, ...]`.
        panel: as in `panel_errors`.

    Returns:
        The generator's index, the first one in a tie, and the `panel_errors` of every generator.

    Raises:
        InputError: no generators, or anything that `panel_errors` refuses.
    """
    if not len(samples):
        raise InputError("`samples` should hold those of at least one generator. Received: none")
    errors = [panel_errors(rows, panel) for rows in samples]
    return int(np.argmax([error["average"] for error in errors])), errors


def _error(score: Score, images: np.ndarray, real: bool) -> float:
    """The share of images that a discriminator judges wrongly."""
    logits = checks.finite("score(images)", score(images))
    if logits.size != len(images):
        raise InputError(
            f"a discriminator should give one score for each image. Received: {logits.size} of {len(images)}"
        )
    return float(((logits > 0) != real).mean())


def _interval(errors: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """The bootstrap interval of a ratio of errors: among resampled images, the number of wrong ones is binomial."""
    rng = np.random.default_rng(0)
    resampled = [rng.binomial(count, error, RESAMPLES) / count for error, count in zip(errors, counts, strict=True)]
    ratios = [_ratio(first, second) for first, second in zip(*resampled, strict=True)]
    low, high = np.quantile(ratios, INTERVAL, method="inverted_cdf")  # which does not interpolate towards infinity
    return float(low), float(high)


def _ratio(first: float, second: float) -> float:
    if first == second:
        return 1.0
    return float(first / second) if second else float("inf")
