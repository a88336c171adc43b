"""What a SavedModel of the zoo offers: the names of its signatures, of their inputs and of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, TensorInfo

# Signatures.
SERVING_DEFAULT = "serving_default"  # in a generative model the same as `sample`, in a classifier as `classify`
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
ROWS_AT_ONCE = 256  # samples or images, to bound the memory; a row does not depend on its batch


def rows(name: str, *shape: int) -> tf.TensorSpec:
    """The spec of the input of this name: n rows of a shape, such as `[n, 28, 28, 1]` for `rows(IMAGE, 28, 28, 1)`."""
    import tensorflow as tf

    return tf.TensorSpec([None, *shape], INTEGERS.get(name, "float32"), name)


def description(graph: MetaGraphDef) -> dict[str, dict]:
    """The signatures of a SavedModel as a card states them.

    Returns:
        For each signature's name, `{"inputs": tensors, "outputs": tensors}`, where `tensors` maps names to `{"dtype":
        ..., "shape": ...}`. An axis of any length is `None`, and so is a shape of any rank.
    """
    import tensorflow as tf

    def tensors(infos: Mapping[str, TensorInfo]) -> dict[str, dict]:
        shapes = {name: tf.TensorShape(info.tensor_shape) for name, info in infos.items()}
        return {
            name: {
                "dtype": tf.as_dtype(infos[name].dtype).name,
                "shape": None if shape.rank is None else shape.as_list(),
            }
            for name, shape in sorted(shapes.items())
        }

    return {
        name: {"inputs": tensors(signature.inputs), "outputs": tensors(signature.outputs)}
        for name, signature in sorted(graph.signature_def.items())
        if not name.startswith("__")  # the loader's own, such as __saved_model_init_op
    }


def matching(
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction], name: str, inputs: set[str], output: str
) -> tf.types.experimental.ConcreteFunction | None:
    """The signature of this name if it exists, takes exactly these inputs and returns this output; otherwise None."""
    signature = signatures.get(name)
    if signature is None or signature.structured_input_signature[1].keys() != inputs:
        return None
    return signature if output in signature.structured_outputs else None


def call(
    signature: tf.types.experimental.ConcreteFunction, inputs: Mapping[str, np.ndarray], *outputs: str
) -> list[np.ndarray]:
    """The named outputs of a signature for any number of rows, which it is given `ROWS_AT_ONCE` at a time.

    Raises:
        InputError: an output does not have one row for each row of the inputs.
    """
    import tensorflow as tf

    count = len(next(iter(inputs.values())))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    for start in range(0, count, ROWS_AT_ONCE):
        given = min(ROWS_AT_ONCE, count - start)
        block = signature(**{name: tf.constant(values[start : start + given]) for name, values in inputs.items()})
        for name in outputs:
            values = block[name].numpy()
            if values.shape[:1] != (given,):
                raise InputError(f"{name} should have a row for each of {given}. Received: shape {list(values.shape)}")
            parts[name].append(values)
    return [np.concatenate(parts[name]) for name in outputs]


def bad_rows(output: np.ndarray) -> np.ndarray:
    """The indices of the rows that a signature marked as bad: those with nothing but NaN, or an empty text."""
    rows = output.reshape(len(output), -1)
    return np.flatnonzero((rows == b"" if output.dtype == object else rows != rows).all(axis=1))
