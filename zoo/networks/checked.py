"""Checks of the networks that a model is given, a user's or the paper's own."""

from __future__ import annotations

import warnings

import keras
import tensorflow as tf

from zoo.errors import InputError

layers = keras.layers

# The activations in which a discriminator must not end.
PROBABILITIES = ("sigmoid", "hard_sigmoid", "sparse_sigmoid", "softmax", "sparsemax")
# The activations that limit images to a range.
RANGES = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0)}
# Layers that keep the range of values.
RESHAPING = (layers.Reshape, layers.Flatten, layers.Permute, layers.Identity, layers.Dropout)
AVERAGING = (layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.AveragePooling2D)


def checked(role, network, input_shapes, output_shape, value_range=None):
    """Builds a network, a user's or the paper's own, and checks its inputs and outputs.

    Warns of Keras' dropout where several replicas train.

    Args:
        role: the argument's name; a "discriminator" must give scores that no sigmoid or softmax has bounded.
        network: a `keras.Model` of one input or a list of them.
        input_shapes: a list of the inputs' shapes without the batch axis.
        output_shape: the required output shape, without the batch axis.
        value_range: the required range of images, `(lowest, highest)`; `None` for other outputs.

    Returns:
        The network.

    Raises:
        InputError: the network has other inputs, another output or another range.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        _warn_of_dropout(role, network)
    inputs = [keras.Input(shape) for shape in input_shapes]
    wanted = " and ".join(str((None, *shape)) for shape in input_shapes)
    try:
        outputs = network(inputs[0] if len(inputs) == 1 else inputs)
        # Keras accepts some wrong shapes for a functional model until it is trained.
        taken = tf.nest.flatten(getattr(network, "inputs", None) or inputs)
        if any(not _fits(shape, tensor.shape[1:]) for shape, tensor in zip(input_shapes, taken, strict=True)):
            raise ValueError
    except (ValueError, TypeError) as error:
        shape = getattr(network, "input_shape", "an unknown input shape")
        raise InputError(f"`{role}` must take inputs of shape {wanted}. Received: a network for {shape}") from error
    if not isinstance(outputs, keras.KerasTensor) or tuple(outputs.shape[1:]) != tuple(output_shape):
        raise InputError(
            f"`{role}` must give outputs of shape {(None, *output_shape)}. "
            f"Received: a network whose outputs have shape {tuple(getattr(outputs, 'shape', ()))}"
        )
    activation = _last_activation(network)
    if value_range is not None and RANGES.get(activation, value_range) != value_range:
        raise InputError(
            f"`{role}` must give images in {list(value_range)}. Received: a network that ends in a {activation}, "
            f"whose values lie in {list(RANGES[activation])}"
        )
    if "discriminator" in role and activation in PROBABILITIES:
        raise InputError(
            f"`{role}` must give scores of any size, not probabilities: the losses take what comes before a "
            f"sigmoid or a softmax. Received: a network that ends in a {activation}"
        )
    return network


def checked_list(role, given, defaults, input_shapes, output_shapes, value_range=None):
    """Completes a list of networks with the paper's and checks them all.

    Args:
        role: the argument's name, as for `checked`.
        given: a list of networks, with `None` in place of each that is to be the paper's; `None` for all of them.
        defaults: functions without arguments, each of which makes one of the paper's networks.
        input_shapes: for each network, a list of the inputs' shapes without the batch axis.
        output_shapes: for each network, the required output shape, without the batch axis.
        value_range: the required range of all networks' images, `(lowest, highest)`; `None` for other outputs.

    Returns:
        A list of as many networks as there are defaults.

    Raises:
        InputError: the number of networks is another, two have the same name, or one has the wrong shapes or range.
    """
    given = [None] * len(defaults) if given is None else list(given)
    if len(given) != len(defaults):
        raise InputError(f"`{role}` must be {len(defaults)} networks, or None for the paper's. Received: {len(given)}")
    chosen = [default() if network is None else network for network, default in zip(given, defaults, strict=True)]
    names = [network.name for network in chosen]
    if len(set(names)) < len(names):
        raise InputError(f"`{role}` must be networks of different names. Received: {names}")
    for index, shapes in enumerate(zip(input_shapes, output_shapes, strict=True)):
        checked(f"{role}[{index}]", chosen[index], *shapes, value_range)
    return chosen


def warn_of_batch_normalization(network):
    """Warns if a network whose gradient norms are penalised has batch normalisation, or a network inside it has."""
    if any(isinstance(layer, layers.BatchNormalization) for layer in network._flatten_layers(include_self=False)):
        warnings.warn(
            f"{network.name!r} has batch normalisation, and its gradient's norm is penalised sample by sample: with it "
            "a score depends on the whole batch, and the penalty no longer bounds the slope. Use layer normalisation "
            "instead (Gulrajani et al. 2017, Sec. 4).",
            stacklevel=3,
        )


def _warn_of_dropout(role, network):
    if any(type(layer) is layers.Dropout for layer in network._flatten_layers(include_self=False)):
        warnings.warn(
            f"`{role}` has keras.layers.Dropout, whose masks depend on the number of replicas. With "
            "zoo.layers.GlobalBatchDropout, several replicas train as one does.",
            stacklevel=5,
        )


def _fits(shape, taken):
    """Whether `taken` has as many axes as `shape`, each of the same or of unknown length."""
    return len(shape) == len(taken) and all(side in (None, wanted) for wanted, side in zip(shape, taken, strict=True))


def _last_activation(network):
    """The name of the activation in which a functional network ends, a layer's argument or a separate layer."""
    if not getattr(network, "outputs", None):
        return None
    last, node, _ = network.outputs[0]._keras_history
    while isinstance(last, RESHAPING + AVERAGING) or (
        isinstance(last, layers.Activation) and last.activation is keras.activations.linear
    ):
        last, node, _ = last._inbound_nodes[node].input_tensors[0]._keras_history
    last = getattr(last, "layer", last)  # the layer inside a wrapper
    if isinstance(last, keras.Model):
        return _last_activation(last)
    return getattr(getattr(last, "activation", last), "__name__", type(last).__name__.lower())
