"""A copy of a network, with its own weights."""

from __future__ import annotations

import keras


def copied(network):
    """A copy of a network with the same weights, which training does not change.

    Args:
        network: any built `keras.Model`. One that Keras cannot rebuild layer by layer, such as a subclass or one with a
            `Lambda` layer, becomes a `WeightsOf`.

    Returns:
        A `keras.Model` or a `WeightsOf`, with the same name and order of weights.
    """
    try:
        copy = keras.models.clone_model(network)
    except (NotImplementedError, TypeError, ValueError):  # a class without a `get_config`, a function without a name
        copy = WeightsOf(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


class WeightsOf(keras.layers.Layer):
    """Computes what a network would compute with other weights, which this layer holds.

    Args:
        network: any built `keras.Model`.

    Call: from the network's inputs to its outputs at inference.
    """

    def __init__(self, network):
        super().__init__(name=network.name, trainable=False)
        # Inside a function, since Keras would count the weights of an attribute as this layer's.
        self._borrowed = lambda: network
        for weight in network.weights:
            self.add_weight(shape=weight.shape, dtype=weight.dtype, initializer="zeros", name=weight.name)
        self.built = True

    def call(self, inputs, training=False):
        network = self._borrowed()
        own = {id(weight): mine.value for weight, mine in zip(network.weights, self.weights, strict=True)}

        def values(variables):
            return [own.get(id(variable), variable.value) for variable in variables]

        trainable, others = values(network.trainable_variables), values(network.non_trainable_variables)
        return network.stateless_call(trainable, others, inputs, training=False)[0]

    def compute_output_spec(self, inputs, training=False):
        return self._borrowed().compute_output_spec(inputs)
