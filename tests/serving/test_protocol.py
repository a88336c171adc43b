"""What a server answers to requests that are wrong, past the checks of the zoo's own client; and that it stays up."""

import http.client
import json

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

SEED = np.array([1, 2], np.int64)
LABEL = np.array([-1, 0], np.int32)
GOOD = {"seed": SEED, "label": LABEL}


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(server.urls["grpc"]) as channel:
        yield PredictionServiceStub(channel)


def predict(stub, inputs, model="cgan", signature="sample", timeout=60, **spec):
    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    if "version" in spec:
        request.model_spec.version.value = spec["version"]
    if "label" in spec:
        request.model_spec.version_label = spec["label"]
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return {name: tf.make_ndarray(found) for name, found in stub.Predict(request, timeout=timeout).outputs.items()}


def post(server, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.rest, timeout=60)
    connection.request("POST", path, body if isinstance(body, str) else json.dumps(body))
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    return response.status, found


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"model": "cgam"}, "NOT_FOUND", "cgam"),
        ({"version": 7}, "NOT_FOUND", "7"),
        ({"label": "beta"}, "INVALID_ARGUMENT", "beta"),
        ({"signature": "simple"}, "FAILED_PRECONDITION", 'Serving signature key "simple" not found'),
        ({"inputs": {**GOOD, "latent": LABEL}}, "INVALID_ARGUMENT", "Sent extra: {latent}"),
        ({"inputs": {"label": LABEL}}, "INVALID_ARGUMENT", "seed"),
        ({"inputs": {**GOOD, "seed": SEED.astype(np.float32)}}, "INVALID_ARGUMENT", "float"),
        ({"inputs": {**GOOD, "seed": SEED[:, None]}}, "INVALID_ARGUMENT", "shape"),
        ({"inputs": {**GOOD, "label": LABEL[:1]}}, "INVALID_ARGUMENT", "equal 0th-dimension size"),
        ({"inputs": {"seed": SEED}}, "INVALID_ARGUMENT", "equal 0th-dimension size"),
        ({"inputs": {name: np.resize(values, 1025) for name, values in GOOD.items()}}, "INVALID_ARGUMENT", "1025"),
        ({"inputs": {name: values[:0] for name, values in GOOD.items()}, "timeout": 1}, "DEADLINE_EXCEEDED", ""),
    ],
    ids=str,
)
def test_over_grpc(stub, changes, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        predict(stub, **{"inputs": GOOD, **changes})
    assert caught.value.code().name == code
    assert message in caught.value.details()
    assert len(predict(stub, GOOD)["samples"]) == 2


def test_a_single_seed_needs_no_label_over_grpc(stub):
    alone = predict(stub, {"seed": SEED[:1]})["samples"]
    np.testing.assert_allclose(alone, predict(stub, GOOD)["samples"][:1], atol=1e-6)


def test_many_rows_are_split(stub):
    many = {name: np.resize(values, 150) for name, values in GOOD.items()}
    samples = predict(stub, many)["samples"]
    np.testing.assert_allclose(samples, np.resize(predict(stub, GOOD)["samples"], samples.shape), atol=1e-6)


def test_a_bad_row_is_marked_and_its_neighbours_are_not(stub):
    labels = np.array([0, 11, -2, 1], np.int32)
    samples = predict(stub, {"seed": np.zeros(4, np.int64), "label": labels})["samples"]
    assert np.isnan(samples).all(axis=(1, 2, 3)).tolist() == [False, True, True, False]
    good = predict(stub, {"seed": np.zeros(2, np.int64), "label": labels[[0, 3]]})["samples"]
    np.testing.assert_allclose(samples[[0, 3]], good, atol=1e-6)


PREDICT = "/v1/models/cgan:predict"
COLUMNS = {"signature_name": "sample", "inputs": {"seed": [1, 2], "label": [-1, 0]}}


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/models/cgam:predict", COLUMNS, 404, "cgam"),
        ("/v1/models/cgan/versions/7:predict", COLUMNS, 404, "7"),
        ("/v1/models/cgan/labels/beta:predict", COLUMNS, 400, "beta"),
        ("/v1/models/cgan:draw", COLUMNS, 400, "Malformed request"),
        (PREDICT, {**COLUMNS, "signature_name": "simple"}, 400, "simple"),
        (PREDICT, "{", 400, "JSON Parse error"),
        (PREDICT, {}, 400, "Missing 'inputs' or 'instances' key"),
        (PREDICT, {"inputs": {"seed": [1]}}, 400, "Missing named input: label"),
        (PREDICT, {"inputs": {"seed": ["1"], "label": [0]}}, 400, "not of expected type"),
        (PREDICT, {"inputs": {"seed": [1.0], "label": [0]}}, 400, "not of expected type"),
        (PREDICT, {"inputs": {"seed": [1, 2], "label": [0]}}, 400, "equal 0th-dimension size"),
        (PREDICT, {"instances": []}, 400, "No values in 'instances'"),
        (PREDICT, {"inputs": {"seed": [1] * 1025, "label": [0] * 1025}}, 400, "1025"),
    ],
    ids=str,
)
def test_over_rest(server, path, body, status, message):
    found = post(server, path, body)
    assert found[0] == status
    assert message in found[1]["error"]
    assert post(server, PREDICT, COLUMNS)[0] == 200


def test_rows_and_columns_give_the_same_over_rest(server):
    _, columns = post(server, PREDICT, COLUMNS)
    instances = [{"seed": 1, "label": -1}, {"seed": 2, "label": 0}]
    _, rows = post(server, PREDICT, {"signature_name": "sample", "instances": instances})
    np.testing.assert_allclose(rows["predictions"], columns["outputs"], atol=1e-6)
