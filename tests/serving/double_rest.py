"""The REST side of the test double: paths, JSON and statuses as in TensorFlow Serving's sources."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

CALL = r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:(classify|regress|predict)"
ASK = r"/v1/models(?:/([^/:]+))?(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?(?:/(metadata))?"
HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "UNIMPLEMENTED": 501,
}


class BadRequestError(Exception):
    """An error that is answered with status 400."""


def serve_rest(manager, flags, metrics_path):
    """Answers requests until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_OPTIONS(self):
            self._reply(200, b"")

        def do_GET(self):
            if self.path == metrics_path:
                lines = [
                    f':tensorflow:serving:request_count{{model_name="{name}"}} {count}'
                    for name, count in manager.requests.items()
                ]
                self._reply(200, "\n".join(lines).encode() + b"\n", "text/plain")
                return
            self._answer(self._get)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            self._answer(lambda: _predict(manager, self._parts(CALL), body))

        def _get(self):
            name, version, label, metadata = self._parts(ASK)
            if not name:
                raise BadRequestError("Missing model name in request.")
            if metadata:
                request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
                answer = manager.metadata
            else:
                request, answer = get_model_status_pb2.GetModelStatusRequest(), manager.status
            _name(request.model_spec, name, version, label)
            found = json_format.MessageToDict(
                answer(request), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for signatures in found.get("metadata", {}).values():
                signatures.pop("@type")
            return found

        def _parts(self, pattern):
            match = re.fullmatch(pattern, self.path, re.IGNORECASE)
            if not match:
                raise BadRequestError(f"Malformed request: {self.command} {self.path}")
            return [part and urllib.parse.unquote(part) for part in match.groups()]

        def _answer(self, answer):
            try:
                status, found = 200, answer()
            except BadRequestError as error:
                status, found = 400, {"error": str(error)}
            except Exception as error:
                status, found = HTTP.get(getattr(error, "code", ""), 500), {"error": str(error)}
            self._reply(status, json.dumps(found).encode())

        def _reply(self, status, body, kind="application/json"):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if flags.rest_api_enable_cors_support:
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Access-Control-Allow-Methods", "POST, GET")
                self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    Server(("127.0.0.1", flags.rest_api_port), Handler).serve_forever()


def _name(spec, name, version, label):
    spec.name = name
    if version:
        spec.version.value = int(version)
    if label:
        spec.version_label = label


def _predict(manager, parts, body):
    name, version, label, method = parts
    if method != "predict":
        raise BadRequestError(f"Expected signature method name tensorflow/serving/{method}")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise BadRequestError(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise BadRequestError("JSON Value: Is not object")
    request = predict_pb2.PredictRequest()
    _name(request.model_spec, name, version, label)
    signature = document.get("signature_name", "")
    request.model_spec.signature_name = signature
    served, _ = manager.find(request.model_spec)
    definition = served.signatures.get(signature or "serving_default")
    if definition is None:
        raise BadRequestError(f'Serving signature name: "{signature}" not found in signature def')
    by_row = "instances" in document
    columns = _columns_of_rows(document["instances"], definition) if by_row else document.get("inputs")
    if columns is None:
        raise BadRequestError("Missing 'inputs' or 'instances' key")
    if not isinstance(columns, dict):
        if len(definition.inputs) > 1:
            raise BadRequestError("inputs is a plain value/list, but expecting an object as multiple input tensors")
        columns = {next(iter(definition.inputs)): columns}
    for key, info in definition.inputs.items():
        if key not in columns:
            raise BadRequestError(f"Missing named input: {key} in 'inputs' object.")
        request.inputs[key].CopyFrom(tf.make_tensor_proto(_tensor(columns[key], tf.as_dtype(info.dtype))))
    outputs = {key: tf.make_ndarray(tensor) for key, tensor in manager.predict(request).outputs.items()}
    columns = {key: _plain(key, values) for key, values in outputs.items()}
    if len(columns) == 1:
        (values,) = columns.values()
        return {"predictions": values} if by_row else {"outputs": values}
    if by_row:
        return {"predictions": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}
    return {"outputs": columns}


def _columns_of_rows(rows, definition):
    if not isinstance(rows, list) or not rows:
        raise BadRequestError("No values in 'instances' array")
    if not isinstance(rows[0], dict):
        if len(definition.inputs) > 1:
            raise BadRequestError("instances is a plain list, but expecting list of objects as multiple input tensors")
        return {next(iter(definition.inputs)): rows}
    for number, row in enumerate(rows):
        if row.keys() != set(definition.inputs):
            expected = ",".join(sorted(definition.inputs))
            raise BadRequestError(f"Failed to process element: {number}. Keys must be equal to: {expected}")
    return {key: [row[key] for row in rows] for key in definition.inputs}


def _tensor(values, dtype):
    """A JSON value as an array; its numbers must already have the right type."""

    def check(value):
        if isinstance(value, list):
            for item in value:
                check(item)
        elif isinstance(value, bool) or not isinstance(value, (int, float) if dtype.is_floating else int):
            raise BadRequestError(f"JSON Value: {json.dumps(value)} is not of expected type: {dtype.name}")

    check(values)
    try:
        return np.array(values, dtype.as_numpy_dtype)
    except (ValueError, OverflowError) as error:
        raise BadRequestError(f"Encountered list at unexpected size: {error}") from error


def _plain(name, values):
    """An output as JSON: bytes in base64, floats with as many digits as they need."""
    if values.dtype != object:
        return values.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return [value.decode() for value in values]
