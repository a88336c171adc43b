"""Features of the network that FID, KID and Inception Score are defined by: Inception as Google froze it in 2015.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, https://arxiv.org/abs/1512.00567; the
graph is `classify_image_graph_def.pb` of
http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz. Keras and torchvision have other weights
of that name, which give different scores.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import numpy as np

from zoo.artefacts.safety import refused
from zoo.errors import InputError, first_line
from zoo.features.extractor import Features
from zoo.files import cache_dir, expanded, replacing
from zoo.metrics import checks

if TYPE_CHECKING:
    import tensorflow as tf

NAME = "inception-2015-12-05"
GRAPH = "classify_image_graph_def.pb"
# The graph without its archive, from where https://github.com/openai/guided-diffusion (evaluations/evaluator.py) takes
# it. The hash is stated for this address by
# https://github.com/xddgit/MIND/blob/962fb4479a487cbe4901cb99fc22e83dcd37050e/README.md; its 95,673,916 bytes are as
# many as the file in the archive has.
URL = f"https://openaipublic.blob.core.windows.net/diffusion/jul-2021/ref_batches/{GRAPH}"
SHA256 = "009d6814d1bc560d4e7b236e170e9b2d5ca6f4b57bd8037f6db05776204415c6"
TIMEOUT = 60  # seconds without a byte

SCORE_NAMES = {"inception_score": "Inception Score", "frechet_distance": "FID", "kernel_distance": "KID"}
UNPUBLISHED_SCORE_NAMES = {
    "inception_score": "score of unpublished Inception weights",
    "frechet_distance": "Fréchet distance of unpublished Inception weights",
    "kernel_distance": "kernel distance of unpublished Inception weights",
}

# The nodes that are fed, that are read, and that resize images of any size to 299 x 299.
NODES = ("ExpandDims", "ResizeBilinear", "pool_3", "softmax/weights", "softmax/biases")
CLASSES = 1008  # 1,000 of ImageNet, and 8 that were never trained
ROWS_AT_ONCE = 32  # bounds the memory; the features of an image do not depend on its batch


class InceptionFeatures:
    """The pool_3 features and the class probabilities of the Inception graph of 2015-12-05; an `Extractor`.

    Published Inception Scores come from code that leaves out the bias of the last layer and takes the softmax over all
    1,008 outputs, https://github.com/openai/improved-gan/blob/master/inception_score/model.py. This class does the same
    by default; the test images of CIFAR-10 then score 10.95 ± 0.43, and 11.23 ± 0.46 with the bias
    (https://github.com/openai/improved-gan/issues/39). Features, and with them FID and KID, are the same either way.

    Weights other than the published ones are accepted, but then `name` is their hash and no score has a published name.

    Args:
        path: the graph, or the archive that holds it (`--inception`); None for the published graph from
            `zoo.files.cache_dir()`, downloaded there the first time (96 MB).
        bias: whether to add the bias before the softmax.

    Attributes:
        name: "inception-2015-12-05", or "inception (sha256 0123456789ab…)" for other weights; "+bias" follows if it is
            added.
        sha256: of the graph, never of the archive.
        dimensions: 2,048.
        score_names: as `Extractor` has them.

    Raises:
        InputError: a file that is missing, damaged, not this architecture, or other weights in a graph that may reach
            files, the network or Python; a download that failed or is not the published graph.
    """

    dimensions = 2048

    def __init__(self, path: str | os.PathLike | None = None, bias: bool = False):
        contents = _published() if path is None else _read(expanded(path))
        self.sha256 = hashlib.sha256(contents).hexdigest()
        published = self.sha256 == SHA256
        self.name = NAME if published else f"inception (sha256 {self.sha256:.12}…)"
        self.score_names = dict(SCORE_NAMES if published else UNPUBLISHED_SCORE_NAMES)
        if bias:
            self.name += "+bias"
            self.score_names["inception_score"] += " (bias added)"
        source = URL if path is None else path
        self._session, self._images, self._outputs = _network(source, _parsed(source, contents, published), bias)

    def __call__(self, images: np.ndarray) -> Features:
        """Features `[n, 2048]` and probabilities `[n, 1008]`.

        The images are rounded to the 256 levels of a file, as published scores read them, and resized to 299 x 299 by
        the graph's own bilinear interpolation, which does not filter what it makes smaller.

        Args:
            images: float32 `[n, height, width, channels]` in [0, 1]; one channel of grey stands for three equal ones.

        Raises:
            InputError: another shape or range.
        """
        images = checks.in_unit_interval("images", images)
        if images.ndim != 4 or images.shape[-1] not in (1, 3):
            raise InputError(f"`images` should have shape [n, height, width, 1 or 3]. Received: {list(images.shape)}")
        features = np.empty((len(images), self.dimensions), np.float32)
        probabilities = np.empty((len(images), CLASSES), np.float32)
        for start in range(0, len(images), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            levels = np.rint(np.clip(images[rows], 0, 1) * 255)
            pixels = np.broadcast_to(levels, (*levels.shape[:-1], 3))
            features[rows], probabilities[rows] = self._session.run(self._outputs, {self._images: pixels})
        return Features(features, probabilities)


def _published() -> bytes:
    """The published graph from the cache, after a download if it is not there."""
    cached = cache_dir() / f"{NAME}.pb"
    if cached.is_file():
        contents = _read(cached)
        if hashlib.sha256(contents).hexdigest() != SHA256:
            cached.unlink()
            raise InputError(f"{cached}: damaged, and deleted: the next run downloads it anew")
        return contents
    instead = f"Give a copy of {GRAPH}, or of {NAME}.tgz, with --inception PATH"
    try:
        with urlopen(URL, timeout=TIMEOUT) as response:
            contents = response.read()
    except (OSError, HTTPException) as error:
        raise InputError(f"{URL} cannot be downloaded: {error}. {instead}") from error
    if (found := hashlib.sha256(contents).hexdigest()) != SHA256:
        raise InputError(f"{URL}: expected sha256 {SHA256:.12}…, received {found:.12}…: not kept. {instead}")
    with replacing(cached) as temporary:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(contents)
    return contents


def _read(path: Path) -> bytes:
    """The contents of a graph, or of the graph in an archive."""
    try:
        if not tarfile.is_tarfile(path):
            return path.read_bytes()
        with tarfile.open(path) as archive:
            for member in archive:
                if Path(member.name).name == GRAPH and member.isfile():
                    return archive.extractfile(member).read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    raise InputError(f"{path}: expected an archive with {GRAPH} in it. Received: one without")


def _parsed(source: str | os.PathLike, contents: bytes, published: bool) -> tf.compat.v1.GraphDef:
    """The graph that the bytes hold, unless it lacks `NODES`, or is not the published one and may do harm."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

    try:
        graph = tf.compat.v1.GraphDef.FromString(contents)
    except DecodeError as error:
        raise InputError(f"{source}: expected the GraphDef {GRAPH}, or {NAME}.tgz, which holds it") from error
    if missing := set(NODES) - {node.name for node in graph.node}:
        raise InputError(f"{source}: not the Inception graph of 2015: no node {', '.join(sorted(missing))}")
    if not published and (ops := refused(MetaGraphDef(graph_def=graph))):
        raise InputError(
            f"{source}: refused, since the graph holds ops that may reach files, the network or Python: "
            f"{', '.join(ops)}"
        )
    return graph


def _network(
    source: str | os.PathLike, graph_def: tf.compat.v1.GraphDef, bias: bool
) -> tuple[tf.compat.v1.Session, tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
    """A session, the placeholder for pixels `[n, height, width, 3]` from 0 to 255, and features and probabilities."""
    import tensorflow as tf

    # Not a tf.function: that would forget the version of the graph's format, which is as old as the op
    # BatchNormWithGlobalNormalization; TensorFlow refuses this op in a newer graph.
    graph = tf.Graph()
    with graph.as_default():
        images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        try:
            pooled, weights, biases = tf.graph_util.import_graph_def(
                graph_def,
                # The graph decodes one JPEG file; ExpandDims is where a batch of one image leaves the decoder.
                input_map={"ExpandDims:0": images},
                return_elements=["pool_3:0", "softmax/weights:0", "softmax/biases:0"],
                name="",
            )
            features = tf.ensure_shape(tf.squeeze(pooled, [1, 2]), [None, InceptionFeatures.dimensions])
            # Computed anew, since the graph's own last layer is made for one image.
            logits = tf.ensure_shape(features @ weights, [None, CLASSES])
            probabilities = tf.nn.softmax(logits + biases if bias else logits)
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise InputError(f"{source}: not the Inception graph of 2015: {first_line(error)}") from error
    options = tf.compat.v1.ConfigProto(allow_soft_placement=True)  # no GPU decodes JPEG
    return tf.compat.v1.Session(graph=graph, config=options), images, (features, probabilities)
