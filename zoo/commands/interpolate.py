"""`zoo interpolate NAME --seeds 3,7,12`: the samples on the way from seed to seed, as a picture or an animation."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from zoo import console
from zoo.artefacts.catalogue import load
from zoo.artefacts.walks import walk
from zoo.commands.arguments import add_model
from zoo.commands.sample import MOST_TILES, check_output, parse_labels, parse_seeds, require_at_most
from zoo.errors import InputError
from zoo.images import grid, picture, write_gif, write_png

HELP = "draw the samples on the way from one seed's latent vector to another's"
EXAMPLE = "zoo interpolate dcgan-fashion_mnist --seeds 3,7,12 --steps 8 --out walk.gif"


def add_flags(command: argparse.ArgumentParser) -> None:
    add_model(command)
    command.add_argument("--seeds", required=True, help="two or more, such as 3,7,12; the way leads through all")
    command.add_argument(
        "--steps", type=int, default=8, help="samples from one seed to the next (default: %(default)s)"
    )
    command.add_argument("--label", help="class of all samples, by name or number, if the model samples by class")
    command.add_argument(
        "--truncation",
        type=float,
        default=1.0,
        help="pull every latent vector to this share of its distance from the prior's centre: below 1, samples vary "
        "less and mostly look better (default: 1)",
    )
    command.add_argument(
        "--out",
        default="walk.png",
        help=".png with one row from each seed to the next, or, for images, .gif (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    ending = Path(arguments.out).suffix
    if ending not in (".png", ".gif"):
        raise InputError(f"{arguments.out}: should end in .png or .gif.")
    check_output(arguments.out, ending)
    seeds = parse_seeds(arguments.seeds)
    if len(seeds) < 2:
        raise InputError(f"A way needs two seeds or more. Received: {arguments.seeds}")
    if not 0 <= arguments.truncation <= 1:
        raise InputError(f"--truncation should lie in [0, 1]. Received: {arguments.truncation}")
    require_at_most(arguments.steps * (len(seeds) - 1), MOST_TILES)
    console.import_tensorflow()
    model = load(arguments.model)
    label = parse_labels(arguments.label, model.class_names)
    ways = walk(model, seeds, arguments.steps, arguments.truncation)
    samples = np.stack([model.decode(way, label) for way in ways])
    if ending == ".png":
        write_png(arguments.out, picture(samples.reshape(-1, *samples.shape[2:]), columns=arguments.steps))
    else:
        frames = [samples[0, 0], *samples[:, 1:].reshape(-1, *samples.shape[2:])]
        write_gif(arguments.out, [grid(frame[None]) for frame in frames])
    print(f"{arguments.out}: {len(ways)} ways of {arguments.steps} samples")
