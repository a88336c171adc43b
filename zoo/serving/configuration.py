"""The files that a model server is started with, for a set of models; `zoo serving config` writes them.

serving.json        the models, their folders here and their labels; all other files follow from it
models.config       which models are served, and which version has which label; the server reads it again and again
batching.config     how requests are merged
monitoring.config   metrics for Prometheus
serve.sh            the command line of a server on this machine
docker.sh, compose.json, kubernetes.json     the same in the official image
ready.sh            succeeds as soon as every model is served
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from zoo.artefacts.catalogue import find, load
from zoo.artefacts.safety import GRAPH
from zoo.errors import InputError
from zoo.files import make_folder, replacing, require_possible_folder, write_json
from zoo.serving import containers

SETTINGS = "serving.json"
MODELS, BATCHING, MONITORING, READY = "models.config", "batching.config", "monitoring.config", "ready.sh"
STABLE, CANARY = "stable", "canary"
POLL_SECONDS = 5  # until the server sees a label that was moved
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # what needs no escape in an address, a shell or a manifest

FLAGS = {
    "model_config_file": MODELS,
    "batching_parameters_file": BATCHING,
    "monitoring_config_file": MONITORING,
    "model_config_file_poll_wait_seconds": POLL_SECONDS,
    "enable_batching": "true",
    # When a server starts, it has no version yet that a label could stand for.
    "allow_version_labels_for_unavailable_models": "true",
    # Otherwise a broken version keeps the server from returning to a good one.
    "max_num_load_retries": 0,
}

BATCHING_CONFIG = """\
# Requests that arrive while the server computes are run as one batch; a single client never waits for others.
batch_timeout_micros { value: 0 }
# Longer requests are split, and those of more than 1,024 rows refused. No sizes are rounded up to and nothing is
# padded: padding answers images of the wrong size.
max_execution_batch_size { value: 64 }
max_batch_size { value: 1024 }
enable_large_batch_splitting { value: true }
max_enqueued_batches { value: 100 }
"""

MONITORING_CONFIG = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""


@dataclass(frozen=True)
class Served:
    """A model as it is served.

    Args:
        folder: the folder of its versions on this machine.
        base_path: the folder of its versions where the server runs.
        labels: version numbers by label.
    """

    folder: Path
    base_path: str
    labels: dict[str, int] = field(default_factory=dict)


def verified(names: Sequence[str], root: str | None = None) -> dict[str, Served]:
    """The models of these names, after every version was loaded: a server that cannot load a version does not start.

    Args:
        names: from `zoo list`, or paths of artefacts.
        root: the folder that holds the models where the server runs; None if they have the same paths there as here.

    Returns:
        The models by name. The card's version is the stable one, the highest is the canary.

    Raises:
        InputError: a model that is not found, differs from its card, is not harmless or cannot be loaded; two models of
            the same name; a root that is not an absolute path.
    """
    if root is not None and not root.startswith("/"):
        raise InputError(f"--root should be an absolute path, such as /models. Received: {root!r}")
    served = {}
    for name in names:
        path, card = find(name)
        if not path.name.isdecimal():
            raise InputError(f"{path}: a server needs numbered versions in a folder, such as {path.name}/1/{GRAPH}.")
        folder = path.parent
        called = card.get("name", folder.name)
        if not NAME.fullmatch(called):
            raise InputError(f"A served model's name should hold only letters, digits, - . and _. Received: {called!r}")
        if called in served:
            raise InputError(f"Served models need different names. Received: {called} twice")
        for number in versions(folder):
            load(folder / str(number))
        labels = {STABLE: int(path.name), CANARY: versions(folder)[-1]}
        served[called] = Served(folder, f"{root.rstrip('/')}/{called}" if root else str(folder), labels)
    return served


def versions(folder: Path) -> list[int]:
    """The numbers of the versions in an artefact's folder, in order."""
    return sorted(int(graph.parent.name) for graph in folder.glob(f"*/{GRAPH}") if graph.parent.name.isdecimal())


def write(out: Path, served: Mapping[str, Served]) -> list[Path]:
    """Writes all files for a set of models, each completely or not at all.

    Args:
        out: the folder, which is made if it is missing.
        served: the models by name.

    Returns:
        The paths written.

    Raises:
        InputError: a file cannot be written, or `tensorflow-serving-api` is missing.
    """
    require_possible_folder(out)
    config = {
        MODELS: models_config(served),
        BATCHING: BATCHING_CONFIG,
        MONITORING: MONITORING_CONFIG,
        READY: containers.ready_script(served),
    }
    flags = {name: value for name, value in FLAGS.items() if value not in config}
    files = {name: value for name, value in FLAGS.items() if value in config}
    image = f"tensorflow/serving:{_api_version()}"
    base_paths = {name: (model.folder, model.base_path) for name, model in served.items()}
    texts = config | {
        "serve.sh": _serve_script(files, flags),
        "docker.sh": containers.docker_script(image, base_paths, files, flags),
    }
    values = {
        SETTINGS: {
            name: {"folder": str(model.folder), "base_path": model.base_path, "labels": model.labels}
            for name, model in served.items()
        },
        "compose.json": containers.compose(image, base_paths, files, flags),
        "kubernetes.json": containers.kubernetes(image, base_paths, config, files, flags),
    }
    make_folder(out)
    for name, text in texts.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    for name, value in values.items():
        write_json(out / name, value)
    return [out / name for name in (*texts, *values)]


def read(out: Path) -> dict[str, Served]:
    """The models of a folder that `write` wrote.

    Raises:
        InputError: it is not such a folder.
    """
    try:
        found = json.loads((out / SETTINGS).read_text(encoding="utf-8"))
        return {
            name: Served(Path(model["folder"]), model["base_path"], dict(model["labels"]))
            for name, model in found.items()
        }
    except OSError as error:
        raise InputError(f"{out / SETTINGS}: expected what `zoo serving config` wrote: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{out / SETTINGS}: expected what `zoo serving config` wrote. Received: {error}") from error


def models_config(served: Mapping[str, Served]) -> str:
    """The text of a `ModelServerConfig`: every version is served, so that labels move at once."""
    from google.protobuf import text_format

    _api_version()
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    config = ModelServerConfig()
    for name, model in served.items():
        entry = config.model_config_list.config.add(name=name, base_path=model.base_path, model_platform="tensorflow")
        entry.model_version_policy.all.SetInParent()
        entry.version_labels.update(model.labels)
    return text_format.MessageToString(config)


def _api_version() -> str:
    """The version of `tensorflow-serving-api`, which is released together with the server's image."""
    try:
        return version("tensorflow-serving-api")
    except PackageNotFoundError as error:
        raise InputError(
            "The server's schemas come with `pip install tensorflow-serving-api`, the extra `serving` of gan-zoo."
        ) from error


def _serve_script(files: Mapping[str, str], flags: Mapping[str, object]) -> str:
    lines = [
        "tensorflow_model_server --port=8500 --rest_api_port=8501",
        *(f'--{name}="$here/{shlex.quote(value)}"' for name, value in files.items()),
        *(f"--{name}={value}" for name, value in flags.items()),
        '"$@"',
    ]
    return '#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd)\nexec ' + " \\\n  ".join(lines) + "\n"
