"""Networks made of given ones."""

from __future__ import annotations

import keras

from zoo.errors import InputError
from zoo.layers import (
    MinibatchDiscrimination,
    ReferenceBatch,
    SpectralNormalization,
    VirtualBatchNormalization,
    WeightNormalization,
    WithoutReference,
)
from zoo.networks.parts import normal

layers = keras.layers


def spectrally_normalized(network, seed=0):
    """A network that computes with the kernels of all its layers, and networks inside, over their spectral norms.

    Frozen layers are normalised as well. Layers without a kernel or a table of embeddings stay as they are.

    Args:
        network: a functional or sequential `keras.Model`, whose layers the new one takes over with their weights.
        seed: of the vectors that the power iterations start from.

    Returns:
        A `keras.Model` of the same inputs, outputs and name.

    Raises:
        InputError: a layer has a kernel that `SpectralNormalization` does not take.
    """
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=keras.random.SeedGenerator(seed))

    def normalized(layer):
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=normalized)
        has_kernel = any(name in weight.name for weight in layer.weights for name in ("kernel", "embeddings"))
        return SpectralNormalization(layer, initializer) if has_kernel else layer

    return normalized(network)


def weight_normalized(network):
    """A network whose dense and convolutional layers compute with normalised kernels; see `WeightNormalization`.

    Args:
        network: a functional or sequential `keras.Model`, whose layers the new one takes over with their weights.

    Returns:
        A `keras.Model` of the same inputs, outputs and name.

    Raises:
        InputError: one of these layers has an activation of its own.
    """

    def normalized(layer):
        return WeightNormalization(layer) if isinstance(layer, WeightNormalization.KINDS) else layer

    return keras.models.clone_model(network, clone_function=normalized)


def virtually_normalized(network, rows, initializer, seed=0):
    """A network with virtual batch normalisation in place of batch normalisation, which costs `rows` more rows a call.

    Args:
        network: a functional or sequential `keras.Model` of one input, whose other layers the new one takes over.
        rows: of the reference batch.
        initializer: draws the reference batch, as the network's inputs are drawn.
        seed: of the scales that normalisation starts from, normal with mean 1 and deviation 0.02.

    Returns:
        A `keras.Model` of the same inputs, outputs and name.
    """
    scales = keras.initializers.RandomNormal(1.0, 0.02, seed=keras.random.SeedGenerator(seed))

    def normalized(layer):
        if isinstance(layer, layers.BatchNormalization):
            return VirtualBatchNormalization(rows, layer.epsilon, scales)
        return layer

    inputs = keras.Input(network.input_shape[1:])
    joint = ReferenceBatch(rows, initializer)(inputs)
    outputs = WithoutReference(rows, dtype="float32")(
        keras.models.clone_model(network, clone_function=normalized)(joint)
    )
    return keras.Model(inputs, outputs, name=network.name)


def with_minibatch_discrimination(network, kernels, size, seed=0):
    """A network whose last layer also reads how close the rows of a batch are; see `MinibatchDiscrimination`.

    Args:
        network: a functional or sequential `keras.Model` that ends in a `Dense` layer, whose place a new one takes.
        kernels: how many features the layer adds.
        size: of each kernel.
        seed: of the weights.

    Returns:
        A `keras.Model` of the same inputs, output shape and name.

    Raises:
        InputError: as `with_features`.
    """
    features, outputs = with_features(network).outputs
    initializer = normal(seed, deviation=0.05)
    x = MinibatchDiscrimination(kernels, size, initializer)(features)
    outputs = layers.Dense(outputs.shape[-1], kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(network.inputs if len(network.inputs) > 1 else network.inputs[0], outputs, name=network.name)


def with_features(network, before=()):
    """A network that gives the input of its last layer, its features, beside its output; all layers are shared.

    Args:
        network: a functional or sequential `keras.Model` that ends in a `Dense` layer, normalised or not.
        before: kinds of layers; where the last layer's input comes from one, the features are what that layer takes.

    Returns:
        A `keras.Model` of the same inputs, to the features and the output.

    Raises:
        InputError: the network is another kind of model, or ends in another layer.
    """
    if not getattr(network, "outputs", None):
        raise InputError(f"A network with features must be functional. Received: a {type(network).__name__}")
    last, node, _ = network.outputs[0]._keras_history  # `last.input` may be that of another network with this layer
    if not isinstance(getattr(last, "layer", last), layers.Dense):
        raise InputError(
            f"A network with features must end in a Dense layer. Received: one that ends in {type(last).__name__}"
        )
    features = last._inbound_nodes[node].input_tensors[0]
    while isinstance((source := features._keras_history)[0], before):
        features = source[0]._inbound_nodes[source[1]].input_tensors[0]
    inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
    return keras.Model(inputs, [features, network.outputs[0]], name=f"{network.name}_with_features")


def rescaled(network, inputs, outputs):
    """A network on data of another scale.

    Args:
        network: a `keras.Model` of one input.
        inputs: what its inputs are multiplied by first.
        outputs: what its outputs are multiplied by.

    Returns:
        A `keras.Model` with the network's shapes, layers and name, to float32.
    """
    data = keras.Input(network.input_shape[1:])
    x = network(layers.Rescaling(inputs, dtype="float32")(data))
    return keras.Model(data, layers.Rescaling(outputs, dtype="float32")(x), name=network.name)
