"""Saves what 20 training steps make of every model, to check that a change of the code leaves the results unchanged.

    python benchmarks/trajectories.py before.npz           # in the old checkout
    python benchmarks/trajectories.py after.npz before.npz  # in the new one

The script writes the weights, optimiser slots, averages and samples of each model to the first file. If a second file
is given, it prints for every model whether all of these are bit for bit the same in both, or else the largest
difference, and exits with status 1 if any model differs.
"""

import sys
from pathlib import Path

import keras
import numpy as np

import zoo
from zoo import data

STEPS, BATCH_SIZE, SAMPLES = 20, 24, 8
SMALL = {
    "AffDG": {"generator_filters": 4, "generator_blocks": 1, "denoiser_filters": 4, "denoiser_blocks": 1},
    "AffGAN": {"generator_filters": 4, "generator_blocks": 1, "discriminator_filters": 4},
    "ALI": {"filters": 4, "latent_size": 8},
    "BiGAN": {"units": 16, "latent_size": 8},
    "CGAN": {"num_classes": 10, "latent_size": 8},
    "CTGAN": {"filters": 4, "latent_size": 8},
    "DCGAN": {"filters": 4, "latent_size": 8},
    "DFM": {"filters": 4, "latent_size": 8, "denoiser_units": 16, "denoiser_depth": 2},
    "DRAGAN": {"filters": 4, "latent_size": 8},
    "EBGAN": {"generator_units": 16, "discriminator_units": 16, "pulling_away_weight": 0.1},
    "FGAN": {"generator_units": 16, "discriminator_units": 16},
    "GAN": {"latent_size": 8},
    "GAP": {"filters": 4, "latent_size": 8, "swap_every": 5},
    "ImprovedGAN": {"filters": 4, "latent_size": 8, "reference_rows": 8, "historical_weight": 1e-3},
    "LAPGAN": {"filters": 4, "units": 16},
    "CC-LAPGAN": {"filters": 4, "units": 16, "num_classes": 10},
    "LossSensitiveGAN": {"filters": 4, "latent_size": 8},
    "LSGAN": {"filters": 4, "latent_size": 8},
    "SemiSupervisedGAN": {"num_classes": 10, "generator_units": 16, "discriminator_units": (16, 16)},
    "SNGAN": {"filters": 4, "latent_size": 8},
    "UnrolledGAN": {"unrolled_steps": 2},
    "WGAN": {"filters": 4, "latent_size": 8},
    "WGANGP": {"filters": 4, "latent_size": 8},
}


def trained(name):
    """A small model after its steps on digits, as arrays by name."""
    digits = data.load("digits")
    model = getattr(zoo, name.removeprefix("CC-"))(digits.data_shape, seed=0, ema_decay=0.9, **SMALL[name])
    model.compile()
    batches = digits.train.stream(BATCH_SIZE * model.discriminator_updates)
    model.fit(batches, steps_per_epoch=STEPS, verbose=0)
    state = {"samples": model.sample(SAMPLES), "averages": model.sampler.get_weights()}
    for player in model.players:
        state[f"{player} weights"] = [weights for net in model.networks_of(player) for weights in net.get_weights()]
        state[f"{player} slots"] = [variable.numpy() for variable in model.optimizer_of(player).variables]
    return {
        f"{name}/{part}/{index}": array
        for part, arrays in state.items()
        for index, array in enumerate(arrays if isinstance(arrays, list) else [arrays])
    }


def main(after, before=None):
    state = {}
    for name in SMALL:
        keras.utils.clear_session()
        state |= trained(name)
    np.savez(Path(after), **state)
    if before is None:
        return 0
    differs = 0
    with np.load(before) as known:
        for name in SMALL:
            keys = {key for key in [*known, *state] if key.startswith(f"{name}/")}
            missing = [key for key in keys if key not in known or key not in state]
            largest = max(np.abs(state[key].astype(float) - known[key]).max() for key in keys.difference(missing))
            differs += bool(largest or missing)
            print(f"{name:<18}{f'differs by up to {largest:.1e}' if largest else 'equal'} {' '.join(missing)}")
    return min(differs, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
