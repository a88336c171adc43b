"""What the graph of a SavedModel may hold, and the private copy that is checked and loaded.

A SavedModel is a program. One from an untrusted author may hold only the ops of `ops.COMPUTING`, in its graph and in
every function. The ops that save and restore variables may occur in functions that only the saver can call, and `load`
never calls the saver. A node or a function may have only the attributes of its op's definition and the few that
TensorFlow itself writes: `api_implements`, for example, makes TensorFlow call a function other than the one named.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.artefacts.ops import COMPUTING, SAVING
from zoo.errors import InputError

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

GRAPH = "saved_model.pb"

# Attributes that TensorFlow writes: notes on shapes, on control flow, on gradients and on compilation.
NODE_ATTRIBUTES = {
    "_XlaHasReferenceVars",
    "_XlaMustCompile",
    "_class",
    "_collective_manager_ids",
    "_construction_context",
    "_gradient_op_type",
    "_has_manual_control_dependencies",
    "_lower_using_switch_merge",
    "_num_original_outputs",
    "_output_shapes",
    "_read_only_resource_inputs",
    "_stateful_parallelism",
    "_user_specified_name",
}
SAVER_ATTRIBUTES = {"_construction_context", "_input_shapes"}
FUNCTION_ATTRIBUTES = SAVER_ATTRIBUTES | {"_XlaMustCompile", "_disable_call_shape_inference", "_noinline"}


def require_plain_files(version: Path) -> None:
    """Raises an `InputError` if a version's folder holds anything but files and folders: links, pipes, devices."""
    for path in (version, *sorted(version.rglob("*"))):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise InputError(f"{path}: expected a file or a folder. Received: {_kind(mode)}")


@contextmanager
def private_copy(version: Path) -> Iterator[Path]:
    """Makes a copy of a version, in a temporary folder that only this user can access, and yields its path.

    The files that are checked there are the files that are loaded, whatever happens to the original in between.

    Raises:
        InputError: the folder holds anything but files and folders, or cannot be copied.
    """
    require_plain_files(version)
    with tempfile.TemporaryDirectory(prefix="gan-zoo-") as folder:
        copy = Path(folder) / version.name
        try:
            shutil.copytree(version, copy, symlinks=True)
        except (OSError, shutil.Error) as error:
            raise InputError(f"{version}: cannot be copied to be checked: {error}") from error
        require_plain_files(copy)
        yield copy


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


def refused(graph: MetaGraphDef) -> list[str]:
    """What the graph holds that only a trusted one may: ops, attributes, and functions that are not what they seem."""
    functions = graph.graph_def.library.function
    names = [function.signature.name for function in functions]
    savers = _saver_functions(graph)
    found = set(_refused_nodes(graph.graph_def.node, COMPUTING))
    for function in functions:
        name = function.signature.name
        found |= set(_refused_nodes(function.node_def, COMPUTING | SAVING if name in savers else COMPUTING))
        allowed = SAVER_ATTRIBUTES if name in savers else FUNCTION_ATTRIBUTES
        found |= {f"the attribute {attribute} of a function" for attribute in function.attr.keys() - allowed}
        if _is_op(name) or names.count(name) > 1:
            found.add(f"a second meaning of {name}")
    # Where a function should be named, TensorFlow also takes the name of an op, and calls the op.
    found |= {f"a call of {name}, which is no function here" for name in _called(graph.graph_def) - set(names)}
    return sorted(found)


def _refused_nodes(nodes: Iterable[NodeDef], allowed: frozenset[str]) -> Iterator[str]:
    from tensorflow.python.framework import op_def_registry

    for node in nodes:
        definition = op_def_registry.get(node.op) if node.op in allowed else None
        if definition is None:
            yield node.op
            continue
        known = NODE_ATTRIBUTES.union(attribute.name for attribute in definition.attr)
        yield from (f"the attribute {name} of {node.op}" for name in node.attr.keys() - known)


def _is_op(name: str) -> bool:
    from tensorflow.python.framework import op_def_registry

    return op_def_registry.get(name) is not None


def _called(message: Message) -> set[str]:
    """The names of all functions in attributes, however deeply they are nested."""
    from tensorflow.core.framework.attr_value_pb2 import NameAttrList

    names, waiting = set(), [message]
    while waiting:
        message = waiting.pop()
        if isinstance(message, NameAttrList):
            names.add(message.name)
        for field, value in message.ListFields():
            if field.message_type is None or field.message_type.name == "TensorProto":
                continue
            if field.message_type.GetOptions().map_entry:
                values = value.values() if field.message_type.fields_by_name["value"].message_type else ()
            else:
                values = value if field.is_repeated else (value,)
            waiting.extend(values)
    return names


def _saver_functions(graph: MetaGraphDef) -> set[str]:
    """The names of the functions that save and restore the variables, and that only the saver can call."""
    saver = graph.saver_def
    ends = {saver.save_tensor_name.partition(":")[0], saver.restore_op_name}
    names = {node.attr["f"].func.name for node in graph.graph_def.node if node.name in ends and "f" in node.attr}
    # A name occurs where its function is defined and where the saver calls it; any further place may be a caller.
    contents = graph.SerializeToString()
    return {name for name in names if contents.count(name.encode()) == 2}


def _kind(mode: int) -> str:
    return "a symbolic link" if stat.S_ISLNK(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
