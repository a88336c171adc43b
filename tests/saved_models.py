"""Small SavedModels with the zoo's sampling signature, and the cards that go with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from zoo.artefacts.card import file_hashes

SAMPLING = [tf.TensorSpec([None], tf.int64, name="seed"), tf.TensorSpec([None], tf.int32, name="label")]


def uniform(seed: tf.Tensor, label: tf.Tensor, shape: tuple[int, ...] = (4, 4, 1)) -> tf.Tensor:
    """One row per seed and label, uniform in [0, 1)."""
    return tf.map_fn(
        lambda pair: tf.random.stateless_uniform(shape, pair),
        tf.stack([seed, tf.cast(label, tf.int64)], axis=1),
        fn_output_signature=tf.float32,
    )


def save(path: Path, body: Callable = uniform, **attributes: object) -> Path:
    """Saves to `path` a model whose samples are `body(seed, label)` times a variable that is 1."""
    module = tf.Module()
    module.one = tf.Variable(1.0)
    for name, value in attributes.items():
        setattr(module, name, value)
    module.sample = tf.function(
        lambda seed, label: {"samples": body(seed, label) * module.one}, input_signature=SAMPLING
    )
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.sample})
    return path


def write_card(artefact: Path, **changes: object) -> dict:
    """Writes the card of version 1 of an artefact, with some fields replaced by `changes`, and returns it."""
    card = {
        "name": artefact.name,
        "model": "DCGAN",
        "dataset": "digits",
        "version": 1,
        "command": "zoo train dcgan_digits",
        "packages": {"tensorflow": tf.__version__},
        "scores": [{"score": "classifier score", "value": 7.5, "protocol": "1,000 samples"}],
        "parameters": {"generator": 1200, "discriminator": 34},
        "data_shape": [4, 4, 1],
        "num_classes": 10,
        "files": file_hashes(artefact / "1"),
        **changes,
    }
    (artefact / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return card
