"""Merged batches of sixteen clients, one more that sends bad rows, and a server that is killed in mid-run."""

import pytest
from soak import soak

pytestmark = pytest.mark.slow


def test_no_bad_row_touches_a_good_request(server, models, soak_seconds):
    report = soak(server, models, soak_seconds / 2)
    assert report.failed == []
    assert report.wrong == 0
    assert min(report.good.values()) > 0
    assert {kind for kind, _ in report.bad} == {"label", "number", "length", "shape"}
    assert {code for kind, code in report.bad if kind in ("label", "number")} == {"OK"}
    assert {code for kind, code in report.bad if kind == "length"} == {"INVALID_ARGUMENT"}


def test_a_server_that_is_killed_and_comes_back_loses_no_request(start, models, soak_seconds):
    server = start([models["cgan"], models["dcgan"]])

    def restart():
        server.kill()
        server.start(wait=False)

    some = {name: models[name] for name in ("cgan", "dcgan")}
    report = soak(server, some, soak_seconds / 2, during=restart)
    assert report.failed == []
    assert report.wrong == 0
    assert report.bad["label", "UNAVAILABLE"] + report.bad["shape", "UNAVAILABLE"] > 0
