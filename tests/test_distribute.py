"""Strategies by name, and which process may write."""

import json

import pytest
import tensorflow as tf

from zoo import distribute
from zoo.errors import InputError

WORKERS = {"worker": ["localhost:1", "localhost:2"]}


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


@pytest.fixture
def gpus(monkeypatch):
    """Sets how many GPUs this machine seems to have."""
    devices = tf.config.list_logical_devices

    def pretend(count):
        found = [tf.config.LogicalDevice(f"/device:GPU:{index}", "GPU") for index in range(count)]
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: found if kind == "GPU" else devices(kind))

    pretend(0)
    return pretend


@pytest.fixture
def cluster(monkeypatch):
    """Sets TF_CONFIG."""

    def set_(hosts, kind="worker", index=0):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": hosts, "task": {"type": kind, "index": index}}))

    return set_


@pytest.fixture
def made(monkeypatch):
    """Replaces the strategies that need more than this machine has; holds what each was made from."""
    calls = []
    for name in ("MirroredStrategy", "MultiWorkerMirroredStrategy"):
        monkeypatch.setattr(tf.distribute, name, lambda *args, name=name: calls.append((name, *args)))
    return calls


@pytest.mark.parametrize(("name", "count"), [("none", 2), ("auto", 0), ("auto", 1)])
def test_one_device_needs_no_strategy(name, count, gpus):
    gpus(count)
    assert distribute.strategy(name) is tf.distribute.get_strategy()


def test_mirrored_without_gpus_has_a_replica_on_every_logical_cpu(gpus):
    devices = distribute.strategy("mirrored").extended.worker_devices
    assert [device[-5:] for device in devices] == ["CPU:0", "CPU:1"]


@pytest.mark.parametrize("name", ["mirrored", "auto"])
def test_several_gpus_are_mirrored(name, gpus, made):
    gpus(2)
    distribute.strategy(name)
    assert made == [("MirroredStrategy", ["/device:GPU:0", "/device:GPU:1"])]


@pytest.mark.parametrize("hosts", [WORKERS, {"chief": ["localhost:1"], "worker": ["localhost:2"]}])
def test_auto_with_several_workers_leaves_the_runtime_to_their_strategy(hosts, cluster, made, monkeypatch):
    cluster(hosts)
    monkeypatch.setattr(tf.config, "list_logical_devices", None)  # would start the runtime
    distribute.strategy("auto")
    assert made == [("MultiWorkerMirroredStrategy",)]


def test_auto_with_a_single_worker_is_no_cluster(cluster, gpus):
    cluster({"worker": ["localhost:1"]})
    assert distribute.strategy("auto") is tf.distribute.get_strategy()


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"Unknown strategy: 'miror'\. Did you mean mirrored"):
        distribute.strategy("miror")


def test_several_workers_have_to_be_named():
    with pytest.raises(InputError, match=r"needs the environment variable TF_CONFIG .* Received: TF_CONFIG=None"):
        distribute.strategy("multi_worker")


@pytest.mark.parametrize("ask", [distribute.is_chief, lambda: distribute.strategy("multi_worker")])
def test_a_broken_cluster_description_is_shown(ask, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{worker: ")
    with pytest.raises(InputError, match=r"TF_CONFIG must be JSON: .* Received: '{worker: '"):
        ask()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"cluster": []}',
        '{"cluster": {"worker": "a:1"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": 1}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "first"}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": ["worker"], "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": null}}',
    ],
)
def test_a_cluster_description_of_another_form_is_shown(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    for ask in (distribute.is_chief, lambda: distribute.strategy("auto")):
        with pytest.raises(InputError, match=r"TF_CONFIG.* Received: '"):
            ask()


def test_a_tpu_has_to_be_there(monkeypatch):
    for name in ("TPU_NAME", "TPU_CONFIG", "KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="Strategy tpu found no TPU: "):
        distribute.strategy("tpu")


def test_a_process_alone_is_the_chief():
    assert distribute.is_chief()


@pytest.mark.parametrize(
    ("hosts", "kind", "index", "expected"),
    [
        (WORKERS, "worker", 0, True),
        (WORKERS, "worker", 1, False),
        ({"chief": ["localhost:0"], **WORKERS}, "chief", 0, True),
        ({"chief": ["localhost:0"], **WORKERS}, "worker", 0, False),
        ({"chief": ["localhost:0"], **WORKERS}, "worker", 1, False),
    ],
)
def test_one_process_of_a_cluster_is_the_chief(hosts, kind, index, expected, cluster):
    cluster(hosts, kind, index)
    assert distribute.is_chief() is expected
