"""Writes a model as an artefact: a SavedModel version with the common signatures, its card and a picture of samples."""

from __future__ import annotations

import functools
import inspect
import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path

import keras
import tensorflow as tf

from zoo import images
from zoo.artefacts.card import CARD, FLOAT32, file_hashes, read_card
from zoo.artefacts.guard import guarded
from zoo.artefacts.precision import in_precision
from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import SAMPLE, description
from zoo.artefacts.warmup import write_warmup
from zoo.errors import InputError, TrainingError, first_line, unknown
from zoo.files import clear_temporary, expanded, json_text, require_literal, require_possible_folder, write_json
from zoo.sampling import pictured

PACKAGES = ("gan-zoo", "tensorflow", "keras", "tensorflow-probability")
SAMPLES = "samples.png"
# What a card may say beyond what the model knows: about its training, and about what the artefact does not hold.
FACTS = {
    "checkpoint": str | int,
    "command": str,
    "licence": str,
    "machine": str,
    "note": str,
    "scores": list,
    "seconds": int | float,
    "settings": dict,
    "training_precision": str,
}


def export(
    model, directory: str | os.PathLike, *, dataset: str = "not stated", precision: str = FLOAT32, **facts
) -> Path:
    """Writes `directory/<version>/`, then `samples.png` and `card.json` next to it; each completely or not at all.

    Args:
        model: a `TrainableModel`.
        directory: the artefact's folder; the version is the next free number.
        dataset: name of the data the model was trained on.
        precision: "float32", or "bfloat16" or "bfloat16_weights" for an artefact of about half the size, whose samples
            differ slightly; "bfloat16" computes in bfloat16 too, "bfloat16_weights" does not.
        **facts: further entries of the card, with the names and types in `FACTS`; must be valid as JSON.

    Returns:
        The version's folder.

    Raises:
        InputError: the directory holds the artefact of another model, TensorFlow would read its name as a pattern, or
            there is no such precision or fact. In these cases nothing is written.
        TrainingError: the files cannot be written.
    """
    _check_facts(facts)
    directory = require_literal(expanded(directory))
    require_possible_folder(directory)
    compiled = blueprint(model)["compiled"]  # read first: a copy in another precision is not compiled
    model = in_precision(model, precision)
    require_same_model(directory, model, dataset)
    finish_or_clear(directory)
    number = 1 + max((int(path.name) for path in directory.glob("*") if path.name.isdecimal()), default=0)
    version = directory / str(number)
    temporary = directory / f".{number}.{os.getpid()}"
    module, signatures = _module(model)
    samples = None
    if SAMPLE in signatures:
        seeds, labels, columns = pictured(model.sampled_classes)
        samples = model.sample(seeds, labels)
    card = {
        "name": directory.resolve().name,
        "paper": _paper(model),
        "dataset": dataset,
        "data_shape": list(model.data_shape),
        "num_classes": model.num_classes,
        "class_names": model.class_names,
        **model.sampling_facts(),
        "decision_boundary": model.decision_boundary,
        "version": number,
        "seed": model.seed,
        "steps": model.step,
        "precision": precision,
        "scores": [],
        **facts,
        **blueprint(model),
        "compiled": compiled,
        "packages": {"python": platform.python_version()} | {name: installed_version(name) for name in PACKAGES},
        "parameters": {
            player: sum(network.count_params() for network in model.networks_of(player)) for player in model.players
        },
    }
    try:
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        write_warmup(temporary, directory.resolve().name)
        hashes = {name.replace(temporary.name, version.name, 1): sha for name, sha in file_hashes(temporary).items()}
        card |= {"signatures": description(read_graph(temporary)), "files": hashes}
        write_json(directory / f".{number}.{CARD}", card)
        if samples is not None and images.drawable(samples.shape[1:]):
            images.write_png(directory / SAMPLES, images.picture(samples, columns))
        temporary.rename(version)
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(f"Cannot write the SavedModel {version}: {first_line(error)}") from error
    finally:
        finish_or_clear(directory)
    return version


def _check_facts(facts: Mapping[str, object]) -> None:
    for name, value in facts.items():
        if name not in FACTS:
            raise unknown("fact of a card", name, FACTS)
        if not isinstance(value, FACTS[name]):
            raise InputError(f"`{name}` of a card should be {FACTS[name]}. Received: {name}={value!r}")
    json_text(facts)


def finish_or_clear(directory: Path) -> None:
    """Finishes an export that was stopped midway: a complete version gets its card, an incomplete one is removed."""
    clear_temporary(directory)
    for path in list(directory.glob(".*")):
        if not (match := re.fullmatch(rf"\.(\d+)\.(\d+|{re.escape(CARD)})", path.name)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif (directory / match[1]).is_dir():
            path.replace(directory / CARD)
        else:
            path.unlink()


def require_same_model(directory: Path, model, dataset: str) -> None:
    """Raises an `InputError` if the directory's card belongs to another class of model, or to other data."""
    if not (directory / CARD).exists():
        return
    card = read_card(directory / CARD)
    if (card["model"], card["dataset"]) != (type(model).__name__, dataset):
        raise InputError(
            f"{directory} holds {card['model']} of {card['dataset']}, whose next version would be of another model. "
            f"Received: {type(model).__name__} of {dataset}"
        )


def _module(model) -> tuple[tf.Module, dict]:
    """A module whose `state` is `kept_weights`, then whatever else the graphs read; and the signatures' functions."""
    functions = model.signatures()
    classes = model.sampled_classes if SAMPLE in functions else None
    graphs = []

    @functools.cache  # two names may stand for one function
    def signature(function, specs):
        graphs.append(tf.function(function, input_signature=specs, autograph=False).get_concrete_function())
        # TensorFlow traces again what it saves: here only the guard, which calls the graph.
        return tf.function(guarded(graphs[-1], specs, classes), input_signature=specs, autograph=False)

    signatures = {name: signature(function, tuple(specs)) for name, (function, specs) in functions.items()}
    module = tf.Module()
    weights = [weight.value for weight in kept_weights(model)]
    read = [variable for graph in graphs for variable in graph.variables]
    module.state = list({id(variable): variable for variable in [*weights, *read]}.values())
    return module, signatures


def kept_weights(model) -> list:
    """The weights that an artefact holds, in the order in which `zoo.restore` finds them again.

    A running average replaces the weights of its network, which would double the size for little use.
    """
    replaced = {id(weight) for _, network, _ in model.averages for weight in network.weights}
    return [weight for weight in model.weights if id(weight) not in replaced]


def blueprint(model) -> dict:
    """What is needed to rebuild a model, as its card and its workdir store it: class, arguments and optimisers.

    Args:
        model: a `TrainableModel`.

    Returns:
        `model`, the class's name; `configuration`, from `get_config`, or `None` if Keras cannot serialise a network;
        `compiled`, from `get_compile_config`, or `None` if the model is not compiled; both as Keras serialises them.
    """
    try:
        configuration = keras.saving.serialize_keras_object(model.get_config())
    except NotImplementedError:  # a layer without a `get_config`
        configuration = None
    compiled = keras.saving.serialize_keras_object(model.get_compile_config()) if model.compiled else None
    return {"model": type(model).__name__, "configuration": configuration, "compiled": compiled}


def _paper(model) -> str:
    """The first paragraph of the docstring of the paper's file: title, authors, year, address."""
    text = inspect.cleandoc(sys.modules[type(model).__module__].__doc__ or "")
    return " ".join(text.partition("\n\n")[0].split())
