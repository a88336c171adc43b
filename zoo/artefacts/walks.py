"""Paths through the latent space of a SavedModel, from one seed's latent vector to another's."""

from __future__ import annotations

import itertools
import math
from numbers import Real

import numpy as np

from zoo.artefacts.catalogue import LoadedModel
from zoo.errors import InputError

PRIORS = {"Normal": "normal", "Uniform": "uniform"}  # on a card, and as `metrics.interpolate` knows them


def walk(model: LoadedModel, seeds: np.ndarray, steps: int, truncation: float = 1.0) -> np.ndarray:
    """The latent vectors on the way from each seed to the next, all of them as likely under the prior as the ends.

    Args:
        model: from `load`.
        seeds: int64 `[n]`, two or more.
        steps: vectors from each seed to the next, both ends included.
        truncation: the share of its distance from the prior's centre to which every vector is pulled; 1 changes none.

    Returns:
        float32 `[len(seeds) - 1, steps, latent_size]`.

    Raises:
        InputError: a model without one latent vector for each seed, or whose card does not state its prior; fewer than
            two steps.
    """
    from zoo import metrics

    latents = model.latents(seeds)
    prior = model.card.get("prior")
    if not isinstance(prior, dict) or prior.get("name") not in PRIORS:
        raise InputError(f"{model.path}: its card states no {' or '.join(PRIORS)} prior. Received: {prior}")
    kind = PRIORS[prior["name"]]
    stated = [prior.get(number) for number in (("low", "high") if kind == "uniform" else ("loc",))]
    if not all(isinstance(number, Real) and math.isfinite(number) for number in stated):
        raise InputError(f"{model.path}: its card states a prior without numbers. Received: {prior}")
    ways = [metrics.interpolate(first, second, steps, kind) for first, second in itertools.pairwise(latents)]
    centre = sum(stated) / len(stated)
    return (centre + truncation * (np.stack(ways) - centre)).astype(np.float32)
