"""One client for every model that a server of TensorFlow Serving holds, over gRPC or REST."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import numpy as np

from zoo.artefacts.catalogue import pretrained
from zoo.artefacts.signatures import IMAGE_BYTES, LABEL, SAMPLE, SAMPLE_PNG, SAMPLES, SEED, bad_rows
from zoo.errors import InputError, ServingError, require_positive, require_positive_number, unknown
from zoo.labels import NO_LABEL
from zoo.sampling import check_seeds_and_labels
from zoo.serving.grpc_transport import GrpcTransport
from zoo.serving.rest_transport import RestTransport
from zoo.serving.transport import ServerError, Signature, Tensor, Transport, VersionStatus

T = TypeVar("T")
MENDABLE = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE"}  # by the caller
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between two attempts
# What a server says to all clients of a batch, one of which sent rows of another shape.
OTHERS_SHAPE = "from different tasks have different shapes"


class Client:
    """A client of a model server.

    Calls that find no server, or one whose queue is full, are repeated until the deadline; so are calls that failed
    because of another client's rows. Any number of threads may share a client.

    Args:
        url: "host:8500" or "grpc://host:8500" for gRPC, "http://host:8501" for REST.
        timeout: seconds until a call is given up.
        rows: how many rows go into one request; longer inputs are sent in several.

    Raises:
        InputError: an address of another form, settings that are not positive, or gRPC without the extra `serving`.

    Example:
        client = zoo.serving.Client("http://localhost:8501")
        images = client.sample("cgan-mnist", seeds=8, labels=3)    # float32 [8, 28, 28, 1] in [0, 1]
    """

    def __init__(self, url: str, *, timeout: float = 30.0, rows: int = 64):
        require_positive(rows=rows)
        require_positive_number(timeout=timeout)
        self.url = url
        self.timeout = timeout
        self.rows = rows
        self._transport = _transport(url)
        self._signatures: dict[tuple[str, int | str | None], dict[str, Signature]] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._transport.close()

    def sample(
        self,
        model: str,
        seeds: int | Sequence[int] | np.ndarray,
        labels: int | Sequence[int] | np.ndarray | None = None,
        *,
        version: int | str | None = None,
    ) -> np.ndarray:
        """One sample for each seed, equal to those of `zoo.load(model).sample` to within 1e-5.

        Args:
            model: its name on the server.
            seeds: n seeds, or a number n that stands for the seeds 0 to n - 1.
            labels: one class for all rows, or n classes; -1 or None lets the seed choose the class.
            version: a number, or a label such as "stable"; None for the highest that is served.

        Returns:
            float32 `[n, *data_shape]`: images in [0, 1], or vectors on their own scale.

        Raises:
            InputError: seeds or labels that the model does not take; no such model, version or signature.
            ServingError: the server cannot be reached, does not answer in time, or is at fault.
        """
        return self.predict(model, SAMPLE, _by_seed(seeds, labels), version=version)[SAMPLES]

    def sample_png(
        self,
        model: str,
        seeds: int | Sequence[int] | np.ndarray,
        labels: int | Sequence[int] | np.ndarray | None = None,
        *,
        version: int | str | None = None,
    ) -> list[bytes]:
        """The rows of `sample`, each as the bytes of a PNG; takes what `sample` takes and raises what it raises."""
        return self.predict(model, SAMPLE_PNG, _by_seed(seeds, labels), version=version)[IMAGE_BYTES].tolist()

    def predict(
        self, model: str, signature: str, inputs: Mapping[str, object], *, version: int | str | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs of any signature.

        Args:
            model: its name on the server.
            signature: its name, such as "discriminate".
            inputs: by name, each with n rows; where the signature takes labels and none are given, they are -1.
            version: as `sample` takes it.

        Returns:
            By name, each with n rows; texts and PNGs as an array of bytes objects.

        Raises:
            InputError, ServingError: as `sample`; rows that the model marks as bad are an `InputError`.
        """
        found = self._signature(model, signature, version)
        arrays = _checked(f"{model}: {signature}", found, inputs)
        count = len(next(iter(arrays.values())))
        parts = []
        for start in range(0, count, self.rows):
            block = {name: values[start : start + self.rows] for name, values in arrays.items()}
            parts.append(
                self._call(
                    lambda timeout, block=block: self._transport.predict(
                        model, version, signature, block, found.outputs, timeout
                    )
                )
            )
            _require_good(f"{model}: {signature}", parts[-1], block, start)
        return {name: np.concatenate([part[name] for part in parts]) for name in found.outputs}

    def metadata(self, model: str, *, version: int | str | None = None) -> dict[str, Signature]:
        """Every signature of a model by name, with the types and shapes of its inputs and outputs."""
        return self._call(lambda timeout: self._transport.metadata(model, version, timeout))

    def status(self, model: str) -> dict[int, VersionStatus]:
        """The state of every version that the server knows of a model, with the reason if one did not load."""
        return self._call(lambda timeout: self._transport.status(model, timeout))

    def models(self, names: Iterable[str] | None = None) -> dict[str, dict[int, VersionStatus]]:
        """The status of every version of the named models that the server has.

        Args:
            names: the models to ask for, since a server does not list its own; by default those of the catalogue.
        """
        found = {}
        for name in pretrained() if names is None else names:
            try:
                found[name] = self._retried(lambda timeout, name=name: self._transport.status(name, timeout))
            except ServerError as error:
                if error.code != "NOT_FOUND":
                    raise self._told(error) from error
        return found

    def _signature(self, model: str, name: str, version: int | str | None) -> Signature:
        known = self._signatures.get((model, version), {})
        if name not in known:
            known = self._signatures[model, version] = self.metadata(model, version=version)
        if name not in known:
            raise unknown(f"signature of {model}", name, known)
        return known[name]

    def _call(self, ask: Callable[[float], T]) -> T:
        try:
            return self._retried(ask)
        except ServerError as error:
            raise self._told(error) from error

    def _told(self, error: ServerError) -> InputError | ServingError:
        kind = InputError if error.code in MENDABLE else ServingError
        return kind(f"{self.url}: {error.code}: {' '.join(error.message.split())}")

    def _retried(self, ask: Callable[[float], T]) -> T:
        """Calls `ask` with the seconds that are left, again as long as that may help, and returns its result."""
        deadline, pause = time.monotonic() + self.timeout, FIRST_PAUSE
        while True:
            try:
                return ask(max(deadline - time.monotonic(), 1e-3))
            except ServerError as error:
                passes = error.code == "UNAVAILABLE" or OTHERS_SHAPE in error.message
                if not passes or time.monotonic() + pause >= deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _transport(url: str) -> Transport:
    scheme, separator, address = url.rpartition("://")
    try:
        urlsplit(f"//{address}").port  # noqa: B018 - raises for a port that is no number, or too large a one
        is_known = address and (not separator or scheme in ("grpc", "http", "https"))
    except ValueError:
        is_known = False
    if not is_known:
        raise InputError(f"A server's address looks like http://host:8501 or host:8500 (gRPC). Received: {url!r}")
    return RestTransport(url) if scheme.startswith("http") else GrpcTransport(address)


def _by_seed(seeds: object, labels: object) -> dict[str, np.ndarray]:
    return dict(zip((SEED, LABEL), check_seeds_and_labels(seeds, labels, num_classes=None), strict=True))


def _checked(called: str, signature: Signature, inputs: Mapping[str, object]) -> dict[str, np.ndarray]:
    """The inputs of a signature as arrays of its types, checked before anything is sent."""
    if LABEL in signature.inputs and LABEL not in inputs and inputs:
        inputs = {**inputs, LABEL: np.full(len(np.atleast_1d(next(iter(inputs.values())))), NO_LABEL)}
    if inputs.keys() != signature.inputs.keys():
        raise InputError(f"{called} takes {', '.join(signature.inputs)}. Received: {', '.join(inputs) or 'nothing'}")
    arrays = {name: _array(f"{called}: {name}", tensor, inputs[name]) for name, tensor in signature.inputs.items()}
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1 or not min(lengths.values()):
        received = ", ".join(f"{name} with {length}" for name, length in lengths.items())
        raise InputError(f"{called} takes one row or more, the same number for each input. Received: {received}")
    return arrays


def _array(called: str, tensor: Tensor, values: object) -> np.ndarray:
    array = np.asarray(values)
    dtype = np.dtype(tensor.dtype)
    kinds = "iu" if dtype.kind in "iu" else "iuf"
    wrong_shape = array.ndim != len(tensor.shape) or any(
        size not in (None, given) for size, given in zip(tensor.shape, array.shape, strict=True)
    )
    if wrong_shape or (array.size and array.dtype.kind not in kinds):
        shape = [size or "n" for size in tensor.shape]
        raise InputError(
            f"{called} should be {tensor.dtype} of shape [{', '.join(map(str, shape))}]. "
            f"Received: {array.dtype} of shape {list(array.shape)}"
        )
    if kinds == "iu" and array.size:
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise InputError(f"{called} should fit {dtype}. Received: values in [{array.min()}, {array.max()}]")
    return array.astype(dtype)


def _require_good(called: str, outputs: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], first: int) -> None:
    """Raises an `InputError` if a server marked rows as bad, or did not answer every row."""
    count = len(next(iter(inputs.values())))
    for name, values in outputs.items():
        if values.shape[:1] != (count,):
            raise ServingError(f"{called}: {name} should have {count} rows. Received: shape {list(values.shape)}")
        if len(bad := bad_rows(values)):
            row = bad[0]
            raise InputError(
                f"{called} refuses {len(bad)} of {count} rows: labels should be classes of the model, or -1 with a "
                f"seed; images should lie in [0, 1]; no number may be NaN. Received: in row {first + row} "
                + ", ".join(_shown(name, values[row]) for name, values in inputs.items())
            )


def _shown(name: str, value: np.ndarray) -> str:
    return f"{name} {value}" if value.ndim == 0 else f"{name} with values in [{value.min():g}, {value.max():g}]"
