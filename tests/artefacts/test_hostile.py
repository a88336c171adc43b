"""Hostile graphs, each refused before anything of it is loaded."""

import shutil

import pytest
import saved_models
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from zoo.artefacts.catalogue import load
from zoo.artefacts.safety import GRAPH, read_graph, refused
from zoo.errors import InputError

HOSTILE = """
Abort AnonymousIterator Assign AudioSummary BatchFunction Batch CSVDataset CloseSummaryWriter CollectiveReduce
ConfigureDistributedTPU CreateSummaryDbWriter CreateSummaryFileWriter DebugIdentity DebugIdentityV3
DebugNumericSummaryV2 DecodeProtoV2 DecodePaddedRaw EagerPyFunc EncodeProto FileSystemSetConfiguration
FixedLengthRecordDataset FixedLengthRecordReaderV2 GenerateVocabRemapping GetSessionHandle HostConst
IdentityReaderV2 ImmutableConst InitializeTableFromTextFileV2 IteratorGetNext LMDBReader LoadAndRemapMatrix
LookupTableExportV2 MapDefun MapStage MatchingFiles MlirPassthroughOp MutableHashTableV2 NcclAllReduce
NotInThisTensorFlow OneShotIterator Print PrintV2 PyFunc PyFuncStateless ReadFile Recv RegisterDataset RemoteCall
RestoreV2 RpcCall SaveDatasetV2 SaveV2 Send ShardedFilename SqlDataset Stage SummaryWriter SymbolicGradient
TFRecordDataset TFRecordReaderV2 TensorArrayV3 TextLineDataset TextLineReaderV2 WholeFileReaderV2 WriteFile
WriteGraphSummary XlaCallModule XlaCustomCallV2 XlaLaunch _Recv
""".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A SavedModel without a card."""
    return saved_models.save(tmp_path_factory.mktemp("plain") / "model")


@pytest.mark.parametrize("op", HOSTILE)
@pytest.mark.parametrize("place", ["graph", "function"])
def test_refused_by_name(plain, op, place):
    graph = read_graph(plain)
    outside_the_saver(graph, place).add(op=op)
    assert refused(graph) == [op]


def outside_the_saver(graph, place="function"):
    """The nodes of the graph, or of a function that the saver does not call."""
    if place == "graph":
        return graph.graph_def.node
    functions = graph.graph_def.library.function
    return next(function for function in functions if "traced" not in function.signature.name).node_def


def saver_function(graph):
    (function,) = (one for one in graph.graph_def.library.function if one.signature.name == saver_of(graph))
    return function


def saver_of(graph):
    (node,) = (node for node in graph.graph_def.node if node.name == graph.saver_def.save_tensor_name[:-2])
    return node.attr["f"].func.name


def swapped_for_the_saver(graph):
    """TensorFlow's implementation selector calls another function with the same `api_implements`."""
    for function in graph.graph_def.library.function:
        function.attr["api_implements"].s = b"model"


def swapped_for_the_saver_in_secret(graph):
    saver_function(graph).attr["api_implements"].s = b"model"


def preferred_device(graph):
    graph.graph_def.library.function[0].attr["api_preferred_device"].s = b"CPU"


def saver_with_a_forward_function(graph):
    saver_function(graph).attr["forward_function_name"].s = b"f"


def saver_that_is_compiled(graph):
    saver_function(graph).attr["_XlaMustCompile"].b = True


def unknown_function_attribute(graph):
    graph.graph_def.library.function[0].attr["_implements"].s = b"tensorflow.op"


def unknown_node_attribute(graph):
    outside_the_saver(graph).add(op="Relu").attr["_kernel"].s = b"other"


def unknown_attribute_of_a_variable(graph):
    next(node for node in graph.graph_def.node if node.op == "VarHandleOp").attr["file"].s = b"x"


def op_as_a_function(graph):
    """TensorFlow instantiates an op where a function of its name is called."""
    outside_the_saver(graph).add(op="PartitionedCall").attr["f"].func.name = "WriteFile"


def op_as_a_branch(graph):
    outside_the_saver(graph).add(op="Case").attr["branches"].list.func.add().name = "Abort"


def op_in_a_nested_attribute(graph):
    call = outside_the_saver(graph).add(op="PartitionedCall")
    call.attr["f"].func.name = graph.graph_def.library.function[0].signature.name
    call.attr["f"].func.attr["g"].list.func.add().attr["h"].func.name = "ReadFile"


def op_in_a_function_attribute(graph):
    graph.graph_def.library.function[0].attr["_input_shapes"].func.name = "WriteFile"


def function_named_as_an_op(graph):
    graph.graph_def.library.function.add().signature.name = "Relu"


def saver_op_in_a_new_function(graph):
    function = graph.graph_def.library.function.add()
    function.signature.name = "helper"
    function.node_def.add(op="SaveV2")


def saver_op_in_a_function_of_a_similar_name(graph):
    function = graph.graph_def.library.function.add()
    function.signature.name = saver_of(graph) + "_"
    function.node_def.add(op="SaveV2")


@pytest.mark.parametrize(
    "change",
    [
        swapped_for_the_saver,
        swapped_for_the_saver_in_secret,
        preferred_device,
        saver_with_a_forward_function,
        saver_that_is_compiled,
        unknown_function_attribute,
        unknown_node_attribute,
        unknown_attribute_of_a_variable,
        op_as_a_function,
        op_as_a_branch,
        op_in_a_nested_attribute,
        op_in_a_function_attribute,
        function_named_as_an_op,
        saver_op_in_a_new_function,
        saver_op_in_a_function_of_a_similar_name,
    ],
)
def test_a_graph_that_is_not_what_it_seems_is_refused(plain, tmp_path, monkeypatch, change):
    path = shutil.copytree(plain, tmp_path / "model")
    saved = saved_model_pb2.SavedModel.FromString((path / GRAPH).read_bytes())
    change(saved.meta_graphs[0])
    (path / GRAPH).write_bytes(saved.SerializeToString())
    monkeypatch.setattr(tf.saved_model, "load", lambda path: pytest.fail("loaded"))
    with pytest.raises(InputError, match=r"refused.*trusted=True"):
        load(path)


def called_by_another_function(graph):
    graph.graph_def.library.function[0].node_def.add(op="PartitionedCall").attr["f"].func.name = saver_of(graph)


def named_in_a_nested_attribute(graph):
    call = graph.graph_def.library.function[0].node_def.add(op="PartitionedCall")
    call.attr["f"].func.attr["g"].func.name = saver_of(graph)


def called_by_the_main_graph(graph):
    graph.graph_def.node.add(op="PartitionedCall").attr["f"].func.name = saver_of(graph)


def called_by_an_object(graph):
    graph.object_graph_def.nodes.add().bare_concrete_function.concrete_function_name = saver_of(graph)


def defined_twice(graph):
    graph.graph_def.library.function.add().signature.name = saver_of(graph)


@pytest.mark.parametrize(
    "use",
    [
        called_by_another_function,
        named_in_a_nested_attribute,
        called_by_the_main_graph,
        called_by_an_object,
        defined_twice,
    ],
)
def test_a_saver_that_something_else_can_call_is_refused(plain, use):
    graph = read_graph(plain)
    assert refused(graph) == []
    use(graph)
    assert set(refused(graph)) >= {"MergeV2Checkpoints", "SaveV2", "ShardedFilename"}


def named_tuple_of_code(graph):
    for function in graph.object_graph_def.concrete_functions.values():
        function.output_signature.named_tuple_value.name = "x'); import os; os.mkdir('written'); ('"


def type_of_another_package(graph):
    for function in graph.object_graph_def.concrete_functions.values():
        function.output_signature.type_spec_value.type_spec_class_name = "os.system"


def attribute_of_python(graph):
    child = graph.object_graph_def.nodes[0].children.add()
    child.local_name, child.node_id = "__class__", 1


def node_that_is_not_there(graph):
    graph.object_graph_def.nodes[0].children.add().node_id = 10**6


def variable_of_another_shape(graph):
    for node in graph.object_graph_def.nodes:
        if node.WhichOneof("kind") == "variable":
            node.variable.shape.dim.add().size = 10**12


def function_that_calls_itself(graph):
    functions = graph.graph_def.library.function
    function = next(function for function in functions if "traced" not in function.signature.name)  # not the saver
    function.node_def.add(op="PartitionedCall", name="again").attr["f"].func.name = function.signature.name


@pytest.mark.parametrize(
    "change",
    [
        named_tuple_of_code,
        type_of_another_package,
        attribute_of_python,
        node_that_is_not_there,
        variable_of_another_shape,
        function_that_calls_itself,
    ],
)
def test_objects_that_are_not_what_they_seem_are_one_line(plain, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    path = shutil.copytree(plain, tmp_path / "model")
    saved = saved_model_pb2.SavedModel.FromString((path / GRAPH).read_bytes())
    change(saved.meta_graphs[0])
    (path / GRAPH).write_bytes(saved.SerializeToString())
    with pytest.raises(InputError, match="TensorFlow cannot load it: ") as error:
        load(path)
    assert "\n" not in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
