"""Chooses a `tf.distribute` strategy by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from zoo import errors
from zoo.errors import InputError, first_line

NAMES = ("none", "mirrored", "multi_worker", "tpu", "auto")


def strategy(name: str = "auto") -> tf.distribute.Strategy:
    """The strategy with a given name. Create `multi_worker` and `tpu` before TensorFlow runs anything else.

    Args:
        name: `none`, one device; `mirrored`, every GPU of this machine, or every logical CPU if there is no GPU;
            `multi_worker`, the processes that `TF_CONFIG` names; `tpu`, the TPU that `TPU_NAME` names (`local` for
            this machine's own); `auto`, `multi_worker` if `TF_CONFIG` names several processes, `mirrored` if there are
            several GPUs, otherwise `none`.

    Raises:
        InputError: the name is unknown, or the strategy's devices or `TF_CONFIG` are missing or wrong.
    """
    if name == "auto":
        # Listing devices starts the runtime, which the strategy must do itself if there are several workers.
        if len(workers()) > 1:
            name = "multi_worker"
        else:
            name = "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "none"
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        if gpus := tf.config.list_logical_devices("GPU"):
            return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus])
        # The default's collective ops allow one such strategy per process on CPUs; this reduction allows several.
        return tf.distribute.MirroredStrategy(
            [cpu.name for cpu in tf.config.list_logical_devices("CPU")],
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
    if name == "multi_worker":
        if not workers():
            raise InputError(
                "Strategy multi_worker needs the environment variable TF_CONFIG with a cluster of workers. "
                f"Received: TF_CONFIG={os.environ.get('TF_CONFIG')!r}"
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        except (ValueError, tf.errors.OpError) as error:
            raise InputError(f"Strategy tpu found no TPU: {first_line(error)}") from error
        return tf.distribute.TPUStrategy(resolver)
    raise errors.unknown("strategy", name, NAMES)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns when every process that trains with this strategy has called this."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        add = tf.function(lambda: tf.distribute.get_replica_context().all_reduce("sum", tf.constant(1)))
        strategy.run(add)


def is_chief() -> bool:
    """Whether this process writes the files that all processes share: grids, curves, cards, SavedModels."""
    config = _tf_config()
    task = config.get("task", {})
    is_first = int(task.get("index", 0)) == 0
    return is_first and (task.get("type") == "chief" or not config.get("cluster", {}).get("chief"))


def workers() -> list[str]:
    """The addresses of the training processes in `TF_CONFIG`; empty for a single process."""
    cluster = _tf_config().get("cluster", {})
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def _tf_config() -> dict:
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"TF_CONFIG must be JSON: {error}. Received: {text!r}") from error
    cluster, task = (config.get(key, {}) if isinstance(config, dict) else None for key in ("cluster", "task"))
    if not (isinstance(cluster, dict) and isinstance(task, dict) and all(map(_are_addresses, cluster.values()))):
        raise InputError(
            'TF_CONFIG must be a JSON object such as {"cluster": {"worker": ["host:port", ...]}, '
            f'"task": {{"type": "worker", "index": 0}}}}. Received: {text!r}'
        )
    kind, index = task.get("type"), task.get("index", 0)
    members = len(cluster.get(kind, [])) if isinstance(kind, str) else 0
    if cluster and not (str(index).isdecimal() and int(index) < members):
        raise InputError(f"TF_CONFIG: the task must be a member of the cluster. Received: {text!r}")
    return config


def _are_addresses(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(address, str) for address in value)
