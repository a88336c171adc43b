"""What the graph of a SavedModel may hold, before any of it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import InputError

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

GRAPH = "saved_model.pb"

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
