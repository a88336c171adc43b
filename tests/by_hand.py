"""Helpers for steps written out in NumPy: small networks, their weights as arrays, gradients by differences."""

import keras
import numpy as np
from scipy.special import expit as sigmoid

__all__ = ["arrays", "dense", "sigmoid", "slopes", "softplus", "values"]


def dense(size, *units, seed):
    """Tanh layers and then a linear one, with kernels and biases of order one."""
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=keras.random.SeedGenerator(seed))
    layers = [keras.layers.Dense(width, "tanh", True, initializer, initializer) for width in units[:-1]]
    layers.append(keras.layers.Dense(units[-1], None, True, initializer, initializer))
    return keras.Sequential([keras.Input((size,)), *layers])


def values(variables):
    return [variable.numpy() for variable in variables]


def arrays(*networks):
    """All weights in float64, network by network."""
    return [weights.astype(np.float64) for network in networks for weights in network.get_weights()]


def softplus(x):
    return np.logaddexp(0, x)


def slopes(function, variables, width=1e-6):
    """The gradient of a function of float64 arrays, by central differences."""
    gradients = []
    for variable in variables:
        gradient = np.zeros_like(variable)
        for index in np.ndindex(variable.shape):
            kept = variable[index]
            variable[index] = kept + width
            above = function()
            variable[index] = kept - width
            gradient[index] = (above - function()) / (2 * width)
            variable[index] = kept
        gradients.append(gradient)
    return gradients
