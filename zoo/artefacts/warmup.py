"""The requests that TensorFlow Serving runs before it serves a version, so that no client waits for its first call.

They are records of its `PredictionLog`, in a file in the version's folder. A request that fails keeps the version from
being served, so there is one for each signature, with an input that every model accepts: a row of zeros.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import LABEL, SEED
from zoo.labels import NO_LABEL

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")  # in a version's folder


def served_signatures(graph: MetaGraphDef) -> dict[str, SignatureDef]:
    """The signatures that a client may call, by name, without the loader's own, such as `__saved_model_init_op`."""
    return {name: signature for name, signature in sorted(graph.signature_def.items()) if not name.startswith("__")}


def row(signature: SignatureDef) -> dict[str, np.ndarray]:
    """One row for each input of a signature: zeros, and the label -1 where a seed can choose the class."""
    import tensorflow as tf

    row = {
        name: np.zeros([1, *(axis.size for axis in info.tensor_shape.dim[1:])], tf.as_dtype(info.dtype).as_numpy_dtype)
        for name, info in sorted(signature.inputs.items())
    }
    if row.keys() >= {SEED, LABEL}:
        row[LABEL][:] = NO_LABEL
    return row


def write_warmup(version: Path, name: str) -> Path:
    """Writes the warm-up file of a version.

    Args:
        version: the folder of a SavedModel.
        name: the name under which its model is served.

    Returns:
        The file's path.
    """
    import tensorflow as tf

    path = version / WARMUP
    path.parent.mkdir(exist_ok=True)
    # Not inside the version, whose every file a card lists: a killed write must not leave another one there.
    with tempfile.TemporaryDirectory(prefix=".", dir=version.parent) as folder:
        written = Path(folder, path.name)
        with tf.io.TFRecordWriter(str(written)) as writer:
            for record in _records(read_graph(version), name):
                writer.write(record)
        written.replace(path)
    return path


def _records(graph: MetaGraphDef, name: str) -> Iterator[bytes]:
    """A serialised `tensorflow.serving.PredictionLog` for each signature.

    It is encoded by hand, so that training and exporting do not need `tensorflow-serving-api`, which declares it.
    """
    for signature, definition in served_signatures(graph).items():
        model_spec = _field(1, name.encode()) + _field(3, signature.encode())
        request = _field(1, model_spec) + _inputs(row(definition))
        yield _field(6, _field(1, request))  # predict_log.request


def _inputs(row: Mapping[str, np.ndarray]) -> bytes:
    import tensorflow as tf

    tensors = {name: tf.make_tensor_proto(values).SerializeToString() for name, values in row.items()}
    return b"".join(_field(2, _field(1, name.encode()) + _field(2, tensor)) for name, tensor in tensors.items())


def _field(number: int, contents: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes, a text or another message."""
    size, length = len(contents), []
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + contents
