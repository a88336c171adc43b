"""Sixteen good clients and one that sends bad rows load a server: `python tests/serving/soak.py --seconds 60`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

CLIENTS = 16
POOL = 64  # rows of each signature whose outputs are known
MOST_ROWS = 9  # rows of a request, at most
TOLERANCE = 1e-5


@dataclass
class Report:
    """What a soak found.

    Args:
        good: the number of requests of good clients, by transport.
        wrong: how many of them had a row that differs from its local value.
        failed: the error messages of those that failed.
        greatest: the greatest difference of a number from its local value.
        bad: how the requests of the bad client ended.
        memory: MiB of the server's process, at equal intervals.
    """

    good: Counter = field(default_factory=Counter)
    wrong: int = 0
    failed: list = field(default_factory=list)
    greatest: float = 0.0
    bad: Counter = field(default_factory=Counter)
    memory: list = field(default_factory=list)


def known_rows(models):
    """(model, signature, inputs, outputs) of `POOL` rows for every signature, computed in this process."""
    import tensorflow as tf

    import zoo

    rng = np.random.default_rng(0)
    found = []
    for name, path in models.items():
        model = zoo.load(path)
        for signature, graph in model.signatures.items():
            inputs = {}
            for key, spec in graph.structured_input_signature[1].items():
                if key == "seed":
                    inputs[key] = rng.integers(-(2**62), 2**62, POOL)
                elif key == "label":
                    inputs[key] = rng.integers(0, 3, POOL).astype(np.int32)
                else:
                    inputs[key] = rng.uniform(size=(POOL, *spec.shape[1:])).astype(np.float32)
            if {"seed", "label"} <= inputs.keys():
                inputs["label"][::2] = -1
            tensors = {key: tf.constant(values) for key, values in inputs.items()}
            outputs = {key: values.numpy() for key, values in graph(**tensors).items()}
            found.append((name, signature, inputs, outputs))
    return found


def soak(server, models, seconds, during=None):
    """Sends requests to a server for `seconds`.

    Args:
        server: a `server_process.Server` that is running.
        models: the paths of its artefacts, by name.
        seconds: how long.
        during: a function that is called after half of the time.
    """
    known, report, lock, end = known_rows(models), Report(), threading.Lock(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=_good_client, args=(server, ("grpc", "rest")[n % 2], n, known, report, lock, end))
        for n in range(CLIENTS)
    ]
    threads.append(threading.Thread(target=_bad_client, args=(server, known, report, end)))
    for thread in threads:
        thread.start()
    for moment in range(10):
        time.sleep(seconds / 10)
        if during and moment == 4:
            during()
        report.memory.append(round(psutil.Process(server.process.pid).memory_info().rss / 2**20))
    for thread in threads:
        thread.join()
    return report


def _good_client(server, way, number, known, report, lock, end):
    rng = np.random.default_rng(number)
    with server.client(way, timeout=120) as client:
        while time.monotonic() < end:
            name, signature, inputs, outputs = known[rng.integers(len(known))]
            rows = rng.choice(POOL, rng.integers(1, MOST_ROWS + 1), replace=False)
            try:
                found = client.predict(name, signature, {key: values[rows] for key, values in inputs.items()})
                greatest, same = 0.0, True
                for key, values in outputs.items():
                    if values.dtype.kind == "f":
                        scale = np.maximum(1, np.abs(values[rows]))  # an EBGAN's energy, for example, is not near 1
                        greatest = max(greatest, float((np.abs(found[key] - values[rows]) / scale).max()))
                    else:
                        same &= np.array_equal(found[key], values[rows])
                problem = None
            except Exception as error:
                greatest, same, problem = 0.0, True, f"{way} {name} {signature}: {error}"
            with lock:
                report.good[way] += 1
                report.greatest = max(report.greatest, greatest)
                report.wrong += not same or greatest > TOLERANCE
                if problem:
                    report.failed.append(problem)


def _bad_client(server, known, report, end):
    """Sends bad rows, and requests that are wrong as a whole, bypassing the client's own checks."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    rng = np.random.default_rng(99)
    with grpc.insecure_channel(server.urls["grpc"]) as channel:
        stub = PredictionServiceStub(channel)
        while time.monotonic() < end:
            name, signature, inputs, _ = known[rng.integers(len(known))]
            sent = {key: values[:3].copy() for key, values in inputs.items()}
            kind = ("label", "number", "length", "shape")[rng.integers(4)]
            if kind == "label" and "label" in sent:
                sent["label"][:] = rng.choice([11, -2, 2**31 - 1])
            elif kind == "number" and not {"seed"} & sent.keys():
                key = next(key for key in sent if key != "label")
                sent[key][1] = rng.choice([np.nan, np.inf, 200])
            elif kind == "length" and "label" in sent:
                sent["label"] = sent["label"][:2]
            elif kind == "shape":
                sent = {key: values[:, None] for key, values in sent.items()}
            else:
                continue
            request = PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = name, signature
            for key, values in sent.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
            try:
                stub.Predict(request, timeout=60)
                report.bad[kind, "OK"] += 1
            except grpc.RpcError as error:
                report.bad[kind, error.code().name] += 1


def main():
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from server_process import Server
    from test_model import make

    from zoo.serving import configuration

    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        kinds = {"cgan": "CGAN", "dcgan": "DCGAN", "bigan": "BiGAN", "semi": "SemiSupervisedGAN"}
        models = {name: make(kind).export(scratch / name).parent for name, kind in kinds.items()}
        configuration.write(scratch / "serving", configuration.verified([str(path) for path in models.values()]))
        server = Server(scratch / "serving", scratch).start()
        try:
            print(soak(server, models, arguments.seconds))
        finally:
            server.kill()


if __name__ == "__main__":
    main()
