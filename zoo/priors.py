"""Priors over latent vectors, as `tfp.distributions` with a quantile function."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp


def uniform(latent_size, limit=1.0):
    """Independent components, uniform in [-limit, limit]."""
    return tfp.distributions.Uniform(tf.fill([latent_size], -float(limit)), float(limit))


def normal(latent_size):
    """Independent standard normal components."""
    return tfp.distributions.Normal(tf.zeros([latent_size]), 1.0)
