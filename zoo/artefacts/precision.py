"""Models in fewer bits: half the size, and faster where the processor multiplies bfloat16 faster."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from zoo.artefacts.card import BFLOAT16, BFLOAT16_WEIGHTS, FLOAT32, PRECISIONS
from zoo.errors import InputError


@keras.saving.register_keras_serializable("zoo")
class Bfloat16WeightsPolicy(keras.DTypePolicy):
    """Weights in bfloat16 that a layer turns into float32 to compute with them."""

    def __init__(self, name=BFLOAT16_WEIGHTS):
        super().__init__(name)

    def _parse_name(self, name):
        return FLOAT32, BFLOAT16


# Keras does not know this policy by name, so layers are given a map of policies with it as the default.
POLICIES = {
    BFLOAT16: BFLOAT16,
    BFLOAT16_WEIGHTS: keras.dtype_policies.serialize(keras.dtype_policies.DTypePolicyMap(Bfloat16WeightsPolicy())),
}


def in_precision(model, precision: str):
    """The model itself, or a copy whose layers with a kernel store their weights in bfloat16.

    The last such layer of each network stays as it is, and so do all layers without a kernel: activations, batch
    normalisation, sums. A bfloat16 has the range of a float32 and 8 bits of its fraction.

    Args:
        model: a `TrainableModel`.
        precision: "float32"; "bfloat16", in which those layers compute too; or "bfloat16_weights", with which they
            compute in float32, as the model does when it is restored.

    Returns:
        A model that samples from the same seeds; the copy cannot be trained.

    Raises:
        InputError: an unknown precision.
    """
    if precision not in PRECISIONS:
        raise InputError(f"`precision` should be one of {', '.join(PRECISIONS)}. Received: {precision!r}")
    if precision == FLOAT32:
        return model
    config = model.get_config()
    for network in _networks(config):
        for layer in list(_with_kernel(network))[:-1]:
            # Copied weights need no initialiser, and some initialisers have no kernel for bfloat16.
            layer["config"] |= {"dtype": POLICIES[precision], "kernel_initializer": "zeros"}
    copy = type(model).from_config(config)
    copy.class_names = model.class_names
    for target, source in zip(copy.weights, model.weights, strict=True):
        target.assign(keras.ops.cast(source, target.dtype))
    return copy


def in_float32(configuration: object) -> object:
    """A serialised configuration whose layers store their weights and compute in float32 instead of bfloat16."""
    if configuration in POLICIES.values():
        return FLOAT32
    if isinstance(configuration, dict):
        return {name: in_float32(value) for name, value in configuration.items()}
    if isinstance(configuration, list):
        return [in_float32(value) for value in configuration]
    return configuration


def _networks(config: object) -> Iterator[dict]:
    """The serialised networks in a model's configuration, except those that are part of another network."""
    if isinstance(config, dict) and "class_name" in config and "layers" in config.get("config", {}):
        yield config
    elif isinstance(config, dict):
        for value in config.values():
            yield from _networks(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _networks(value)


def _with_kernel(config: object) -> Iterator[dict]:
    """The serialised layers of a network that have a kernel, in the network's order."""
    if isinstance(config, dict):
        if "kernel_initializer" in (inner := config.get("config") or {}):
            yield config
        for value in inner.values() if "class_name" in config else config.values():
            yield from _with_kernel(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _with_kernel(value)
