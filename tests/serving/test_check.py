"""What `zoo serving check` finds wrong."""

import shutil

import numpy as np
import pytest
from test_model import make

import zoo
from zoo.errors import InputError, ServingError
from zoo.serving.check import check, local_names


def test_agreement_counts_versions_signatures_and_differences(client, models):
    found = check(client, "bigan", zoo.load(models["bigan"]))
    assert (found.version, found.signatures) == (1, 9)
    assert found.difference <= 1e-5


def test_another_model_under_the_name_is_told(client, tmp_path):
    path = make("CGAN", seed=5).export(tmp_path / "cgan")
    with pytest.raises(ServingError, match=r"should return the (samples|score).*Received: others, up to \d"):
        check(client, "cgan", zoo.load(path))


def test_other_signatures_are_told(client, models):
    with pytest.raises(ServingError, match=r"signatures differ .*: classify"):
        check(client, "dcgan", zoo.load(models["semi"]))


def test_a_version_that_is_not_served_is_told(client, models, tmp_path):
    shutil.copytree(models["cgan"] / "1", tmp_path / "cgan" / "4")
    with pytest.raises(ServingError, match=r"expected version 4 to be served\. Received: 1 AVAILABLE"):
        check(client, "cgan", zoo.load(tmp_path / "cgan" / "4"))


def test_a_png_that_differs_is_told(client, models, monkeypatch):
    model = zoo.load(models["dcgan"])
    predict = client.predict

    def altered(name, signature, rows, **settings):
        outputs = predict(name, signature, rows, **settings)
        return {key: values[::-1] if values.dtype == object else values for key, values in outputs.items()}

    monkeypatch.setattr(client, "predict", altered)
    with pytest.raises(ServingError, match="sample_png should return the image_bytes"):
        check(client, "dcgan", model)


def test_those_that_the_server_has_are_checked(client):
    assert local_names(client, [], ["cgan", "stylegan"]) == ["cgan"]
    assert local_names(client, ["stylegan"], []) == ["stylegan"]
    with pytest.raises(InputError, match="has none of stylegan"):
        local_names(client, [], ["stylegan"])


def test_rows_are_compared_and_not_their_order_alone(client, models):
    """The three rows of a check differ, or a server that mixed them up would pass."""
    rows = client.sample("cgan", [0, 1, 2**40 + 7], [-1, 0, 1])
    assert np.abs(rows[0] - rows[1]).max() > 1e-4
