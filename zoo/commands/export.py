"""`zoo export SOURCE --out PATH`: a run's checkpoint as an artefact, or an artefact's generator for another runtime."""

from __future__ import annotations

import argparse
import json
import os

from zoo import console
from zoo.artefacts.card import FLOAT32, PRECISIONS
from zoo.commands.arguments import stated_path
from zoo.errors import InputError
from zoo.files import expanded, replacing

HELP = "write a run's checkpoint as a SavedModel, or a model's generator as a TensorFlow Lite or ONNX file"
EXAMPLE = "zoo export dcgan-fashion_mnist --to tflite --out generator.tflite"
SAVED_MODEL, TFLITE, ONNX = "savedmodel", "tflite", "onnx"


def add_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="SOURCE", help="a workdir, a name from `zoo list`, or a SavedModel's path")
    command.add_argument(
        "--out", required=True, type=stated_path, help="folder of the artefact, or file of the generator"
    )
    command.add_argument("--to", choices=(SAVED_MODEL, TFLITE, ONNX), default=SAVED_MODEL, help="(default: savedmodel)")
    command.add_argument(
        "--checkpoint", default="latest", help="of a workdir: latest, best or a step (default: latest)"
    )
    command.add_argument(
        "--precision",
        default=FLOAT32,
        choices=PRECISIONS,
        help="of a SavedModel: the type it computes in; bfloat16_weights is as small as bfloat16 but computes in "
        "float32 (default: float32)",
    )


def run(arguments: argparse.Namespace) -> None:
    console.import_tensorflow()
    if arguments.to == SAVED_MODEL:
        export(arguments)
    else:
        convert(arguments)


def export(arguments: argparse.Namespace) -> None:
    """Restores a model and exports it again."""
    from zoo.artefacts.catalogue import find
    from zoo.artefacts.export import FACTS
    from zoo.restoring import BLUEPRINT, restore

    checkpoint = arguments.checkpoint
    model = restore(arguments.source, int(checkpoint) if checkpoint.isdecimal() else checkpoint)
    workdir = expanded(arguments.source)
    if os.path.isfile(workdir / BLUEPRINT):
        described = json.loads((workdir / BLUEPRINT).read_text(encoding="utf-8"))  # `restore` has read it
        facts = {**described.get("facts", {}), "checkpoint": checkpoint}
    else:
        _, card = find(arguments.source)
        facts = {name: card[name] for name in ("dataset", *FACTS) if name in card}
    print(model.export(arguments.out, precision=arguments.precision, **facts))


def convert(arguments: argparse.Namespace) -> None:
    """Writes a model's generator as one file, checked against the SavedModel."""
    from zoo.artefacts import conversion
    from zoo.artefacts.catalogue import load

    if arguments.out.suffix != f".{arguments.to}":
        raise InputError(f"{arguments.out}: should end in .{arguments.to}.")
    if (arguments.checkpoint, arguments.precision) != ("latest", FLOAT32):
        raise InputError(
            "--checkpoint and --precision need --to savedmodel: export that first, then convert it. "
            f"Received: --to {arguments.to}"
        )
    contents, difference = conversion.convert(load(arguments.source), arguments.to)
    with replacing(arguments.out) as temporary:
        temporary.write_bytes(contents)
    print(
        f"{arguments.out}: {len(contents):,} bytes, from latent and label to samples; "
        f"at most {difference:.1e} away from the SavedModel over {conversion.CHECKED} seeds"
    )
