"""Generators for other runtimes: TensorFlow Lite and ONNX files, checked against the SavedModel that they come from."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.signatures import GENERATE, LABEL, LATENT, SAMPLES, rows
from zoo.errors import InputError, first_line

CHECKED = 16  # seeds on whose latents the converted generator is run
TOLERANCE = 1e-4
OPSET = 17


def convert(model: LoadedModel, runtime: str) -> tuple[bytes, float]:
    """Converts the signature `generate` of a trained model, from latent vectors and labels to samples, to one file.

    Args:
        model: from `load`.
        runtime: a key of `RUNTIMES`.

    Returns:
        The file's contents, and the largest difference of any pixel from the SavedModel's over the latents of 16 seeds.

    Raises:
        InputError: a model without one latent vector for each seed, a graph that cannot be converted, a missing
            package, or a difference above 1e-4.
    """
    latents = model.latents(range(CHECKED))
    classes = model.card.get("num_classes") or 1
    labels = np.arange(CHECKED, dtype=np.int32) % classes
    expected = model.decode(latents, labels)
    try:
        contents, run = RUNTIMES[runtime](model)
    except ImportError as error:
        raise InputError(
            f"{runtime} needs a package that is not installed, {error.name}: pip install 'gan-zoo[{runtime}]'"
        ) from error
    except Exception as error:  # converters raise errors of any type
        raise InputError(f"{model.path}: cannot be converted to {runtime}: {first_line(error)}") from error
    difference = float(np.abs(run(latents, labels) - expected).max())
    if not difference <= TOLERANCE:
        raise InputError(f"{model.path}: as {runtime} it samples differently, by up to {difference:.2g}.")
    return contents, difference


def _to_tflite(model: LoadedModel) -> tuple[bytes, Callable]:
    import tensorflow as tf

    contents = tf.lite.TFLiteConverter.from_saved_model(str(model.path), signature_keys=[GENERATE]).convert()

    def run(latents, labels):
        with warnings.catch_warnings(action="ignore"):  # about a later TensorFlow that will have no interpreter
            interpreter = tf.lite.Interpreter(model_content=contents)
        return interpreter.get_signature_runner()(latent=latents, label=labels)[SAMPLES]

    return contents, run


def _to_onnx(model: LoadedModel) -> tuple[bytes, Callable]:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    loaded = tf.saved_model.load(str(model.path))  # keeps its variables alive
    signature = loaded.signatures[GENERATE]
    size = signature.structured_input_signature[1][LATENT].shape[1]
    specs = [rows(LATENT, size), rows(LABEL)]
    graph = tf.function(lambda latent, label: signature(latent=latent, label=label), input_signature=specs)
    converted, _ = tf2onnx.convert.from_function(graph, input_signature=specs, opset=OPSET)
    contents = converted.SerializeToString()

    def run(latents, labels):
        session = onnxruntime.InferenceSession(contents)
        return session.run([SAMPLES], {LATENT: latents, LABEL: labels})[0]

    return contents, run


RUNTIMES = {"tflite": _to_tflite, "onnx": _to_onnx}
