"""Log-likelihood of data under a Parzen window on samples, as the GAN papers of 2014 and 2015 report it.

Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661, Sec. 5, and their code,
https://github.com/goodfeli/adversarial/blob/master/parzen_ll.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.errors import InputError
from zoo.metrics import checks
from zoo.metrics.neighbours import squared_distances

SIGMAS = np.logspace(-1, 0, 10)
VALIDATION_ROWS = 1000  # the first rows of the validation set, on which sigma is chosen


def parzen_log_likelihood(
    samples: np.ndarray, validation: np.ndarray, test: np.ndarray, sigmas: Sequence[float] | None = None
) -> dict[str, float]:
    """Mean log-likelihood of the test rows, in nats, under Gaussians of one width around the samples.

    log p(x) = log mean_i exp(-|x - s_i|^2 / 2 sigma^2) - d log(sigma sqrt(2 pi)), in float64. Sigma is the one of
    `sigmas` under which the first 1,000 validation rows are likeliest; if that is the first or the last, give a wider
    range. Higher is better, but values compare only for data of the same scale, which shifts them by d log(scale), and
    for the same number of samples: the protocol has 10,000, and pixels in [0, 1].

    Args:
        samples: `[n, d]`.
        validation: `[v, d]`.
        test: `[t, d]`.
        sigmas: standard deviations to choose from; None for the protocol's, 10 from 0.1 to 1 at equal ratios.

    Returns:
        "mean" and "stderr", the standard error of the mean over the test rows, in nats; "sigma", the one chosen.

    Raises:
        InputError: another shape, values that are not finite, or sigmas that are not positive.
    """
    samples, validation, test = checks.rows(samples=samples, validation=validation, test=test)
    sigmas = checks.finite("sigmas", SIGMAS if sigmas is None else sigmas).astype(np.float64)
    if sigmas.ndim != 1 or sigmas.min() <= 0:
        raise InputError(f"`sigmas` should be a list of positive numbers. Received: {sigmas.tolist()}")
    sigma = sigmas[np.argmax(_log_likelihoods(validation[:VALIDATION_ROWS], samples, sigmas).mean(axis=1))]
    likelihoods = _log_likelihoods(test, samples, [sigma])
    return {
        "mean": float(likelihoods.mean()),
        "stderr": float(likelihoods.std() / np.sqrt(len(test))),
        "sigma": float(sigma),
    }


def _log_likelihoods(data: np.ndarray, samples: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """log p of each row under each sigma, `[sigmas, rows]`."""
    likelihoods = np.empty((len(sigmas), len(data)))
    for block, squared in squared_distances(data, samples):
        nearest = squared.min(axis=1)
        squared -= nearest[:, None]  # so that the largest term of the mean is exp(0)
        for row, sigma in zip(likelihoods, sigmas, strict=True):
            precision = 1 / (2 * sigma**2)
            row[block] = np.log(np.exp(-precision * squared).mean(axis=1)) - precision * nearest
    return likelihoods - data.shape[1] * np.log(np.asarray(sigmas) * np.sqrt(2 * np.pi))[:, None]
