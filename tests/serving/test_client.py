"""The client, against a server over both transports, and against none."""

import io
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.errors import InputError, ServingError
from zoo.serving import Client
from zoo.serving.transport import ServerError, Tensor

SEEDS = [7, 0, 2**40, -3, 2**63 - 1]


@pytest.fixture(scope="module")
def local(models):
    return {name: zoo.load(path) for name, path in models.items()}


@pytest.mark.parametrize("name", ["cgan", "dcgan", "bigan", "semi"])
def test_samples_are_those_of_the_local_model(client, local, name):
    for labels in (None, 1, [0, 1, 2, -1, 0]):
        np.testing.assert_allclose(client.sample(name, SEEDS, labels), local[name].sample(SEEDS, labels), atol=1e-5)


def test_pngs_are_the_rounded_samples(client, local):
    pixels = [np.asarray(Image.open(io.BytesIO(png))) for png in client.sample_png("cgan", SEEDS, 2)]
    expected = np.rint(local["cgan"].sample(SEEDS, 2).squeeze(-1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels, expected)


def test_long_requests_are_sent_in_chunks(server, local):
    with server.client("grpc", rows=8) as client:
        sent = []
        predict = client._transport.predict
        client._transport.predict = lambda *arguments: sent.append(len(arguments[3]["seed"])) or predict(*arguments)
        np.testing.assert_allclose(client.sample("cgan", 20), local["cgan"].sample(20), atol=1e-5)
        assert sent == [8, 8, 4]


def test_metadata_states_types_and_shapes(client):
    signatures = client.metadata("cgan")
    assert signatures["sample"].inputs == {"label": Tensor("int32", (None,)), "seed": Tensor("int64", (None,))}
    assert signatures["sample_png"].outputs == {"image_bytes": Tensor("string", (None,))}
    assert signatures["discriminate"].inputs["image"] == Tensor("float32", (None, 8, 8, 1))


def test_versions_are_named_by_number_and_by_label(client, local):
    expected = local["cgan"].sample(2)
    for version in (None, 1, "stable", "canary"):
        np.testing.assert_allclose(client.sample("cgan", 2, version=version), expected, atol=1e-5)
    for version in (9, "beta"):
        with pytest.raises(InputError, match=str(version)):
            client.sample("cgan", 2, version=version)


def test_models_are_those_that_the_server_has(client):
    found = client.models(["cgan", "dcgan", "stylegan"])
    assert {name: {number: one.state for number, one in status.items()} for name, status in found.items()} == {
        "cgan": {1: "AVAILABLE"},
        "dcgan": {1: "AVAILABLE"},
    }
    assert client.models() == {}  # none of the catalogue's
    with pytest.raises(InputError, match="NOT_FOUND"):
        client.status("stylegan")


def test_a_signature_without_labels_takes_none_and_others_get_minus_one(client, local):
    images = np.random.default_rng(0).uniform(size=(3, 8, 8, 1))
    found = client.predict("semi", "classify", {"image": images})
    assert found["probabilities"].shape == (3, 3)
    assert found["label"].dtype == np.int32
    assert client.predict("dcgan", "discriminate", {"image": images})["score"].shape == (3,)


IMAGES = np.zeros((2, 8, 8, 1), np.float32)


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("sample", {"seed": [1, 2], "label": [0, 11]}, "refuses 1 of 2 rows.*in row 1 label 11, seed 2"),
        ("sample_png", {"seed": [1, 2], "label": [-2, 0]}, "refuses 1 of 2 rows.*in row 0 label -2, seed 1"),
        ("discriminate", {"image": IMAGES}, "refuses 2 of 2 rows.*label -1"),
        (
            "discriminate",
            {"image": IMAGES + 200, "label": [0, 0]},
            r"refuses 2 of 2.*image with values in \[200, 200\]",
        ),
        ("sample", {"seed": [1, 2], "label": [0]}, "same number for each input. Received: label with 1, seed with 2"),
        ("sample", {"seed": [], "label": []}, "one row or more"),
        ("sample", {"label": [0]}, "takes label, seed. Received: label"),
        ("sample", {}, "takes label, seed. Received: nothing"),
        ("sample", {"seed": [1.5]}, r"int64 of shape \[n\]. Received: float64 of shape \[1\]"),
        ("sample", {"seed": [[1]]}, r"Received: int64 of shape \[1, 1\]"),
        ("sample", {"seed": [1], "label": [2**40]}, "should fit int32"),
        ("discriminate", {"image": IMAGES[:, :7]}, r"float32 of shape \[n, 8, 8, 1\]. Received: .* \[2, 7, 8, 1\]"),
        ("simple", {"seed": [1]}, "Unknown signature of cgan: 'simple'. Did you mean sample"),
    ],
    ids=str,
)
def test_what_the_model_does_not_take_is_told(client, signature, inputs, message):
    with pytest.raises(InputError, match=message):
        client.predict("cgan", signature, inputs)


@pytest.mark.parametrize(("seeds", "labels"), [(0, None), ([], None), ([0.5], None), (2, [1])])
def test_seeds_and_labels_are_checked_before_anything_is_sent(seeds, labels):
    with pytest.raises(InputError, match=r"`(seeds|labels)` should"):
        Client("http://localhost:1").sample("cgan", seeds, labels)


@pytest.mark.parametrize("url", ["", "ftp://host:1", "http://", "http://host:port", "host:99999"])
def test_an_address_of_another_form_is_refused(url):
    with pytest.raises(InputError, match="looks like http://host:8501"):
        Client(url)


@pytest.mark.parametrize("settings", [{"timeout": 0}, {"timeout": -1}, {"rows": 0}])
def test_settings_are_positive(settings):
    with pytest.raises(InputError, match="must be"):
        Client("http://localhost:1", **settings)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
class TestWithoutAServer:
    def test_nobody_there(self, url):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with Client(url.format(unused.getsockname()[1]), timeout=0.5) as client:
                started = time.monotonic()
                with pytest.raises(ServingError, match=r"UNAVAILABLE|DEADLINE_EXCEEDED"):
                    client.status("cgan")
                assert time.monotonic() - started < 5

    def test_a_server_that_never_answers_meets_the_deadline(self, url):
        with (
            socket.create_server(("127.0.0.1", 0)) as deaf,
            Client(url.format(deaf.getsockname()[1]), timeout=0.5) as client,
            pytest.raises(ServingError, match=r"DEADLINE_EXCEEDED|UNAVAILABLE"),
        ):
            client.status("cgan")


def test_rest_needs_no_tensorflow():
    program = (
        "import sys; from zoo.serving import Client; Client('http://host:1'); sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_grpc_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis.model_service_pb2_grpc", None)
    with pytest.raises(InputError, match=r"pip install tensorflow-serving-api.*Received: localhost:8500"):
        Client("localhost:8500")


def test_something_that_is_no_model_server_is_told():
    def answer(listener):
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        with pytest.raises(ServingError, match="no JSON object came back, but b'<html>'"):
            Client(f"http://127.0.0.1:{listener.getsockname()[1]}").status("cgan")


class TestRetries:
    """A transport that fails a few times."""

    @pytest.fixture
    def client(self):
        client = Client("http://localhost:1", timeout=2)
        client._transport = self
        return client

    def status(self, model, timeout):
        self.calls += 1
        if self.errors:
            raise self.errors.pop()
        return {}

    @pytest.mark.parametrize(
        "error",
        [
            ServerError("UNAVAILABLE", "the queue is full"),
            ServerError("FAILED_PRECONDITION", "Tensors with name 'x' from different tasks have different shapes"),
        ],
        ids=str,
    )
    def test_what_passes_is_tried_again(self, client, error, monkeypatch):
        monkeypatch.setattr(TestRetries, "errors", [error] * 3, raising=False)
        monkeypatch.setattr(TestRetries, "calls", 0, raising=False)
        assert client.status("any") == {}
        assert self.calls == 4

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("INVALID_ARGUMENT", InputError),
            ("NOT_FOUND", InputError),
            ("INTERNAL", ServingError),
            ("DEADLINE_EXCEEDED", ServingError),
        ],
    )
    def test_what_does_not_pass_is_told_at_once(self, client, code, kind, monkeypatch):
        monkeypatch.setattr(TestRetries, "errors", [ServerError(code, "a\nreason")] * 3, raising=False)
        monkeypatch.setattr(TestRetries, "calls", 0, raising=False)
        with pytest.raises(kind, match=f"http://localhost:1: {code}: a reason"):
            client.status("any")
        assert self.calls == 1
