"""The catalogue of trained models: list it, verify its files, load a model and sample it with only TensorFlow.

An artefact is a folder, such as `pretrained/dcgan-fashion_mnist/`:

    card.json       what it is, how it was trained, its scores, and the sha256 of every file of its version
    samples.png
    1/              the SavedModel of version 1: saved_model.pb, fingerprint.pb, variables/
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.artefacts.card import CARD, read_card, verify
from zoo.artefacts.safety import GRAPH, private_copy, read_graph, refused, require_plain_files
from zoo.artefacts.signatures import (
    FEATURES,
    GENERATE,
    IMAGE,
    LABEL,
    LATENT,
    LATENTS,
    SAMPLES,
    SEED,
    SERVING_DEFAULT,
    bad_rows,
    call,
    matching,
)
from zoo.errors import InputError, first_line, unknown
from zoo.files import expanded, folder
from zoo.sampling import check_seeds_and_labels

if TYPE_CHECKING:
    import tensorflow as tf
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef


class LoadedModel:
    """A trained model, ready to be sampled; made by `load`.

    Attributes:
        path: the version's folder.
        card: what its `card.json` says; empty for a SavedModel without one.
        signatures: by name, functions from named tensors to a dict of named tensors.
    """

    def __init__(self, path: Path, card: dict, signatures: Mapping[str, tf.types.experimental.ConcreteFunction]):
        self.path = path
        self.card = card
        self.signatures = signatures

    @property
    def class_names(self) -> list[str] | None:
        """The name of each label, or `None` where the card has none."""
        return self.card.get("class_names")

    @property
    def sampled_classes(self) -> int | None:
        """The number of classes that can be asked for; `None` where the card says that a class cannot be chosen."""
        return self.card.get("num_classes") if self.card.get("conditional", True) else None

    def sample(
        self, seeds: int | Sequence[int] | np.ndarray, labels: int | Sequence[int] | np.ndarray | None = None
    ) -> np.ndarray:
        """One sample for each seed, from the signature `serving_default`.

        Args:
            seeds: n seeds, or a number n that stands for the seeds 0 to n - 1.
            labels: one class for all rows, or n classes; -1 or None lets the seed choose the class.

        Returns:
            float32 `[n, *data_shape]`: images in [0, 1], or vectors on their own scale.

        Raises:
            InputError: invalid seeds or labels, or a SavedModel that cannot be sampled by seed and label.
        """
        seeds, labels = check_seeds_and_labels(seeds, labels, self.sampled_classes)
        return self._answer(SERVING_DEFAULT, {SEED: seeds, LABEL: labels}, SAMPLES)

    def latents(self, seeds: int | Sequence[int] | np.ndarray) -> np.ndarray:
        """The latent vector of each seed, from the signature `latents`.

        Args:
            seeds: as in `sample`.

        Returns:
            float32 `[n, latent_size]`.

        Raises:
            InputError: invalid seeds, or a SavedModel without a latent vector for each seed.
        """
        seeds, labels = check_seeds_and_labels(seeds, None, None)
        return self._answer(LATENTS, {SEED: seeds, LABEL: labels}, LATENT)

    def decode(self, latents: np.ndarray, labels: int | Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """The sample of each latent vector, from the signature `generate`.

        Args:
            latents: float32 `[n, latent_size]`.
            labels: one class for all rows, or n classes, for a model that samples by class; other models ignore them.

        Returns:
            float32 `[n, *data_shape]`, as `sample` returns it.

        Raises:
            InputError: latents or labels that the model does not take, or a SavedModel without such a signature.
        """
        labels = self._classes_of(len(latents), labels)
        return self._answer(GENERATE, {LATENT: np.asarray(latents, np.float32), LABEL: labels}, SAMPLES)

    def features(self, images: np.ndarray, labels: int | Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """What the discriminator computes before its last layer, from the signature `features`.

        Args:
            images: float32 `[n, *data_shape]`, images in [0, 1].
            labels: as in `decode`.

        Returns:
            float32 `[n, k]`.

        Raises:
            InputError: images or labels that the model does not take, or a SavedModel without such a signature.
        """
        labels = self._classes_of(len(images), labels)
        return self._answer(FEATURES, {IMAGE: np.asarray(images, np.float32), LABEL: labels}, FEATURES)

    def _classes_of(self, count: int, labels: int | Sequence[int] | np.ndarray | None) -> np.ndarray:
        """A class for each row if the model samples by class; otherwise any labels."""
        _, labels = check_seeds_and_labels(count, labels, self.sampled_classes)
        if self.card.get("conditional") and labels.min() < 0:
            raise InputError(
                f"{self.path}: `labels` should be a class in [0, {self.sampled_classes - 1}] for each row, "
                f"since no seed could choose it. Received: {labels.min()}"
            )
        return labels

    def _answer(self, name: str, inputs: Mapping[str, np.ndarray], output: str) -> np.ndarray:
        """A signature's output for inputs of any number of rows."""
        import tensorflow as tf

        signature = matching(self.signatures, name, set(inputs), output)
        if signature is None:
            received = sorted(self.signatures)
            if other := self.signatures.get(name):
                takes, returns = sorted(other.structured_input_signature[1]), sorted(other.structured_outputs)
                received = f"{name}({', '.join(takes)}) that returns {', '.join(returns)}"
            raise InputError(
                f"{self.path}: expected a signature {name}({', '.join(inputs)}) that returns {output}. "
                f"Received: {received}"
            )
        for key, spec in signature.structured_input_signature[1].items():
            if not spec.shape.is_compatible_with(inputs[key].shape):
                shape = ", ".join(map(str, ["n", *spec.shape[1:]]))
                raise InputError(
                    f"{self.path}, {name}: `{key}` should be of shape [{shape}]. Received: {list(inputs[key].shape)}"
                )
        try:
            rows = call(signature, inputs, output)[0]
        except (tf.errors.OpError, TypeError) as error:  # TypeError: a shape other than the signature's
            raise InputError(f"{self.path}, {name}: {first_line(error)}") from error
        if not tf.as_dtype(rows.dtype).is_floating:
            raise InputError(f"{self.path}, {name}: expected {output} of type float32. Received: {rows.dtype}")
        if len(bad := bad_rows(rows)):
            given = ", ".join(f"{key} of shape {list(value.shape)}" for key, value in inputs.items())
            raise InputError(
                f"{self.path}, {name}: expected finite numbers, images in [0, 1] and labels of the model's classes, "
                f"or -1 where it may choose one. Received: row {bad[0]} of {given} is none of these"
            )
        return rows.astype(np.float32, copy=False)


def pretrained() -> dict[str, dict]:
    """The card of every model in the catalogue, by the model's name.

    Raises:
        InputError: a card that cannot be read.
    """
    return {name: read_card(directory / CARD) for name, directory in _catalogue().items()}


def load(name_or_path: str | Path, trusted: bool = False) -> LoadedModel:
    """Loads a model of the catalogue, or a SavedModel from a path.

    Args:
        name_or_path: as `find` takes it.
        trusted: load the SavedModel even if its graph holds ops that could reach files, the network or Python.
            Use this only for a SavedModel whose author you would let run any program on this machine.

    Raises:
        InputError: an unknown name, no SavedModel at the path, files that differ from the card, a file that cannot be
            read, or a graph that is not harmless.
    """
    import tensorflow as tf

    version, card = _locate(name_or_path)
    with contextlib.ExitStack() as stack:
        loaded = version if trusted else stack.enter_context(private_copy(version))
        try:
            _verify(loaded, card)
            if not trusted:
                _require_harmless(read_graph(loaded), version)
            model = tf.saved_model.load(str(loaded))
        except InputError as error:
            raise InputError(str(error).replace(str(loaded), str(version))) from error
        except Exception as error:  # damage shows as OpError, OSError, IndexError, ...: whatever the loader trips over
            reason = first_line(error).replace(str(loaded), str(version))
            raise InputError(f"{version}: TensorFlow cannot load it: {reason}") from error
    return LoadedModel(version, card, _functions(getattr(model, "signatures", None)))


def _functions(signatures: object) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """The functions among a SavedModel's signatures, which may hold anything."""
    import tensorflow as tf

    if not isinstance(signatures, Mapping):
        return {}
    kind = tf.types.experimental.ConcreteFunction
    return {name: function for name, function in signatures.items() if isinstance(function, kind)}


def _require_harmless(graph: MetaGraphDef, version: Path) -> None:
    if found := refused(graph):
        raise InputError(
            f"{version}: refused, since its graph holds what may reach files, the network or Python: "
            f"{', '.join(found)}. If you trust whoever made it, load it with trusted=True (zoo sample: --trusted)."
        )


def find(name_or_path: str | Path) -> tuple[Path, dict]:
    """Finds a model's version folder and its card, and verifies the files against the card.

    Args:
        name_or_path: a name in the catalogue; or the path of an artefact, of one version, of a workdir whose run has
            exported one, or of any SavedModel. Of several versions, the one that the card names is taken, or the
            highest where there is no card.

    Returns:
        The version folder, and the card: an empty dict where there is none, or where it belongs to another version.

    Raises:
        InputError: an unknown name, no SavedModel at the path, a broken card, or files that differ from it.
    """
    version, card = _locate(name_or_path)
    _verify(version, card)
    return version, card


def _verify(version: Path, card: dict) -> None:
    require_plain_files(version)
    if card:
        verify(version, card)


def _locate(name_or_path: str | Path) -> tuple[Path, dict]:
    """As `find`, before anything is verified."""
    catalogue = _catalogue()
    path = catalogue.get(str(name_or_path)) or expanded(name_or_path)
    if not os.path.exists(path):  # unlike `Path.exists`, no error for a name that is too long
        raise unknown("pretrained model", str(name_or_path), catalogue)
    path = path.resolve()
    is_version = (path / GRAPH).is_file()
    card_path = (path.parent if is_version else path) / CARD
    card = read_card(card_path) if os.path.lexists(card_path) else {}
    if is_version:
        version = path
        if card and path.name.isdecimal() and int(path.name) != card["version"]:
            card = {}  # it belongs to another version
    elif card:
        version = path / str(card["version"])
        if not version.is_dir():
            raise InputError(f"{version}: missing, though {CARD} names it.")
    else:
        exported = list(path.glob(f"*/{CARD}"))
        if len(exported) == 1:  # a workdir's
            return _locate(exported[0].parent)
        versions = [graph.parent for graph in path.glob(f"*/{GRAPH}") if graph.parent.name.isdecimal()]
        if not versions:
            hint = " `zoo export` writes one of a checkpoint." if (path / "checkpoints").is_dir() else ""
            raise InputError(f"{path}: no SavedModel here ({GRAPH}), nor a version of one (1/{GRAPH}).{hint}")
        version = max(versions, key=lambda version: int(version.name))
    return version, card


def _catalogue() -> dict[str, Path]:
    return {card.parent.name: card.parent for card in sorted(folder("pretrained").glob(f"*/{CARD}"))}
