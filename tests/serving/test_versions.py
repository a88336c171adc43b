"""Versions that come while a server runs, whole or broken, and labels that move forth and back."""

import shutil
import time

import numpy as np
import pytest
from test_model import make

import zoo
from zoo.errors import InputError
from zoo.serving import configuration, labels

pytestmark = pytest.mark.slow


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_new_version_is_served_a_broken_one_is_named_and_labels_move(start, tmp_path):
    old, new = make("GAN"), make("GAN", seed=1)
    artefact = old.export(tmp_path / "gan").parent
    server = start([artefact])
    expected = {1: old.sample(4), 2: new.sample(4)}
    assert np.abs(expected[1] - expected[2]).max() > 1e-3

    with server.client("rest", timeout=60) as client:

        def serves(version, number):
            return np.allclose(client.sample("gan", 4, version=version), expected[number], atol=1e-5)

        new.export(artefact)
        until(lambda: 2 in client.status("gan") and client.status("gan")[2].state == "AVAILABLE")
        assert serves(None, 2)
        assert serves("stable", 1)

        shutil.copytree(artefact / "2", tmp_path / "3")
        (variables,) = (tmp_path / "3").glob("variables/*.data*")
        variables.write_bytes(variables.read_bytes()[: variables.stat().st_size // 2])
        (tmp_path / "3").rename(artefact / "3")
        until(lambda: client.status("gan").get(3) and client.status("gan")[3].error)
        assert {number: one.state for number, one in client.status("gan").items()} == {
            1: "AVAILABLE",
            2: "AVAILABLE",
            3: "END",
        }
        assert serves(None, 2)
        assert serves("stable", 1)

        with pytest.raises(InputError, match="gan/3: TensorFlow cannot load it"):
            labels.promote(server.folder, "gan")
        assert labels.promote(server.folder, "gan", 2) == (1, 2)
        assert configuration.read(server.folder)["gan"].labels == {"stable": 2, "canary": 2}
        until(lambda: serves("stable", 2))
        assert labels.rollback(server.folder, "gan") == (2, 1)
        until(lambda: serves("stable", 1))


class TestLabels:
    @pytest.fixture
    def folder(self, tmp_path):
        model = make("GAN")
        for _ in range(2):
            model.export(tmp_path / "gan")
        configuration.write(tmp_path / "serving", configuration.verified([str(tmp_path / "gan")], "/models"))
        return tmp_path / "serving"

    def test_all_files_follow(self, folder):
        assert labels.rollback(folder, "gan") == (2, 1)
        assert configuration.read(folder)["gan"].labels == {"stable": 1, "canary": 2}
        assert '"/models/gan"' in (folder / "models.config").read_text()
        assert "value: 1" in (folder / "kubernetes.json").read_text()
        assert labels.promote(folder, "gan") == (1, 2)

    def test_there_is_nothing_before_the_first(self, folder):
        labels.rollback(folder, "gan")
        with pytest.raises(InputError, match="no version before 1"):
            labels.rollback(folder, "gan")

    @pytest.mark.parametrize(
        ("name", "version", "message"), [("gam", None, "Did you mean gan"), ("gan", 7, "versions 1, 2")]
    )
    def test_an_unknown_model_or_version_is_refused(self, folder, name, version, message):
        before = (folder / "serving.json").read_text()
        for move in (labels.promote, labels.rollback):
            with pytest.raises(InputError, match=message):
                move(folder, name, version)
        assert (folder / "serving.json").read_text() == before

    def test_an_older_version_loads_without_the_card(self, folder):
        assert zoo.load(configuration.read(folder)["gan"].folder / "1").card == {}
