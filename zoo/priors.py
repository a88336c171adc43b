"""Priors over latent vectors, as `tfp.distributions` with a quantile function."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp


def uniform(latent_size, limit=1.0):
    """Independent components, uniform in [-limit, limit]; `latent_size` may be a shape, such as a noise plane's."""
    shape = latent_size if isinstance(latent_size, tuple) else (latent_size,)
    return tfp.distributions.Uniform(tf.fill(shape, -float(limit)), float(limit))


def box(latent_size, low, high):
    """Independent components, uniform in [low, high]."""
    return tfp.distributions.Uniform(tf.fill([latent_size], float(low)), float(high))


def normal(latent_size):
    """Independent standard normal components."""
    return tfp.distributions.Normal(tf.zeros([latent_size]), 1.0)


def description(prior):
    """The description of a prior for a card.

    Args:
        prior: a `tfp.distributions` distribution with identical components, or `None` without latents.

    Returns:
        A dict with its "name", such as "Uniform", its "shape", and the value of each parameter, such as "low"; or
        `None`.
    """
    if prior is None:
        return None
    parameters = {name: float(tf.reduce_max(prior.parameters[name])) for name in prior.parameter_properties()}
    return {"name": type(prior).__name__, "shape": prior.batch_shape.as_list(), **parameters}
