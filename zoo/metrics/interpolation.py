"""Paths between latent vectors."""

from __future__ import annotations

import numpy as np

from zoo.errors import InputError, unknown
from zoo.metrics import checks

PRIORS = ("normal", "uniform")
OPPOSITE = 1e-6  # radians; so close to a half turn, rounding loses the plane of the arc


def interpolate(first: np.ndarray, second: np.ndarray, steps: int, prior: str) -> np.ndarray:
    """Latent vectors on the way from one to another, all of them as likely under the prior as the ends.

    Normal vectors of many dimensions lie near a sphere that a straight line would cut through, so they move along the
    arc (White, "Sampling Generative Networks", 2016, https://arxiv.org/abs/1609.04468); uniform ones move
    straight, within their cube.

    Args:
        first: `[..., d]`.
        second: the same shape.
        steps: the number of vectors on the way, both ends included.
        prior: "normal" or "uniform".

    Returns:
        float32 `[steps, ..., d]`.

    Raises:
        InputError: unequal shapes, values that are not finite, fewer than 2 steps, another prior, or, for a normal one,
            vectors without an arc between them: zero, or opposite.
    """
    if prior not in PRIORS:
        raise unknown("prior", prior, PRIORS)
    if steps < 2:
        raise InputError(f"`steps` should be 2 or more. Received: {steps}")
    first = checks.finite("first", first).astype(np.float64)
    second = checks.finite("second", second).astype(np.float64)
    if first.shape != second.shape or first.ndim == 0:
        raise InputError(f"latents should have one shape [..., d]. Received: {first.shape} and {second.shape}")
    share = np.linspace(0, 1, steps).reshape(-1, *[1] * first.ndim)
    angle = _angle(first, second) if prior == "normal" else np.zeros(1)

    def weight(share: np.ndarray) -> np.ndarray:
        """sin(share * angle) / sin(angle), which becomes the share itself as the angle closes."""
        return share * np.sinc(share * angle / np.pi) / np.sinc(angle / np.pi)

    return (weight(1 - share) * first + weight(share) * second).astype(np.float32)


def _angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The angle between vectors, in radians, `[..., 1]`."""
    norms = np.linalg.norm(first, axis=-1, keepdims=True), np.linalg.norm(second, axis=-1, keepdims=True)
    if not all(norm.all() for norm in norms):
        raise InputError("a zero vector has no direction to turn from. Received: `first` or `second` with zero rows")
    cosine = np.sum(first / norms[0] * (second / norms[1]), axis=-1, keepdims=True)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if angle.max() > np.pi - OPPOSITE:
        raise InputError("opposite vectors have no one arc between them. Received: `second` a multiple of -`first`")
    return angle
