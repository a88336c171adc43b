"""Restores a trainable model from an artefact or a workdir, and copies one model's weights to another."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import zoo
from zoo.artefacts.catalogue import find
from zoo.artefacts.precision import in_float32
from zoo.errors import InputError, first_line, unknown
from zoo.files import expanded

if TYPE_CHECKING:
    from zoo.training import TrainableModel

# In a workdir: what `zoo.artefacts.export.blueprint` returned for its model, and "facts" of the run for a card.
BLUEPRINT = "model.json"
VARIABLE = "state/{}/.ATTRIBUTES/VARIABLE_VALUE"  # the name of a SavedModel's variable; see `zoo.artefacts.export`
MOST_NAMED = 5  # how many weights that do not fit a message names at most
LATEST, BEST = "latest", "best"


def restore(name_or_path: str | Path, checkpoint: str | int = LATEST) -> TrainableModel:
    """The Keras model of an artefact or of a workdir: all networks with their weights, compiled, ready for training.

    An artefact holds no optimiser state: optimisers start afresh, with the settings of the original training. If the
    model keeps a running average of a network, the artefact holds only the average, and the network starts from it.
    Weights that an artefact stores in bfloat16 come back in float32. A workdir's checkpoint holds everything. However
    many steps an execution had, it has one now, so that `fit` takes any number of steps.

    Args:
        name_or_path: a name of the catalogue; or the path of an artefact, of one of its versions, or of a workdir.
        checkpoint: for a workdir: "latest", "best" (of `--score_every`), or the step of a checkpoint that still exists.

    Returns:
        The model; `sample` gives what the artefact's SavedModel gives, to 1e-5, or to 2e-2 if that is in bfloat16.

    Raises:
        InputError: the name is unknown, the artefact's card does not say how to build its model, the checkpoint does
            not exist, the class of a network is not imported, or weights have other shapes.
        TrainingError: the checkpoint cannot be read.

    Example:
        model = zoo.restore("dcgan-fashion_mnist")
        model.fit(zoo.data.load("mnist").train.stream(batch_size=64), steps_per_epoch=100)
    """
    workdir = expanded(name_or_path)
    if os.path.isfile(workdir / BLUEPRINT):
        return _of_workdir(workdir, checkpoint)
    if checkpoint != LATEST:
        raise InputError(f"{name_or_path}: an artefact holds one state of its model. Received: {checkpoint=}")
    version, card = find(name_or_path)
    if not card.get("configuration"):
        raise InputError(f"{version}: its card does not say how to make the model again, so it can only be sampled.")
    model = _made({**card, "configuration": in_float32(card["configuration"])}, version)
    _read_weights(model, version)
    return model


def _of_workdir(workdir: Path, checkpoint: str | int) -> TrainableModel:
    from zoo.callbacks import Checkpoint

    try:
        blueprint = json.loads((workdir / BLUEPRINT).read_text(encoding="utf-8"))
        if not {"model", "configuration", "compiled"} <= blueprint.keys():
            raise ValueError(f"only {', '.join(blueprint) or 'nothing'}")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{workdir / BLUEPRINT}: expected what a run wrote there. Received: {first_line(error)}"
        ) from error
    model = _made(blueprint, workdir)
    folder = workdir / ("best" if checkpoint == BEST else "checkpoints")
    step = None if checkpoint in (LATEST, BEST) else checkpoint
    if not Checkpoint(folder).restore(model, step):
        raise InputError(f"{folder}: no checkpoint is there. Received: {checkpoint=}")
    return model


def _made(blueprint: dict, source: Path) -> TrainableModel:
    """A compiled model whose weights are still to be set."""
    if blueprint["model"] not in zoo.MODELS:
        raise unknown("model class", blueprint["model"], zoo.MODELS)
    try:
        model = getattr(zoo, blueprint["model"]).from_config(blueprint["configuration"])
        if blueprint["compiled"]:
            model.compile_from_config({**blueprint["compiled"], "steps_per_execution": 1})
        else:
            model.compile()
    except (TypeError, ValueError, KeyError, ImportError) as error:
        raise InputError(
            f"{source}: its model cannot be made again: {first_line(error)} "
            "If a network or an optimiser is of a class of your own, import that class's module first."
        ) from error
    if names := blueprint.get("class_names"):
        model.class_names = names
    return model


def _read_weights(model: TrainableModel, version: Path) -> None:
    import tensorflow as tf

    from zoo.artefacts.export import kept_weights

    weights = kept_weights(model)
    try:
        reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
        shapes = reader.get_variable_to_shape_map()
        if any(shapes.get(VARIABLE.format(place)) != list(weight.shape) for place, weight in enumerate(weights)):
            raise InputError(f"{version}: holds weights of other shapes than its card's model has.")
        for place, weight in enumerate(weights):
            weight.assign(reader.get_tensor(VARIABLE.format(place)))
    except tf.errors.OpError as error:
        raise InputError(f"{version}: its weights cannot be read: {first_line(error)}") from error
    for average, network, _ in model.averages:
        network.set_weights(average.get_weights())


def initialize(model: TrainableModel, source: TrainableModel, partial: bool = False) -> list[str]:
    """Sets the weights of a model's players to those of another model's players of the same names.

    Args:
        model: the model whose weights are set; each running average gets the weights of the source's average if the
            source has equally many averages, otherwise those of its own network.
        source: the model whose weights are copied.
        partial: whether to leave weights that do not fit as they are, instead of raising an error.

    Returns:
        What did not fit, one line per weight.

    Raises:
        InputError: something does not fit and `partial` is not set, or nothing fits; then nothing has been changed.
    """
    pairs, misfits = [], []
    for player in model.players:
        if player not in source.players:
            misfits.append(f"{player}: {type(source).__name__} has none")
            continue
        _match(player, model.networks_of(player), source.networks_of(player), pairs, misfits)
    if not pairs or (misfits and not partial):
        others = f"; and {len(misfits) - MOST_NAMED} more" if len(misfits) > MOST_NAMED else ""
        hint = "--init_partial would leave these as they are." if pairs else "Nothing fits."
        raise InputError(
            f"The weights of {type(source).__name__} do not fit {type(model).__name__}: "
            f"{'; '.join(misfits[:MOST_NAMED])}{others}. {hint}"
        )
    averages = []
    if len(model.averages) == len(source.averages):
        _match("average", *([average for average, _, _ in one.averages] for one in (model, source)), averages, misfits)
    for weight, other in pairs:
        weight.assign(other)
    model.restart_averages()
    for weight, other in averages:
        weight.assign(other)
    return misfits


def _match(role: str, networks: list, others: list, pairs: list, misfits: list) -> None:
    """Adds weights of the same place and shape to `pairs`, and a line for each weight without a match to `misfits`."""
    missing = object()
    weights = [weight for network in networks for weight in network.weights]
    found = [weight for network in others for weight in network.weights]
    for number, (weight, other) in enumerate(itertools.zip_longest(weights, found, fillvalue=missing)):
        if weight is missing or other is missing:
            misfits.append(f"{role}: {len(weights)} weights against {len(found)}")
            return
        if tuple(weight.shape) == tuple(other.shape):
            pairs.append((weight, other))
        else:
            misfits.append(f"{role}, weight {number} ({weight.path}): {list(weight.shape)} against {list(other.shape)}")
