"""Latency of a model server for DCGAN in float32 and bfloat16, and the effect of XLA: `serving.py [--seconds 3]`.

The server is `tensorflow_model_server` if it is installed, otherwise the double that the tests use. The figures of the
double compare the exports with each other and say nothing about the real server. The server is started with the files
of `zoo serving config`, and `zoo.serving.Client` sends the requests over gRPC.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import zoo
from zoo import machine
from zoo.serving import configuration

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "serving"))
from server_process import REAL, Server

TRAINED = "dcgan-fashion_mnist"
PRECISIONS = ("float32", "bfloat16")
BATCHES, CLIENTS = (1, 8, 64), (1, 4, 16)
SEEDS = np.arange(256)


def latencies(server, model, rows, clients, seconds):
    """Seconds that each request took while some clients ask without a pause, and seconds that all took together."""
    times, begin = [], time.perf_counter()
    end = begin + seconds

    def ask(number):
        with server.client("grpc", timeout=120) as client:
            while (start := time.perf_counter()) < end:
                client.sample(model, SEEDS[:rows] + number)
                times.append(time.perf_counter() - start)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(times), time.perf_counter() - begin


def seconds_of(call, rounds=30):
    """The median time of a call, in seconds."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return np.median(times)


def in_process(artefacts):
    """Prints the milliseconds of the signature alone, with and without XLA, and the seconds of XLA's compilation."""
    print(f"\n{'in process':<12}{'rows':>6}{'ms':>9}{'ms, XLA':>9}{'s to compile':>14}")
    for name, artefact in artefacts.items():
        loaded = tf.saved_model.load(str(artefact / "1"))
        graph = loaded.signatures["sample"]
        for rows in BATCHES:
            inputs = {"seed": tf.constant(SEEDS[:rows]), "label": tf.fill([rows], -1)}
            compiled = tf.function(
                lambda graph=graph, inputs=inputs: graph(**inputs), jit_compile=True, autograph=False
            )
            start = time.perf_counter()
            compiled()
            compilation = time.perf_counter() - start
            plain, fused = seconds_of(lambda graph=graph, inputs=inputs: graph(**inputs)), seconds_of(compiled)
            print(f"{name:<12}{rows:>6}{plain * 1e3:>9.2f}{fused * 1e3:>9.2f}{compilation:>14.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3, help="duration of each measurement (default: %(default)s)")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model = zoo.restore(TRAINED)
        artefacts = {name: model.export(folder / name, precision=name).parent for name in PRECISIONS}
        configuration.write(folder / "serving", configuration.verified([str(path) for path in artefacts.values()]))
        print(f"{machine.describe()}; TensorFlow {tf.__version__}; server: {REAL or 'the test double'}")
        exact = model.sample(SEEDS)
        for name, artefact in artefacts.items():
            size = sum(file.stat().st_size for file in artefact.glob("*/**/*") if file.is_file())
            difference = np.abs(zoo.load(artefact).sample(SEEDS) - exact)
            print(
                f"{name}: {size / 1e6:.1f} MB; a pixel is {difference.mean():.1e} off, {difference.max():.1e} at most"
            )

        server = Server(folder / "serving", folder).start()
        try:
            print(f"\n{'served':<12}{'rows':>6}{'clients':>9}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'images/s':>10}")
            for rows in BATCHES:
                for clients in CLIENTS:
                    for name in PRECISIONS:
                        latencies(server, name, rows, clients, seconds / 3)
                        times, elapsed = latencies(server, name, rows, clients, seconds)
                        p50, p95, p99 = np.percentile(times, [50, 95, 99]) * 1e3
                        rate = rows * len(times) / elapsed
                        print(f"{name:<12}{rows:>6}{clients:>9}{p50:>9.1f}{p95:>8.1f}{p99:>8.1f}{rate:>10.0f}")
        finally:
            server.kill()
        in_process(artefacts)


if __name__ == "__main__":
    main()
