"""A model server on this machine, started by `serve.sh`: the real one if it is installed, otherwise the test double."""

import pytest

pytest.importorskip("tensorflow_serving", reason="needs the extra `serving`")

from server_process import Server
from test_model import make

from zoo.serving import configuration


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Artefacts of small models by name: conditional, unconditional, with an encoder, with a classifier."""
    folder = tmp_path_factory.mktemp("models")
    kinds = {"cgan": "CGAN", "dcgan": "DCGAN", "bigan": "BiGAN", "semi": "SemiSupervisedGAN"}
    for name, kind in kinds.items():
        make(kind).export(folder / name)
    return {name: folder / name for name in kinds}


@pytest.fixture
def start(tmp_path):
    """A function that starts servers of some artefacts, which are ended after the test."""
    servers = []

    def start_server(paths, wait=True):
        configuration.write(tmp_path / "serving", configuration.verified([str(path) for path in paths]))
        servers.append(Server(tmp_path / "serving", tmp_path))
        return servers[-1].start(wait)

    yield start_server
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def server(models, tmp_path_factory):
    """A server of `models` that no test changes."""
    scratch = tmp_path_factory.mktemp("server")
    configuration.write(scratch / "serving", configuration.verified([str(path) for path in models.values()]))
    server = Server(scratch / "serving", scratch).start()
    yield server
    server.kill()


@pytest.fixture(params=["grpc", "rest"])
def client(request, server):
    with server.client(request.param, timeout=60) as client:
        yield client
