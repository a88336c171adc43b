"""Checks whether a running server gives the same answers as the SavedModels on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.artefacts.catalogue import LoadedModel
from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import LABEL, SEED
from zoo.errors import InputError, ServingError, ZooError
from zoo.serving.client import Client
from zoo.serving.transport import Signature, described

SEEDS = (0, 1, 2**40 + 7)
LABELS = (-1, 0, 1)  # one for each seed; signatures without seeds get class 0
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Agreement:
    """What a check found.

    Args:
        version: the version that was asked for.
        signatures: how many signatures were called.
        difference: the largest between a number from the server and the same one from the local SavedModel.
    """

    version: int
    signatures: int
    difference: float


def check(client: Client, name: str, model: LoadedModel) -> Agreement:
    """Asks a server for status, metadata and rows of every signature, and compares them with a local SavedModel.

    Args:
        client: a client of the server.
        name: the model's name on the server.
        model: the local model, whose folder is named by its version.

    Raises:
        InputError, ServingError: the server lacks the version, has another in its place, or answers differently.
    """
    version = int(model.path.name)
    status = client.status(name)
    if version not in status or status[version].state != "AVAILABLE":
        known = ", ".join(f"{number} {one.state} {one.error}".strip() for number, one in sorted(status.items()))
        raise ServingError(f"{name}: expected version {version} to be served. Received: {known or 'no version'}")
    expected = described(read_graph(model.path).signature_def)
    if (found := client.metadata(name, version=version)) != expected:
        differing = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        raise ServingError(f"{name}: the server's signatures differ from those of {model.path}: {', '.join(differing)}")
    differences = [
        _difference(client, name, model, signature, _rows(expected[signature])) for signature in sorted(expected)
    ]
    return Agreement(version, len(expected), max(differences))


def _rows(signature: Signature) -> dict[str, np.ndarray]:
    """Input rows that every model takes, as many as there are `SEEDS`."""
    rng = np.random.default_rng(0)
    labels = LABELS if SEED in signature.inputs else (0,) * len(SEEDS)
    known = {SEED: np.array(SEEDS, np.int64), LABEL: np.array(labels, np.int32)}
    return {
        name: known[name] if name in known else rng.uniform(size=(len(SEEDS), *tensor.shape[1:])).astype(tensor.dtype)
        for name, tensor in signature.inputs.items()
    }


def _difference(client: Client, name: str, model: LoadedModel, signature: str, rows: dict[str, np.ndarray]) -> float:
    import tensorflow as tf

    local = model.signatures[signature](**{key: tf.constant(values) for key, values in rows.items()})
    try:
        answer = client.predict(name, signature, rows, version=int(model.path.name))
    except ZooError as error:
        raise ServingError(f"{signature} fails: {error}") from error
    greatest = 0.0
    for key, values in local.items():
        expected, found = values.numpy(), answer[key]
        if expected.dtype.kind == "f":
            greatest = max(greatest, float(np.abs(expected - found).max()))
            same = np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
        else:
            same = np.array_equal(expected, found)
        if not same:
            raise ServingError(
                f"{name}: {signature} should return the {key} of {model.path}. Received: others"
                + (f", up to {np.abs(expected - found).max():.3g} away" if expected.dtype.kind == "f" else "")
            )
    return greatest


def local_names(client: Client, names: list[str], known: list[str]) -> list[str]:
    """The models to check: those asked for, or the known ones that the server has.

    Raises:
        InputError: the server has none of them.
    """
    if names:
        return names
    found = list(client.models(known))
    if not found:
        raise InputError(f"{client.url} has none of {', '.join(known)}.")
    return found
