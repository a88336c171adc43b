"""`zoo show NAME`: a model's card and its signatures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo import console
from zoo.artefacts.catalogue import find
from zoo.artefacts.safety import read_graph
from zoo.commands.flags import add_model
from zoo.commands.tables import measurement, print_table

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

HELP = "show a model's card and its signatures"
EXAMPLE = "zoo show dcgan-fashion_mnist"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)


def run(arguments: argparse.Namespace) -> None:
    version, card = find(arguments.model)
    console.import_tensorflow()
    signatures = [
        (name, tensors(signature.inputs), tensors(signature.outputs))
        for name, signature in sorted(read_graph(version).signature_def.items())
        if not name.startswith("__")  # the loader's own, such as __saved_model_init_op
    ]
    facts = {"path": version, **card}
    for lengthy in ("configuration", "compiled"):  # they are for `zoo.restore` to read
        facts.pop(lengthy, None)
    if card:
        facts["files"] = f"{len(card['files'])}, as hashed in the card"
        facts["scores"] = "; ".join(map(told, card["scores"])) or "-"
    print_table([(field, plain(value)) for field, value in facts.items()])
    print()
    print_table([("SIGNATURE", "INPUTS", "OUTPUTS"), *signatures])


def tensors(infos: Mapping[str, TensorInfo]) -> str:
    """The named tensors of a signature: "label int32 [n], seed int64 [n]"."""
    import tensorflow as tf

    def shape(info: TensorInfo) -> str:
        sizes = ("n" if dimension.size < 0 else str(dimension.size) for dimension in info.tensor_shape.dim)
        return "?" if info.tensor_shape.unknown_rank else f"[{', '.join(sizes)}]"

    return ", ".join(f"{name} {tf.as_dtype(info.dtype).name} {shape(info)}" for name, info in sorted(infos.items()))


def told(score: object) -> str:
    """A score of a card in short; as it stands there if it is not as the zoo writes it."""
    try:
        return f"{score['score']} {measurement(score)}"
    except (TypeError, KeyError, ValueError):
        return plain(score)


def plain(value: object) -> str:
    """A value of a card as a reader would write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ("; " if any(isinstance(item, dict) for item in value) else ", ").join(map(plain, value)) or "-"
    return "-" if value is None else str(value)
