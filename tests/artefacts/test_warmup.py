"""The warm-up file is what the server's own schema reads, and covers every signature."""

import json

import numpy as np
import pytest
import tensorflow as tf
from test_model import make

import zoo
from zoo.artefacts.safety import read_graph
from zoo.artefacts.warmup import WARMUP, _field, served_signatures
from zoo.errors import InputError

pytest.importorskip("tensorflow_serving", reason="needs the extra `serving`")


@pytest.fixture(scope="module", params=["CGAN", "LAPGAN", "SemiSupervisedGAN"])
def version(request, tmp_path_factory):
    return make(request.param).export(tmp_path_factory.mktemp("warm") / "model")


def requests(version):
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    records = tf.data.TFRecordDataset(str(version / WARMUP)).as_numpy_iterator()
    return [PredictionLog.FromString(record).predict_log.request for record in records]


def test_every_signature_is_asked_once_and_none_fails(version):
    graph, signatures = read_graph(version), tf.saved_model.load(str(version)).signatures
    found = requests(version)
    assert [request.model_spec.signature_name for request in found] == list(served_signatures(graph))
    assert {request.model_spec.name for request in found} == {"model"}
    for request in found:
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        for rows in signatures[request.model_spec.signature_name](**inputs).values():
            assert len(rows) == 1
            assert rows.dtype == tf.string or not np.isnan(rows).any()


def test_the_card_knows_the_file(version):
    card = json.loads((version.parent / "card.json").read_text())
    assert f"1/{WARMUP.as_posix()}" in card["files"]
    assert zoo.load(version.parent).card == card


def test_an_altered_warm_up_file_is_refused(tmp_path):
    version = make("GAN").export(tmp_path / "model")
    with (version / WARMUP).open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="tf_serving_warmup_requests: sha256 differs"):
        zoo.load(version)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 70_000])
def test_a_field_of_any_length_is_written_as_protocol_buffers_are(size):
    from google.protobuf.wrappers_pb2 import BytesValue

    contents = b"x" * size
    assert BytesValue.FromString(_field(1, contents)).value == contents
