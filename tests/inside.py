"""What a network consists of: its layers, their order, their kernels."""

import keras


def layers_of(network, *kinds):
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def order(network):
    return [type(layer).__name__ for layer in network.layers]


def kernels(network):
    return [layer.kernel.numpy() for layer in network.layers if hasattr(layer, "kernel")]


def rebuilt(layer):
    """The layer after a round trip through its configuration."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
