"""Access to a model server over REST, which any HTTP client speaks; needs only NumPy."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.parse

import numpy as np

from zoo.serving.transport import ServerError, Signature, Tensor, VersionStatus

# From the HTTP status of a reply to the gRPC status that it stands for.
CODES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",  # from a proxy
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
DTYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}  # other types have NumPy's names


class RestTransport:
    """A `Transport` over REST.

    Args:
        url: "http://host:port", or https, with the path in front of `/v1` if there is one.
    """

    def __init__(self, url: str):
        parts = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._address = parts.netloc
        self._path = parts.path.rstrip("/")

    def predict(self, model, version, signature, inputs, outputs, timeout):
        columns = {name: values.tolist() for name, values in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": columns}).encode()
        found = self._ask("POST", f"{_place(model, version)}:predict", timeout, body)["outputs"]
        if len(outputs) == 1:  # the only output comes without its name
            found = dict.fromkeys(outputs, found)
        return {name: _array(found[name], tensor.dtype) for name, tensor in outputs.items()}

    def metadata(self, model, version, timeout):
        found = self._ask("GET", f"{_place(model, version)}/metadata", timeout)["metadata"]
        return {
            name: Signature(_tensors(signature["inputs"]), _tensors(signature["outputs"]))
            for name, signature in found["signature_def"]["signature_def"].items()
            if not name.startswith("__")
        }

    def status(self, model, timeout):
        found = self._ask("GET", _place(model, None), timeout)["model_version_status"]
        return {
            int(status["version"]): VersionStatus(status["state"], status.get("status", {}).get("error_message", ""))
            for status in found
        }

    def close(self):
        """Does nothing: every call has a connection of its own."""

    def _ask(self, method: str, place: str, timeout: float, body: bytes | None = None) -> dict:
        connection = self._connection(self._address, timeout=timeout)
        try:
            connection.request(method, f"{self._path}/v1/models/{place}", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except TimeoutError as error:
            raise ServerError("DEADLINE_EXCEEDED", f"no answer within {timeout:.3g} s") from error
        except (OSError, http.client.HTTPException) as error:  # refused, reset, or ended in the middle of an answer
            raise ServerError("UNAVAILABLE", str(error) or type(error).__name__) from error
        finally:
            connection.close()
        try:
            reply = json.loads(text)
            message = reply.get("error", "")
        except (ValueError, AttributeError):
            reply, message = {}, f"no JSON object came back, but {text[:80]!r}"
        if response.status != 200 or not reply:
            raise ServerError(CODES.get(response.status, "UNKNOWN"), message or f"HTTP status {response.status}")
        return reply


def _place(model: str, version: int | str | None) -> str:
    model = urllib.parse.quote(model, safe="")
    if version is None:
        return model
    if isinstance(version, str):
        return f"{model}/labels/{urllib.parse.quote(version, safe='')}"
    return f"{model}/versions/{version}"


def _tensors(infos: dict) -> dict[str, Tensor]:
    return {name: Tensor(_dtype(info["dtype"]), _shape(info["tensor_shape"])) for name, info in sorted(infos.items())}


def _dtype(name: str) -> str:
    return DTYPES.get(name, name.removeprefix("DT_").lower())


def _shape(shape: dict) -> tuple[int | None, ...]:
    sizes = (int(axis["size"]) for axis in shape.get("dim", ()))
    return tuple(None if size < 0 else size for size in sizes)


def _array(values: list, dtype: str) -> np.ndarray:
    if dtype != "string":
        return np.array(values, dtype)
    texts = [base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode() for value in values]
    return np.array(texts, object)
