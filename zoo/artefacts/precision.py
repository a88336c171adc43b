"""Models in fewer bits, for serving: half the size, and faster on processors that multiply bfloat16."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from zoo.errors import InputError

FLOAT32, BFLOAT16 = "float32", "bfloat16"
PRECISIONS = (FLOAT32, BFLOAT16)


def in_precision(model, precision: str):
    """The model itself, or a copy whose layers with a kernel store it, and compute, in bfloat16.

    The last such layer of each network stays as it is, and so do all layers without a kernel: activations, batch
    normalisation, sums. A bfloat16 has the range of a float32 and 8 bits of its fraction.

    Args:
        model: a `TrainableModel`.
        precision: "float32" or "bfloat16".

    Returns:
        A model that samples by the same seeds; the copy cannot be trained.

    Raises:
        InputError: another precision.
    """
    if precision not in PRECISIONS:
        raise InputError(f"`precision` should be {' or '.join(PRECISIONS)}. Received: {precision!r}")
    if precision == FLOAT32:
        return model
    config = model.get_config()
    for network in _networks(config):
        for layer in list(_with_kernel(network))[:-1]:
            # No initialiser is needed for what is copied, and some have no kernel for bfloat16.
            layer["config"] |= {"dtype": BFLOAT16, "kernel_initializer": "zeros"}
    copy = type(model).from_config(config)
    copy.class_names = model.class_names
    for target, source in zip(copy.weights, model.weights, strict=True):
        target.assign(keras.ops.cast(source, target.dtype))
    return copy


def in_float32(configuration: object) -> object:
    """A serialised configuration whose layers store their weights, and compute, in float32 in place of bfloat16."""
    if isinstance(configuration, dict):
        return {name: in_float32(value) for name, value in configuration.items()}
    if isinstance(configuration, list):
        return [in_float32(value) for value in configuration]
    return FLOAT32 if configuration == BFLOAT16 else configuration


def _networks(config: object) -> Iterator[dict]:
    """The serialised networks in a model's configuration, but for those that are part of another."""
    if isinstance(config, dict) and "class_name" in config and "layers" in config.get("config", {}):
        yield config
    elif isinstance(config, dict):
        for value in config.values():
            yield from _networks(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _networks(value)


def _with_kernel(config: object) -> Iterator[dict]:
    """The serialised layers of a network that have a kernel, in its order."""
    if isinstance(config, dict):
        if "kernel_initializer" in (inner := config.get("config") or {}):
            yield config
        for value in inner.values() if "class_name" in config else config.values():
            yield from _with_kernel(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _with_kernel(value)
