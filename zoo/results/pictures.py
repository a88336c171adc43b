"""The pictures of README and of the gallery, drawn from the models that ship: a strip of samples of each, and walks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo import images
from zoo.artefacts.card import CARD, read_card
from zoo.artefacts.catalogue import load
from zoo.artefacts.walks import walk

STRIPS = Path("docs", "strips.png")
WALKS = Path("docs", "walks")  # of each model NAME.png
SEEDS = range(8)  # of each strip, without selection; a walk leads from the first to the second, and so on
WAYS = 3  # rows of a walk's picture; if the model samples by class, the first shows class 0, the second class 1, ...
STRIPS_ABREAST = 3


def draw(root: Path) -> Iterator[Path]:
    """Draws the pictures anew and yields the path of each.

    Args:
        root: a checkout of the zoo.

    Raises:
        InputError: a model cannot be loaded, or a picture cannot be written.
    """
    samples = {}
    for path in sorted((root / "pretrained").glob(f"*/{CARD}")):
        name, card = path.parent.name, read_card(path)
        if len(card["data_shape"]) != 3 or "sample" not in card["signatures"]:  # points, or a classifier
            continue
        model = load(path.parent)
        samples[name] = model.sample(SEEDS)
        if isinstance(card["prior"], dict):  # one latent vector, not one for each level, or an image
            ways = walk(model, np.array(SEEDS[: WAYS + 1]), len(SEEDS))
            labels = range(WAYS) if card["conditional"] else [None] * WAYS
            tiles = [model.decode(way, label) for way, label in zip(ways, labels, strict=True)]
            path = root / WALKS / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            images.write_png(path, images.grid(np.concatenate(tiles), columns=len(SEEDS)))
            yield path
    images.write_png(root / STRIPS, images.strips(samples, STRIPS_ABREAST))
    yield root / STRIPS
