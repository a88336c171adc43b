"""Networks made from given networks."""

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
    """A network in which every kernel, including those of networks inside it, is divided by its spectral norm.

    Frozen layers are normalised as well. Layers without a kernel or a table of embeddings stay as they are.

    Args:
        network: a functional or sequential `keras.Model`, whose layers the new one takes over with their weights.
        seed: of the vectors from which the power iterations start.

    Returns:
        A `keras.Model` with the same inputs, outputs and name.

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
        A `keras.Model` with the same inputs, outputs and name.

    Raises:
        InputError: one of these layers has its own activation.
    """

    def normalized(layer):
        return WeightNormalization(layer) if isinstance(layer, WeightNormalization.KINDS) else layer

    return keras.models.clone_model(network, clone_function=normalized)


def virtually_normalized(network, rows, initializer, seed=0):
    """A network with virtual batch normalisation instead of batch normalisation; each call computes `rows` more rows.

    Args:
        network: a functional or sequential `keras.Model` of one input, whose other layers the new one takes over.
        rows: how many rows the reference batch has.
        initializer: the initialiser of the reference batch, which should have the distribution of the inputs.
        seed: of the initial scales, which are normal with mean 1 and standard deviation 0.02.

    Returns:
        A `keras.Model` with the same inputs, outputs and name.
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
        network: a functional or sequential `keras.Model` that ends in a `Dense` layer, which is replaced by a new one.
        kernels: how many features minibatch discrimination adds.
        size: the size of each kernel.
        seed: of the new weights.

    Returns:
        A `keras.Model` with the same inputs, output shape and name.

    Raises:
        InputError: as in `with_features`.
    """
    features, outputs = with_features(network).outputs
    initializer = normal(seed, deviation=0.05)
    x = MinibatchDiscrimination(kernels, size, initializer)(features)
    outputs = layers.Dense(outputs.shape[-1], kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(network.inputs if len(network.inputs) > 1 else network.inputs[0], outputs, name=network.name)


def with_features(network, before=()):
    """A network that gives its features, the inputs of its last layer, as well as its output; all layers are shared.

    Args:
        network: a functional or sequential `keras.Model` that ends in a `Dense` layer, normalised or not.
        before: kinds of layers. If the last layer's inputs come from such layers, the features are the inputs of the
            first of these.

    Returns:
        A `keras.Model` from the same inputs to a list of the features and the output.

    Raises:
        InputError: the network is another kind of model, or ends in another layer.
    """
    if not getattr(network, "outputs", None):
        raise InputError(f"A network with features must be functional. Received: a {type(network).__name__}")
    last, node, _ = network.outputs[0]._keras_history  # `last.input` may be from another network with this layer
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
    """A network with rescaled inputs and outputs.

    Args:
        network: a `keras.Model` of one input.
        inputs: the factor by which its inputs are multiplied first.
        outputs: the factor by which its outputs are multiplied.

    Returns:
        A `keras.Model` with the network's shapes, layers and name, and float32 outputs.
    """
    data = keras.Input(network.input_shape[1:])
    x = network(layers.Rescaling(inputs, dtype="float32")(data))
    return keras.Model(data, layers.Rescaling(outputs, dtype="float32")(x), name=network.name)
