"""The Inception graph of 2015 with random weights, against torch-fidelity with the same; which weights bear a name."""

import hashlib
import http.client
import io
import json
import re
import tarfile

import inception_reference
import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import InputError
from zoo.features import InceptionFeatures, inception

EXPECTED = json.loads(inception_reference.FILE.read_text())
IMAGES = (inception_reference.images() / 255).astype(np.float32)
SHOWN = inception_reference.SHOWN
# Of the last layer of `tiny_graph`.
WEIGHTS = np.random.RandomState(0).uniform(-1e-4, 1e-4, (2048, 1008)).astype(np.float32)
BIASES = np.linspace(-1, 1, 1008, dtype=np.float32)


class GraphDef:
    """A GraphDef under construction, with the nodes, the ops and the version of the format that the one of 2015 has."""

    def __init__(self):
        self.proto = tf.compat.v1.GraphDef(versions={"producer": 8})

    def add(self, name, op, *inputs, dtype="T", **attributes):
        node = self.proto.node.add(name=name, op=op, input=inputs)
        node.attr[dtype].type = tf.float32.as_datatype_enum
        for key, value in attributes.items():
            node.attr[key].CopyFrom(value)

    def constant(self, name, value):
        value = tf.make_tensor_proto(value)
        node = self.proto.node.add(name=name, op="Const")
        node.attr["dtype"].type = value.dtype
        node.attr["value"].tensor.CopyFrom(value)


def attribute(**value):
    return tf.compat.v1.AttrValue(**value)


def sizes(*values):
    return attribute(list={"i": values})


def graph_of_2015():
    """The graph from the JPEG file to the softmax, with the reference's random weights."""
    graph = GraphDef()
    graph.constant("DecodeJpeg/contents", b"")
    graph.proto.node.add(name="DecodeJpeg", op="DecodeJpeg", input=["DecodeJpeg/contents"])
    graph.add("Cast", "Cast", "DecodeJpeg", dtype="DstT", SrcT=attribute(type=tf.uint8.as_datatype_enum))
    graph.constant("ExpandDims/dim", np.int32(0))
    graph.add("ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim")
    graph.constant("ResizeBilinear/size", np.array([299, 299], np.int32))
    graph.add("ResizeBilinear", "ResizeBilinear", "ExpandDims", "ResizeBilinear/size")
    graph.constant("Sub/y", np.float32(128))
    graph.add("Sub", "Sub", "ResizeBilinear", "Sub/y")
    graph.constant("Mul/y", np.float32(0.0078125))
    graph.add("Mul", "Mul", "Sub", "Mul/y")
    for name, array in inception_reference.weights().items():
        graph.constant(name, array)
    for layer in inception_reference.layers():
        add_layer(graph, layer)
    graph.constant("pool_3/_reshape/shape", np.array([1, 2048], np.int32))
    graph.add("pool_3/_reshape", "Reshape", "pool_3", "pool_3/_reshape/shape")
    graph.add("softmax/logits/MatMul", "MatMul", "pool_3/_reshape", "softmax/weights")
    graph.add("softmax/logits", "BiasAdd", "softmax/logits/MatMul", "softmax/biases")
    graph.add("softmax", "Softmax", "softmax/logits")
    return graph.proto


def add_layer(graph, layer):
    if layer.kind == "Concat":
        graph.constant(f"{layer.node}/concat_dim", np.int32(3))
        graph.add(layer.node, "Concat", f"{layer.node}/concat_dim", *layer.inputs, N=attribute(i=len(layer.inputs)))
        return
    window = {"strides": sizes(1, layer.stride, layer.stride, 1), "padding": attribute(s=layer.padding.encode())}
    if layer.kind != "Conv2D":
        graph.add(layer.node, layer.kind, *layer.inputs, ksize=sizes(1, *layer.kernel, 1), **window)
        return
    normalised = f"{layer.node}/batchnorm"
    graph.add(f"{layer.node}/Conv2D", "Conv2D", *layer.inputs, f"{layer.node}/conv2d_params", **window)
    graph.add(
        normalised,
        "BatchNormWithGlobalNormalization",
        f"{layer.node}/Conv2D",
        *(f"{normalised}/{name}" for name in ("moving_mean", "moving_variance", "beta", "gamma")),
        variance_epsilon=attribute(f=0.001),
        scale_after_normalization=attribute(b=True),
    )
    graph.add(f"{layer.node}/CheckNumerics", "CheckNumerics", normalised, message=attribute(s=b"not finite"))
    graph.add(f"{layer.node}/control_dependency", "Identity", normalised, f"^{layer.node}/CheckNumerics")
    graph.add(layer.node, "Relu", f"{layer.node}/control_dependency")


def tiny_graph():
    """The nodes that are looked for, and next to nothing between them."""
    graph = GraphDef()
    graph.add("Cast", "Placeholder", dtype="dtype")
    graph.constant("ExpandDims/dim", np.int32(0))
    graph.add("ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim")
    graph.constant("ResizeBilinear/size", np.array([1, 1], np.int32))
    graph.add("ResizeBilinear", "ResizeBilinear", "ExpandDims", "ResizeBilinear/size")
    graph.constant("Tile/multiples", np.array([1, 1, 1, 683], np.int32))
    graph.add("Tile", "Tile", "ResizeBilinear", "Tile/multiples")
    graph.constant("Slice/begin", np.zeros(4, np.int32))
    graph.constant("Slice/size", np.array([-1, 1, 1, 2048], np.int32))
    graph.add("pool_3", "Slice", "Tile", "Slice/begin", "Slice/size", Index=attribute(type=tf.int32.as_datatype_enum))
    graph.constant("softmax/weights", WEIGHTS)
    graph.constant("softmax/biases", BIASES)
    return graph.proto


def write(path, graph):
    path.write_bytes(graph.SerializeToString())
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write(tmp_path_factory.mktemp("graph") / "random.pb", graph_of_2015())


@pytest.fixture(scope="module")
def extractor(full):
    return InceptionFeatures(full)


@pytest.fixture(scope="module")
def outputs(extractor):
    return extractor(IMAGES)


@pytest.fixture
def tiny(tmp_path):
    return write(tmp_path / "tiny.pb", tiny_graph())


@pytest.fixture
def served(tiny, tmp_path, monkeypatch):
    """The tiny graph is the published one, at its address."""
    monkeypatch.setattr(inception, "SHA256", sha256(tiny))
    monkeypatch.setattr(inception, "URL", tiny.as_uri())
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "inception-2015-12-05.pb"


def test_features_and_probabilities_are_those_of_torch_fidelity(outputs):
    np.testing.assert_allclose(outputs.features[:, SHOWN], EXPECTED["features"], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(outputs.probabilities[:, SHOWN], EXPECTED["probabilities"], rtol=1e-3)
    assert outputs.features.dtype == outputs.probabilities.dtype == np.float32
    assert outputs.features.shape == (2, 2048)
    assert outputs.probabilities.shape == (2, 1008)


def test_the_bias_changes_probabilities_and_not_features(tiny):
    from scipy.special import softmax

    without, biased = InceptionFeatures(tiny)(IMAGES), InceptionFeatures(tiny, bias=True)(IMAGES)
    np.testing.assert_array_equal(biased.features, without.features)
    logits = without.features @ WEIGHTS
    np.testing.assert_allclose(without.probabilities, softmax(logits, axis=1), rtol=1e-4)
    np.testing.assert_allclose(biased.probabilities, softmax(logits + BIASES, axis=1), rtol=1e-4)


def test_an_image_has_the_same_features_in_any_batch(extractor, outputs, monkeypatch):
    monkeypatch.setattr(inception, "ROWS_AT_ONCE", 2)
    three = extractor(IMAGES[[1, 0, 1]])
    np.testing.assert_allclose(three.features, outputs.features[[1, 0, 1]], atol=1e-5)
    np.testing.assert_allclose(three.probabilities, outputs.probabilities[[1, 0, 1]], rtol=1e-4)


def test_grey_stands_for_three_equal_channels(extractor):
    grey = IMAGES[:1, ..., :1]
    np.testing.assert_allclose(extractor(grey).features, extractor(grey.repeat(3, axis=3)).features, atol=1e-5)


def test_images_are_rounded_to_the_levels_of_a_file(tiny):
    extractor = InceptionFeatures(tiny)
    levels = np.array([-0.0005, 0.4 / 255, 0.6 / 255, 254.4 / 255, 1.0005], np.float32)
    assert extractor(levels.reshape(5, 1, 1, 1)).features[:, 0].tolist() == [0, 0, 1, 254, 255]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 8, 8)), re.escape("shape [n, height, width, 1 or 3]. Received: [1, 8, 8]")),
        (np.zeros((1, 8, 8, 4)), re.escape("Received: [1, 8, 8, 4]")),
        (np.full((1, 8, 8, 3), 2.0), re.escape("`images` should lie in [0, 1]. Received: values in [2.0, 2.0]")),
        (np.full((1, 8, 8, 3), np.nan), "`images` should be finite"),
        (np.zeros((0, 8, 8, 3)), "`images` should hold real numbers"),
    ],
)
def test_images_of_another_shape_or_range_are_refused(tiny, images, message):
    with pytest.raises(InputError, match=message):
        InceptionFeatures(tiny)(images)


def test_published_weights_alone_give_published_names(served, tiny):
    extractor = InceptionFeatures(tiny)
    assert extractor.name == "inception-2015-12-05"
    assert extractor.sha256 == sha256(tiny)
    assert extractor.dimensions == 2048
    names = {"inception_score": "Inception Score", "frechet_distance": "FID", "kernel_distance": "KID"}
    assert extractor.score_names == names
    biased = InceptionFeatures(tiny, bias=True)
    assert biased.name == "inception-2015-12-05+bias"
    assert biased.score_names == names | {"inception_score": "Inception Score (bias added)"}


@pytest.mark.parametrize("bias", [False, True])
def test_other_weights_are_named_by_their_hash(tiny, bias):
    extractor = InceptionFeatures(tiny, bias)
    assert extractor.name == f"inception (sha256 {sha256(tiny)[:12]}…)" + "+bias" * bias
    assert extractor.score_names.keys() == {"inception_score", "frechet_distance", "kernel_distance"}
    assert not re.search("FID|KID|Inception Score", " ".join(extractor.score_names.values()))


def archive(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, contents in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(contents)
            tar.addfile(entry, io.BytesIO(contents))
    return path


def test_the_archive_is_read_as_the_graph_in_it(tiny, tmp_path):
    path = archive(tmp_path / "a.tgz", {"LICENSE": b"Apache", "classify_image_graph_def.pb": tiny.read_bytes()})
    assert InceptionFeatures(path).sha256 == sha256(tiny)


def without(name):
    graph = tiny_graph()
    graph.node.remove(next(node for node in graph.node if node.name == name))
    return graph.SerializeToString()


def with_op(op):
    graph = tiny_graph()
    graph.node.add(name="more", op=op)
    return graph.SerializeToString()


def with_constants(**values):
    graph = tiny_graph()
    for node in graph.node:
        if (value := values.get(node.name.replace("/", "_"))) is not None:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return graph.SerializeToString()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"no graph", "expected the GraphDef classify_image_graph_def.pb"),
        (b"", "no node ExpandDims, ResizeBilinear, pool_3, softmax/biases, softmax/weights$"),
        (without("softmax/biases"), "not the Inception graph of 2015: no node softmax/biases$"),
        (without("Tile"), "not the Inception graph of 2015: .*Tile"),
        (with_constants(ResizeBilinear_size=[2, 2], Slice_size=[-1, 2, 2, 2048]), "2015: .*squeeze"),
        (with_constants(Slice_size=[-1, 1, 1, 2047]), "2015: .*2047"),
        (with_constants(softmax_weights=WEIGHTS[:, :1000]), "2015: .*1000"),
        (with_op("ReadFile"), "refused, since the graph holds ops .*: ReadFile$"),
        (with_op("NoSuchOp"), "refused, since the graph holds ops .*: NoSuchOp$"),
    ],
    ids=[
        "not a graph",
        "empty",
        "a node too few",
        "an input too few",
        "unpooled",
        "2047",
        "1000",
        "ReadFile",
        "unknown op",
    ],
)
def test_a_file_that_is_not_the_graph_is_refused(tmp_path, contents, message):
    path = tmp_path / "given.pb"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=message) as error:
        InceptionFeatures(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere: cannot be read: No such file"):
        InceptionFeatures(tmp_path / "nowhere")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        InceptionFeatures(tmp_path)
    path = archive(tmp_path / "short.tgz", {"classify_image_graph_def.pb": np.random.RandomState(0).bytes(100_000)})
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(InputError, match=r"short\.tgz: cannot be read: "):
        InceptionFeatures(path)
    path = archive(tmp_path / "other.tgz", {"another.pb": b""})
    with pytest.raises(InputError, match=r"other\.tgz: expected an archive with classify_image_graph_def\.pb in it"):
        InceptionFeatures(path)


def test_the_published_graph_is_downloaded_once(served, tiny):
    assert InceptionFeatures().name == "inception-2015-12-05"
    assert [path.name for path in served.parent.iterdir()] == [served.name]
    tiny.unlink()
    assert InceptionFeatures().sha256 == sha256(served)


def test_a_download_of_anything_else_is_refused_and_not_kept(served, tiny):
    tiny.write_bytes(with_op("NoOp"))
    with pytest.raises(InputError, match=r"tiny.pb: expected sha256 .*, received .*: not kept. .*--inception PATH"):
        InceptionFeatures()
    assert not served.parent.exists()


def test_a_download_that_fails_names_the_address_and_the_flag(served, tiny):
    tiny.unlink()
    with pytest.raises(InputError, match=rf"^{tiny.as_uri()} cannot be downloaded: .*--inception PATH"):
        InceptionFeatures()
    assert not served.parent.exists()


def test_a_download_that_breaks_off_is_not_kept(served, monkeypatch):
    class Response(io.BytesIO):
        def read(self):
            raise http.client.IncompleteRead(b"half", 4)

    monkeypatch.setattr(inception, "urlopen", lambda *_, **__: Response())
    with pytest.raises(InputError, match=r"cannot be downloaded: IncompleteRead\(4 bytes read, 4 more expected\)"):
        InceptionFeatures()
    assert not served.parent.exists()


def test_nothing_stands_in_for_the_path_that_was_given(served, tmp_path):
    InceptionFeatures()
    with pytest.raises(InputError, match="nowhere: cannot be read"):
        InceptionFeatures(tmp_path / "nowhere")


def test_a_cached_graph_that_is_damaged_is_refused_and_deleted(served):
    InceptionFeatures()
    served.write_bytes(served.read_bytes()[:-1])
    with pytest.raises(InputError, match=f"^{served}: damaged, and deleted"):
        InceptionFeatures()
    assert not served.exists()
    assert InceptionFeatures().name == "inception-2015-12-05"


def test_a_cache_that_cannot_be_written_is_an_input_error(served, tiny, monkeypatch):
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tiny))
    with pytest.raises(InputError, match="Cannot write"):
        InceptionFeatures()
