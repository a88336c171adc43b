"""The model server in its official image: for Docker, Compose and Kubernetes.

The image's entry point passes on its arguments, listens on 8500 (gRPC) and 8501 (REST), and has bash but no curl.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

CONFIG = "/config"  # where the image finds the files
CLAIM = "gan-zoo-models"  # of a volume with a folder for each model
GRPC, REST = 8500, 8501
APP = "gan-zoo"

BasePaths = Mapping[str, tuple[Path, str]]  # from a model to its folder here and in the image


def ready_script(models: Iterable[str]) -> str:
    """A script that asks the server on this machine for the status of every model."""
    return f"""\
#!/usr/bin/env bash
# Succeeds if every model has a version that is served; takes the port of REST.
set -eu
for model in {" ".join(models)}; do
  exec 3<>"/dev/tcp/127.0.0.1/${{1:-{REST}}}"
  printf 'GET /v1/models/%s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' "$model" >&3
  grep -q '"AVAILABLE"' <&3 || {{ echo "$model is not served" >&2; exit 1; }}
  exec 3>&-
done
"""


def docker_script(image: str, models: BasePaths, files: Mapping[str, str], flags: Mapping[str, object]) -> str:
    """A script with the line that runs the image on this machine."""
    ports = [f"-p {port}:{port}" for port in (GRPC, REST)]
    mounts = [f"-v {shlex.quote(f'{here}:{there}:ro')}" for here, there in models.values()]
    lines = [
        f"docker run --rm {' '.join(ports)}",
        *mounts,
        f'-v "$here:{CONFIG}:ro"',
        image,
        *map(shlex.quote, _arguments(files, flags)),
        '"$@"',
    ]
    return '#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd)\nexec ' + " \\\n  ".join(lines) + "\n"


def compose(image: str, models: BasePaths, files: Mapping[str, str], flags: Mapping[str, object]) -> dict:
    """A file for `docker compose`."""
    mounts = [f"{here}:{there}:ro" for here, there in models.values()]
    service = {
        "image": image,
        "command": _arguments(files, flags),
        "ports": [f"{port}:{port}" for port in (GRPC, REST)],
        "volumes": [*mounts, f".:{CONFIG}:ro"],
        "healthcheck": {"test": ["CMD", *_READY], "interval": "10s", "start_period": "60s"},
        "restart": "unless-stopped",
    }
    return {"name": APP, "services": {"serving": service}}


def kubernetes(
    image: str,
    models: BasePaths,
    config: Mapping[str, str],
    files: Mapping[str, str],
    flags: Mapping[str, object],
) -> dict:
    """A manifest: the configuration, a deployment that is ready when its models are, and a service.

    The models come from a volume, claimed as `gan-zoo-models`, with a folder of versions under each model's name.
    """
    labels = {"app": APP}
    container = {
        "name": "serving",
        "image": image,
        "args": _arguments(files, flags),
        "ports": [{"name": "grpc", "containerPort": GRPC}, {"name": "rest", "containerPort": REST}],
        "readinessProbe": {"exec": {"command": list(_READY)}, "periodSeconds": 10, "timeoutSeconds": 5},
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG, "readOnly": True},
            *(
                {"name": "models", "mountPath": there, "subPath": name, "readOnly": True}
                for name, (_, there) in models.items()
            ),
        ],
    }
    volumes = [
        {"name": "config", "configMap": {"name": APP}},
        {"name": "models", "persistentVolumeClaim": {"claimName": CLAIM, "readOnly": True}},
    ]
    deployment = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}},
    }
    ports = [{"name": "grpc", "port": GRPC}, {"name": "rest", "port": REST}]
    items = [
        _item("v1", "ConfigMap", data=dict(config)),
        _item("apps/v1", "Deployment", spec=deployment),
        _item("v1", "Service", spec={"selector": labels, "ports": ports}),
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


_READY = ("bash", f"{CONFIG}/ready.sh")


def _item(api: str, kind: str, **contents: dict) -> dict:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": APP, "labels": {"app": APP}}, **contents}


def _arguments(files: Mapping[str, str], flags: Mapping[str, object]) -> list[str]:
    return [f"--{name}={CONFIG}/{value}" for name, value in files.items()] + [
        f"--{name}={value}" for name, value in flags.items()
    ]
