"""What a SavedModel of the zoo answers: the names of its signatures, of their inputs and of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# Signatures.
SERVING_DEFAULT = "serving_default"  # of a generative model the same as `sample`, of a classifier as `classify`
SAMPLE = "sample"
SAMPLE_PNG = "sample_png"
LATENTS = "latents"
GENERATE = "generate"
DISCRIMINATE = "discriminate"
ENCODE = "encode"
RECONSTRUCT = "reconstruct"
CLASSIFY = "classify"
SUPER_RESOLVE = "super_resolve"

# Inputs.
SEED = "seed"
LABEL = "label"
IMAGE = "image"
LATENT = "latent"  # an output as well

# Outputs.
SAMPLES = "samples"
IMAGE_BYTES = "image_bytes"
SCORE = "score"
FEATURES = "features"
PROBABILITIES = "probabilities"

INTEGERS = {SEED: "int64", LABEL: "int32"}  # every other input is float32
ROWS_AT_ONCE = 256  # of samples and images, which bounds the memory; a row does not depend on its batch


def rows(name: str, *shape: int) -> tf.TensorSpec:
    """The input of this name: n rows of a shape, such as `[n, 28, 28, 1]` for `rows(IMAGE, 28, 28, 1)`."""
    import tensorflow as tf

    return tf.TensorSpec([None, *shape], INTEGERS.get(name, "float32"), name)


def matching(
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction], name: str, inputs: set[str], output: str
) -> tf.types.experimental.ConcreteFunction | None:
    """The signature of this name, if it is there, takes these inputs and no others, and returns this output."""
    signature = signatures.get(name)
    if signature is None or signature.structured_input_signature[1].keys() != inputs:
        return None
    return signature if output in signature.structured_outputs else None


def call(signature: tf.types.experimental.ConcreteFunction, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a signature for any number of rows, of which it is given `ROWS_AT_ONCE` at a time."""
    import tensorflow as tf

    count = len(next(iter(inputs.values())))
    blocks = [
        signature(**{name: tf.constant(values[start : start + ROWS_AT_ONCE]) for name, values in inputs.items()})
        for start in range(0, count, ROWS_AT_ONCE)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
