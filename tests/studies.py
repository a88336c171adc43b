"""Studies of made-up pictures, small enough for a test."""

import numpy as np

from zoo.study import creation, database, protocol
from zoo.study.pictures import Kind, Picture, encoded
from zoo.study.store import Answer

SHAPE = (8, 8, 1)
SEEDS = list(range(30))

SMALL = protocol.Protocol(
    name="small",
    title="Real or generated?",
    instructions="Look.",
    consent="Agree.",
    trials=20,
    exposures_ms=(50, 200, 500),
    examples=2,
    checks=2,
)


def made_up(models=("first", "second"), seeds=SEEDS, examples=2, checks=2, shape=SHAPE):
    """A picture of noise for each seed and source, an example and a check for each that a session takes."""
    chance = np.random.default_rng(0)
    counts = {Kind.REAL: len(seeds), Kind.EXAMPLE: examples, Kind.CHECK: checks} | {
        model: len(seeds) for model in models
    }
    for source, count in counts.items():
        for seed in range(count):
            yield Picture(source, seed, -1, encoded(chance.integers(256, size=shape, dtype=np.uint8)))


def settings(chosen=SMALL, models=("first", "second")):
    return {
        "protocol": chosen.described(),
        "data": "made up",
        "image_shape": list(SHAPE),
        "models": [{"name": name, "version": "1", "files": {}} for name in models],
        "seeds": SEEDS,
    }


def new_study(url, chosen=SMALL, models=("first", "second"), **pictures):
    """A study on a database: a path or a URL."""
    return creation.create(
        database.connect(str(url), must_exist=False),
        settings(chosen, models),
        lambda: made_up(models, examples=chosen.examples, checks=chosen.checks, **pictures),
    )


def an_answer(token, taken_for_real=True):
    return Answer(token, taken_for_real, achieved_ms=50.0, frame_ms=16.7, reaction_ms=700.0)
