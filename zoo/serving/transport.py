"""What both ways of talking to a model server have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo


@dataclass(frozen=True)
class Tensor:
    """An input or an output of a signature.

    Args:
        dtype: such as "int64"; "string" for bytes.
        shape: None, for the number of rows, and the shape of a row.
    """

    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Signature:
    """What one signature of a served model takes and returns, by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def described(signatures: Mapping[str, SignatureDef]) -> dict[str, Signature]:
    """The signatures of a SavedModel's graph, except the loader's own, such as `__saved_model_init_op`."""
    return {
        name: Signature(_tensors(signature.inputs), _tensors(signature.outputs))
        for name, signature in signatures.items()
        if not name.startswith("__")
    }


def _tensors(infos: Mapping[str, TensorInfo]) -> dict[str, Tensor]:
    import tensorflow as tf

    return {
        name: Tensor(
            tf.as_dtype(info.dtype).name,
            tuple(None if axis.size < 0 else axis.size for axis in info.tensor_shape.dim),
        )
        for name, info in sorted(infos.items())
    }


@dataclass(frozen=True)
class VersionStatus:
    """How a version of a model fares on the server.

    Args:
        state: "START", "LOADING", "AVAILABLE", "UNLOADING" or "END"; "END" also if a version did not load.
        error: why it did not load; empty if nothing went wrong.
    """

    state: str
    error: str


class ServerError(Exception):
    """A call that the server refused, or that did not reach it.

    Args:
        code: the name of a gRPC status, such as "INVALID_ARGUMENT".
        message: the server's message.
    """

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Transport(Protocol):
    """A way to reach a server. A method that fails raises a `ServerError`, at the latest after `timeout` seconds.

    A `version` is a number, a label such as "stable", or None for the highest that the server has.
    """

    def predict(
        self,
        model: str,
        version: int | str | None,
        signature: str,
        inputs: dict[str, np.ndarray],
        outputs: dict[str, Tensor],
        timeout: float,
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature; those of strings are arrays of bytes objects."""

    def metadata(self, model: str, version: int | str | None, timeout: float) -> dict[str, Signature]:
        """Every signature that a client may call, by name."""

    def status(self, model: str, timeout: float) -> dict[int, VersionStatus]:
        """Every version that the server knows of a model."""

    def close(self) -> None:
        """Ends the connection."""
