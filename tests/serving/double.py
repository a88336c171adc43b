"""A test double of `tensorflow_model_server`: its flags, files, protocols and batches, run by a TensorFlow session.

It is not meant as a server, but is one Python process for the tests, used if the real server is not installed. It
follows the sources of TensorFlow Serving in everything that a client sees: versions that come and go, labels, statuses
and their messages, and requests that are concatenated along their rows, run together, split afterwards, and fail
together.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter, deque
from concurrent import futures
from pathlib import Path

import double_schemas as schemas
import grpc
import numpy as np
import tensorflow as tf
from double_rest import serve_rest
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

BATCH_THREADS = 2
# Optimising a graph takes longer than everything that a test computes with it.
AS_IT_IS = tf.compat.v1.ConfigProto()
AS_IT_IS.graph_options.rewrite_options.disable_meta_optimizer = True
STATE = get_model_status_pb2.ModelVersionStatus.State


class StatusError(Exception):
    """The error with which a call fails: the name of a gRPC status and a message."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Task:
    """A request, or a part of a request that was split."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.rows = len(next(iter(inputs.values())))
        self.outputs, self.error = None, None
        self.done = threading.Event()


class Queue:
    """The requests of one signature, which `BATCH_THREADS` threads run in batches."""

    def __init__(self, run, limits):
        self._run, self._limits = run, limits
        self._waiting, self._condition, self._closed = deque(), threading.Condition(), False
        for _ in range(BATCH_THREADS):
            threading.Thread(target=self._work, daemon=True).start()

    def close(self):
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def submit(self, inputs):
        """The outputs of a request, by name."""
        if len({len(values) for values in inputs.values()}) > 1:
            message = "Batching Run() input tensors must have equal 0th-dimension size"
            raise StatusError("INVALID_ARGUMENT", message)
        whole = Task(inputs)
        if whole.rows > self._limits.max_batch_size.value:
            raise StatusError(
                "INVALID_ARGUMENT",
                f"Task size {whole.rows} is larger than maximum input batch size {self._limits.max_batch_size.value}",
            )
        size = self._limits.max_execution_batch_size.value
        parts = [
            Task({name: values[start : start + size] for name, values in inputs.items()})
            for start in range(0, max(whole.rows, 1), size)
        ]
        with self._condition:
            room = self._limits.max_enqueued_batches.value * size - sum(task.rows for task in self._waiting)
            if whole.rows > room:
                message = "The batch scheduling queue to which this task was submitted is full"
                raise StatusError("UNAVAILABLE", message)
            self._waiting.extend(parts)
            self._condition.notify()
        for part in parts:
            part.done.wait()
            if part.error is not None:
                raise part.error
        return {name: np.concatenate([part.outputs[name] for part in parts]) for name in parts[0].outputs}

    def _work(self):
        while True:
            with self._condition:
                # A request without rows waits until another request comes.
                self._condition.wait_for(lambda: self._closed or any(task.rows for task in self._waiting))
                if self._closed and not self._waiting:
                    return
                batch, rows = [], 0
                while self._waiting and rows + self._waiting[0].rows <= self._limits.max_execution_batch_size.value:
                    batch.append(self._waiting.popleft())
                    rows += batch[-1].rows
            self._process(batch)

    def _process(self, batch):
        try:
            for name, first in batch[0].inputs.items():
                if len({task.inputs[name].shape[1:] for task in batch}) > 1:
                    raise StatusError(
                        "FAILED_PRECONDITION",
                        f"Tensors with name '{name}' from different tasks have different shapes and padding is turned "
                        "off. Set pad_variable_length_inputs to true, or ensure that all tensors with the same name "
                        "have equal dimensions starting with the first dim.",
                    )
                del first
            outputs = self._run(
                {name: np.concatenate([task.inputs[name] for task in batch]) for name in batch[0].inputs}
            )
            ends = np.cumsum([task.rows for task in batch])[:-1]
            for name, values in outputs.items():
                if len(values) != sum(task.rows for task in batch):
                    raise StatusError(
                        "FAILED_PRECONDITION",
                        "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of "
                        "the input tensors",
                    )
                for task, part in zip(batch, np.split(values, ends), strict=True):
                    task.outputs = {**(task.outputs or {}), name: part}
        except Exception as error:
            for task in batch:
                task.error = error if isinstance(error, StatusError) else StatusError("INTERNAL", repr(error))
        for task in batch:
            task.done.set()


class Version:
    """A SavedModel in a session, as the real server loads it."""

    def __init__(self, path, limits):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.session = tf.compat.v1.Session(config=AS_IT_IS)
            self.signatures = tf.compat.v1.saved_model.load(self.session, ["serve"], str(path)).signature_def
        self.queues = {
            name: Queue(lambda inputs, name=name: self.run(name, inputs), limits) for name in self.signatures if limits
        }
        warmup = path / "assets.extra" / "tf_serving_warmup_requests"
        for record in tf.data.TFRecordDataset(str(warmup)).as_numpy_iterator() if warmup.exists() else ():
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            self.predict(request, batched=False)

    def predict(self, request, batched=True):
        name = request.model_spec.signature_name or "serving_default"
        if name not in self.signatures:
            raise StatusError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        sent, known = set(request.inputs), set(signature.inputs)
        if len(sent) > len(known) or (len(sent) < len(known) and not signature.defaults):
            raise StatusError(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(sent)}!={len(known)} len({{{','.join(sorted(sent))}}}) != "
                f"len({{{','.join(sorted(known))}}}). Sent extra: {{{','.join(sorted(sent - known))}}}. "
                f"Missing but required: {{{','.join(sorted(known - sent))}}}.",
            )
        inputs = {}
        for key, info in signature.inputs.items():
            proto = request.inputs[key] if key in sent else signature.defaults.get(key)
            if proto is None:
                raise StatusError("INVALID_ARGUMENT", f"Missing input: {key}")
            if proto.dtype != info.dtype:
                raise StatusError(
                    "INVALID_ARGUMENT",
                    f"{key} should be {tf.as_dtype(info.dtype).name}, is {tf.as_dtype(proto.dtype).name}",
                )
            inputs[key] = tf.make_ndarray(proto)
            if inputs[key].ndim == 0:
                raise StatusError("INVALID_ARGUMENT", "Batching Run() input tensors must have at least one dimension")
        if batched and name in self.queues:
            return self.queues[name].submit(inputs)
        return self.run(name, inputs)

    def run(self, name, inputs):
        signature = self.signatures[name]
        feed = {signature.inputs[key].name: values for key, values in inputs.items()}
        fetch = {key: info.name for key, info in signature.outputs.items()}
        try:
            return self.session.run(fetch, feed)
        except tf.errors.OpError as error:
            raise StatusError("INVALID_ARGUMENT", error.message.splitlines()[0]) from error
        except ValueError as error:  # a shape that the placeholder does not accept
            raise StatusError("INVALID_ARGUMENT", str(error)) from error

    def close(self):
        for queue in self.queues.values():
            queue.close()
        self.session.close()


class Manager:
    """Loads, unloads and labels versions according to the configuration and the folders."""

    def __init__(self, flags):
        self.flags = flags
        self.limits = None
        if flags.enable_batching:
            text = Path(flags.batching_parameters_file).read_text()
            self.limits = text_format.Parse(text, schemas.BatchingParameters())
        self.requests = Counter()
        self.loaded, self.states, self.labels = {}, {}, {}
        self.config = self._read()
        self._move_labels()
        self._aspire()
        for model in self.config.model_config_list.config:
            if failed := [error for _, error in self.states.get(model.name, {}).values() if error]:
                sys.exit(f"Failed to start server. Error: {model.name}: {failed[0]}")
        threading.Thread(target=self._watch, daemon=True).start()

    def find(self, spec):
        """The version that a `ModelSpec` means, and its number."""
        versions = self.loaded.get(spec.name, {})
        choice = spec.WhichOneof("version_choice")
        if not spec.name:
            raise StatusError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        if choice == "version_label":
            if spec.version_label not in self.labels.get(spec.name, {}):
                message = f"Unrecognized servable version label: {spec.version_label}"
                raise StatusError("INVALID_ARGUMENT", message)
            number = self.labels[spec.name][spec.version_label]
        else:
            number = spec.version.value if choice else max(versions, default=None)
        if number not in versions:
            asked = f"Specific({spec.name}, {number})" if choice else f"Latest({spec.name})"
            raise StatusError("NOT_FOUND", f"Servable not found for request: {asked}")
        return versions[number], number

    def predict(self, request):
        self.requests[request.model_spec.name] += 1
        version, number = self.find(request.model_spec)
        outputs = version.predict(request)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = number
        response.model_spec.signature_name = request.model_spec.signature_name or "serving_default"
        for name, values in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(values))
        return response

    def status(self, request):
        spec = request.model_spec
        states = self.states.get(spec.name, {})
        if spec.WhichOneof("version_choice") == "version":
            states = {number: state for number, state in states.items() if number == spec.version.value}
        if not states:
            raise StatusError("NOT_FOUND", f"Could not find any versions of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, (state, error) in sorted(states.items(), reverse=True):
            entry = response.model_version_status.add(version=number, state=STATE.Value(state))
            entry.status.error_code, entry.status.error_message = (3 if error else 0), error
        return response

    def metadata(self, request):
        version, number = self.find(request.model_spec)
        if list(request.metadata_field) != ["signature_def"]:
            raise StatusError("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field")
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in version.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = number
        response.metadata["signature_def"].Pack(signatures)
        return response

    def reload(self, request):
        self.config = request.config
        self._move_labels()
        self._aspire()
        return model_management_pb2.ReloadConfigResponse()

    def _read(self):
        return text_format.Parse(Path(self.flags.model_config_file).read_text(), ModelServerConfig())

    def _watch(self):
        read = time.monotonic()
        while True:
            time.sleep(self.flags.file_system_poll_wait_seconds)
            wait = self.flags.model_config_file_poll_wait_seconds
            if wait and time.monotonic() - read >= wait:
                read = time.monotonic()
                self.config = self._read()
                self._move_labels()
            self._aspire()

    def _move_labels(self):
        labels = {}
        for model in self.config.model_config_list.config:
            for label, number in model.version_labels.items():
                is_new = self.labels.get(model.name, {}).get(label, number) == number
                may_wait = self.flags.allow_version_labels_for_unavailable_models and is_new
                if not may_wait and number not in self.loaded.get(model.name, {}):
                    return
                labels.setdefault(model.name, {})[label] = number
        self.labels = labels

    def _aspire(self):
        for model in self.config.model_config_list.config:
            folder = Path(model.base_path)
            if not folder.is_absolute():
                sys.exit(f"Expected model {model.name} to have an absolute path. Got base_path()={model.base_path}")
            there = sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal())
            policy = model.model_version_policy
            if policy.HasField("specific"):
                there = [number for number in there if number in policy.specific.versions]
            elif not policy.HasField("all"):
                there = there[-(policy.latest.num_versions or 1) :]
            states = self.states.setdefault(model.name, {})
            for number in there:
                if states.get(number, ("END", ""))[0] != "AVAILABLE" and not states.get(number, ("", ""))[1]:
                    self._load(model.name, number, folder / str(number))
            for number in [number for number, (state, _) in states.items() if number not in there and state != "END"]:
                states[number] = ("END", "")
                self.loaded[model.name].pop(number).close()

    def _load(self, name, number, path):
        self.states[name][number] = ("LOADING", "")
        try:
            version = Version(path, self.limits)
        except Exception as error:
            self.states[name][number] = ("END", str(getattr(error, "message", error)) or repr(error))
            return
        self.loaded.setdefault(name, {})[number] = version
        self.states[name][number] = ("AVAILABLE", "")


class Services(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Both services over gRPC."""

    def __init__(self, manager):
        self._manager = manager

    def Predict(self, request, context):  # noqa: N802
        return _answer(self._manager.predict, request, context)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return _answer(self._manager.metadata, request, context)

    def GetModelStatus(self, request, context):  # noqa: N802
        return _answer(self._manager.status, request, context)

    def HandleReloadConfigRequest(self, request, context):  # noqa: N802
        return _answer(self._manager.reload, request, context)


def _answer(method, request, context):
    try:
        return method(request)
    except StatusError as error:
        context.abort(grpc.StatusCode[error.code], error.message)


def main():
    def truth(text):
        return {"true": True, "false": False}[text]

    parser = argparse.ArgumentParser(prog="tensorflow_model_server", allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--rest_api_port", type=int, default=0)
    parser.add_argument("--model_config_file", required=True)
    parser.add_argument("--model_config_file_poll_wait_seconds", type=int, default=0)
    parser.add_argument("--file_system_poll_wait_seconds", type=int, default=1)
    parser.add_argument("--batching_parameters_file")
    parser.add_argument("--monitoring_config_file")
    parser.add_argument("--max_num_load_retries", type=int, default=5)
    for name in ("enable_batching", "allow_version_labels_for_unavailable_models", "rest_api_enable_cors_support"):
        parser.add_argument(f"--{name}", type=truth, default=False)
    flags = parser.parse_args()
    monitoring = schemas.MonitoringConfig()
    if flags.monitoring_config_file:
        text_format.Parse(Path(flags.monitoring_config_file).read_text(), monitoring)

    manager = Manager(flags)
    services = Services(manager)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(64), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(services, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, server)
    server.add_insecure_port(f"127.0.0.1:{flags.port}")
    server.start()
    serve_rest(manager, flags, monitoring.prometheus_config.path)


if __name__ == "__main__":
    main()
