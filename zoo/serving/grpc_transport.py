"""Access to a model server over gRPC, the faster way; needs the extra `serving`."""

from __future__ import annotations

from zoo.errors import InputError
from zoo.serving.transport import ServerError, VersionStatus, described

OPTIONS = {
    "grpc.max_receive_message_length": -1,  # a chunk of large samples is longer than the 4 MB of the default
    "grpc.max_send_message_length": -1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,  # a server that was restarted is found again within the deadline
}


class GrpcTransport:
    """A `Transport` over gRPC.

    Args:
        address: "host:port".

    Raises:
        InputError: `tensorflow-serving-api` is not installed.
    """

    def __init__(self, address: str):
        try:
            import grpc
            from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
            from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub
        except ImportError as error:
            raise InputError(
                "gRPC needs `pip install tensorflow-serving-api`, the extra `serving` of gan-zoo; "
                f"an address http://... does not. Received: {address}"
            ) from error
        self._channel = grpc.insecure_channel(address, options=list(OPTIONS.items()))
        self._models = ModelServiceStub(self._channel)
        self._predictions = PredictionServiceStub(self._channel)

    def predict(self, model, version, signature, inputs, outputs, timeout):
        import tensorflow as tf
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        _name(request.model_spec, model, version)
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        response = _call(self._predictions.Predict, request, timeout)
        return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}

    def metadata(self, model, version, timeout):
        from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap

        request = GetModelMetadataRequest(metadata_field=["signature_def"])
        _name(request.model_spec, model, version)
        response = _call(self._predictions.GetModelMetadata, request, timeout)
        found = SignatureDefMap()
        response.metadata["signature_def"].Unpack(found)
        return described(found.signature_def)

    def status(self, model, timeout):
        from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus

        request = GetModelStatusRequest()
        request.model_spec.name = model
        found = _call(self._models.GetModelStatus, request, timeout).model_version_status
        return {
            status.version: VersionStatus(ModelVersionStatus.State.Name(status.state), status.status.error_message)
            for status in found
        }

    def close(self):
        self._channel.close()


def _name(spec, model: str, version: int | str | None) -> None:
    spec.name = model
    if isinstance(version, str):
        spec.version_label = version
    elif version is not None:
        spec.version.value = version


def _call(method, request, timeout: float):
    import grpc

    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise ServerError(error.code().name, error.details()) from error
