"""Warm-up requests for a version that was exported without them."""

from __future__ import annotations

from pathlib import Path

from zoo.artefacts.card import CARD, file_hashes
from zoo.artefacts.catalogue import load
from zoo.artefacts.safety import read_graph
from zoo.artefacts.signatures import bad_rows
from zoo.artefacts.warmup import row, served_signatures, write_warmup
from zoo.errors import InputError, first_line
from zoo.files import write_json


def add_warmup(version: Path, card: dict) -> Path:
    """Writes the warm-up file of a version, after all its requests have succeeded here, and adds it to the card.

    Args:
        version: the version's folder, as `find` returns it.
        card: the card, as `find` returns it; empty where there is none.

    Returns:
        The file's path.

    Raises:
        InputError: the version cannot be loaded, a request fails, or the files cannot be written.
    """
    import tensorflow as tf

    model = load(version)
    for name, signature in served_signatures(read_graph(version)).items():
        inputs = {key: tf.constant(values) for key, values in row(signature).items()}
        try:
            outputs = model.signatures[name](**inputs)
        except tf.errors.OpError as error:
            raise InputError(f"{version}: {name} fails with a row of zeros: {first_line(error)}") from error
        if any(len(bad_rows(values.numpy())) for values in outputs.values()):
            raise InputError(f"{version}: {name} refuses a row of zeros.")
    try:
        path = write_warmup(version, card.get("name", version.parent.name))
    except (OSError, tf.errors.OpError) as error:
        raise InputError(f"{version}: cannot be written: {first_line(error)}") from error
    if card:
        write_json(version.parent / CARD, card | {"files": file_hashes(version)})
    return path
