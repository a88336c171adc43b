"""The catalogue of trained models: list it, verify its files, load a model and sample it with TensorFlow alone.

An artefact is a folder, such as `pretrained/dcgan-fashion_mnist/`:

    card.json       what it is, how it was trained, its scores, and the sha256 of every file of its version
    samples.png
    1/              the SavedModel of version 1: saved_model.pb, fingerprint.pb, variables/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import InputError, first_line, unknown
from zoo.files import folder, sha256
from zoo.sampling import check_seeds_and_labels

if TYPE_CHECKING:
    import tensorflow as tf
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

CARD = "card.json"
GRAPH = "saved_model.pb"
CARD_FIELDS = {
    "name": str,
    "model": str,
    "dataset": str,
    "version": int,
    "data_shape": list,
    "num_classes": int | None,
    "parameters": dict,
    "scores": list,
    "files": dict,
}
ROWS_AT_ONCE = 256  # bounds the memory of `sample`; a row depends on its own seed and label, not on its batch

# A SavedModel is a program. The graph of an untrusted one may hold an op if TensorFlow knows it and
# - it is stateless and not one of the few that reach out all the same: read files (ReadFile, ImmutableConst,
#   DecodeProtoV2, ...), write to files or sockets (DebugIdentity, datasets) or run foreign code (PyFuncStateless, ...);
# - it is stateful and one of these, which touch the model's variables, call its functions, check or draw numbers;
# - it saves or restores variables, inside a function that the saver alone can call: `load` never calls the saver.
REACHES_OUT = re.compile("File|Dataset|PyFunc|Debug|Proto|Vocab|ImmutableConst|CustomCall|Mlir")
HARMLESS_STATEFUL = re.compile(
    "VarHandleOp|VarIsInitializedOp|ReadVariableOp|Assign(Add|Sub)?VariableOp|VariableShape|ResourceGather(Nd)?"
    "|DisableCopyOnRead|StatefulPartitionedCall|If|While|Case|Assert|CheckNumerics(V2)?"
    "|Random(Uniform|UniformInt|StandardNormal|Shuffle|Gamma|PoissonV2)|TruncatedNormal|Multinomial"
    "|Stateful(Uniform|UniformInt|UniformFullInt|StandardNormalV2|TruncatedNormal|RandomBinomial)"
    "|StatelessRandomGetAlg|RngSkip|RngReadAndSkip"
)
SAVER_OPS = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})


class LoadedModel:
    """A trained model, ready to be sampled; made by `load`.

    Attributes:
        path: the version's folder.
        card: what its `card.json` says; empty for a SavedModel without one.
        signatures: name of a signature -> function from named tensors to a dict of named tensors.
    """

    def __init__(self, path: Path, card: dict, signatures: Mapping[str, tf.types.experimental.ConcreteFunction]):
        self.path = path
        self.card = card
        self.signatures = signatures

    @property
    def _sampled_classes(self) -> int | None:
        """How many classes a sample may be asked to be of; `None` where the card says that none may be."""
        return self.card.get("num_classes") if self.card.get("conditional", True) else None

    def sample(
        self, seeds: int | Sequence[int] | np.ndarray, labels: int | Sequence[int] | np.ndarray | None = None
    ) -> np.ndarray:
        """One sample a seed, through the signature `serving_default`.

        Args:
            seeds: n seeds, or a number n that stands for the seeds 0 to n - 1.
            labels: a class for all rows or n of them; -1 or None leaves the class to the seed.

        Returns:
            float32 `[n, *data_shape]`: images in [0, 1], or vectors on their own scale.

        Raises:
            InputError: wrong seeds or labels; a SavedModel that cannot be sampled by seed and label.
        """
        import tensorflow as tf

        seeds, labels = check_seeds_and_labels(seeds, labels, self._sampled_classes)
        signature = self.signatures.get("serving_default")
        if (
            signature is None
            or signature.structured_input_signature[1].keys() != {"seed", "label"}
            or "samples" not in signature.structured_outputs
        ):
            raise InputError(
                f"{self.path}: expected a signature serving_default(seed, label) that returns samples. "
                f"Received: {sorted(self.signatures)}"
            )
        try:
            return np.concatenate(
                [
                    signature(
                        seed=tf.constant(seeds[start : start + ROWS_AT_ONCE]),
                        label=tf.constant(labels[start : start + ROWS_AT_ONCE]),
                    )["samples"].numpy()
                    for start in range(0, len(seeds), ROWS_AT_ONCE)
                ]
            )
        except tf.errors.InvalidArgumentError as error:  # such as a label that the graph itself refuses
            raise InputError(f"{self.path}: {first_line(error)}") from error


def pretrained() -> dict[str, dict]:
    """Name -> card of every model in the catalogue.

    Raises:
        InputError: a card that cannot be read.
    """
    return {name: read_card(directory / CARD) for name, directory in _catalogue().items()}


def load(name_or_path: str | Path, trusted: bool = False) -> LoadedModel:
    """Loads a model of the catalogue, or a SavedModel from a path.

    Args:
        name_or_path: as `find` takes it.
        trusted: load the SavedModel even if its graph holds ops that could reach files, the network or Python.
            Say so only of a SavedModel whose maker you would let run any program on this machine.

    Raises:
        InputError: an unknown name, no SavedModel at the path, files that differ from the card, a file that cannot be
            read, or a graph that is not harmless.
    """
    version, card = find(name_or_path)
    if not trusted and (ops := refused_ops(read_graph(version))):
        raise InputError(
            f"{version}: refused, since its graph holds ops that may reach files, the network or Python: "
            f"{', '.join(ops)}. If you trust whoever made it, load it with trusted=True (zoo sample: --trusted)."
        )
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(version))
    except Exception as error:  # damage shows as OpError, OSError, IndexError, ...: whatever the loader trips over
        raise InputError(f"{version}: TensorFlow cannot load it: {first_line(error)}") from error
    return LoadedModel(version, card, model.signatures)


def find(name_or_path: str | Path) -> tuple[Path, dict]:
    """The version folder and the card of a model, its files verified against the card.

    Args:
        name_or_path: a name in the catalogue; or the path of an artefact, of one version, or of any SavedModel. Of
            several versions the card's is taken, or the highest where there is no card.

    Returns:
        The version folder, and the card: an empty dict where there is none.

    Raises:
        InputError: an unknown name, no SavedModel at the path, a broken card, or files that differ from it.
    """
    catalogue = _catalogue()
    path = catalogue.get(str(name_or_path), Path(name_or_path)).resolve()
    if not path.exists():
        raise unknown("pretrained model", str(name_or_path), catalogue)
    is_version = (path / GRAPH).is_file()
    card_path = (path.parent if is_version else path) / CARD
    card = read_card(card_path) if card_path.is_file() else {}
    if is_version:
        version = path
    elif card:
        version = path / str(card["version"])
    else:
        versions = [graph.parent for graph in path.glob(f"*/{GRAPH}") if graph.parent.name.isdecimal()]
        if not versions:
            raise InputError(f"{path}: no SavedModel here ({GRAPH}), nor a version of one (1/{GRAPH}).")
        version = max(versions, key=lambda version: int(version.name))
    if card:
        _verify(version, card)
    return version, card


def read_card(path: Path) -> dict:
    """Reads a `card.json`.

    Raises:
        InputError: it is not a JSON object, or a field that the zoo reads is missing or of another type.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not JSON, not UTF-8
        raise InputError(f"{path}: not JSON: {error}.") from error
    if not isinstance(card, dict):
        raise InputError(f"{path}: expected a JSON object. Received: {type(card).__name__}")
    for field, kind in CARD_FIELDS.items():
        if not isinstance(card.get(field), kind):
            raise InputError(f"{path}: {field} is missing or of the wrong type. Received: {card.get(field)!r}")
    return card


def file_hashes(version: Path) -> dict[str, str]:
    """sha256 of every file of a version folder, by its path from the artefact's folder ("1/saved_model.pb")."""
    return {
        path.relative_to(version.parent).as_posix(): sha256(path)
        for path in sorted(version.rglob("*"))
        if path.is_file()
    }


def read_graph(version: Path) -> MetaGraphDef:
    """Parses the graph of a SavedModel without running any of it.

    Raises:
        InputError: the file is damaged, or was not written by TensorFlow 2.
    """
    import tensorflow as tf

    try:
        # The loader's own reader, so that the graph that is checked is the graph that is loaded.
        graphs = tf.__internal__.saved_model.parse_saved_model(str(version)).meta_graphs
    except OSError as error:
        raise InputError(f"{version / GRAPH}: damaged, or not a SavedModel.") from error
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):
        raise InputError(f"{version / GRAPH}: expected one graph, written by TensorFlow 2. Received: {len(graphs)}")
    return graphs[0]


def refused_ops(graph: MetaGraphDef) -> list[str]:
    """Names of the ops, in the graph or in any of its functions, that only a trusted SavedModel may hold."""
    savers = _saver_functions(graph)
    refused = {node.op for node in graph.graph_def.node if not _is_harmless(node.op)}
    for function in graph.graph_def.library.function:
        allowed = SAVER_OPS if function.signature.name in savers else frozenset()
        refused |= {node.op for node in function.node_def if node.op not in allowed and not _is_harmless(node.op)}
    return sorted(refused)


def _is_harmless(op: str) -> bool:
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(op)
    if definition is None:
        return False
    return bool(HARMLESS_STATEFUL.fullmatch(op)) if definition.is_stateful else not REACHES_OUT.search(op)


def _saver_functions(graph: MetaGraphDef) -> set[str]:
    """Names of the functions that save and restore the variables, and that nothing but the saver can call."""
    saver = graph.saver_def
    ends = {saver.save_tensor_name.partition(":")[0], saver.restore_op_name}
    names = {node.attr["f"].func.name for node in graph.graph_def.node if node.name in ends}
    # A name stands where the function is defined and where the saver calls it; once more, and something else can.
    contents = graph.SerializeToString()
    return {name for name in names if contents.count(name.encode()) == 2}


def _verify(version: Path, card: dict) -> None:
    """Raises an `InputError` that lists every file of `version` that is not what `card` says."""
    expected, found = card["files"], file_hashes(version)
    problems = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    problems += [f"{name}: not listed in {CARD}" for name in sorted(found.keys() - expected.keys())]
    problems += [
        f"{name}: sha256 differs from {CARD}: expected {expected[name]!s:.12}…, found {found[name]:.12}…"
        for name in sorted(expected.keys() & found.keys())
        if expected[name] != found[name]
    ]
    if problems:
        raise InputError(f"{version.parent}: {'; '.join(problems)}.")


def _catalogue() -> dict[str, Path]:
    return {card.parent.name: card.parent for card in sorted(folder("pretrained").glob(f"*/{CARD}"))}
