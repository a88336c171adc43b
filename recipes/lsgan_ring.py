"""LSGAN on a ring of eight Gaussians: the stability test of the paper, whose figure shows which modes are covered.

Paper      Mao et al. 2017, https://arxiv.org/abs/1611.04076
Published  no number; settings of `stability_comparison/mixture_gaussian/ls.py`, https://github.com/xudonmao/LSGAN
Ours       not scored yet
Command    zoo train lsgan_ring
Time       not measured yet

The code's ring is this one at half the size. Its latents are normal, its first weights larger (a gain of 1.4 for our
0.8), and both players move at once.
"""

import keras

from zoo import LSGAN, metrics, networks, recipe
from zoo.data import mixtures

LATENT_SIZE = 256
SAMPLES = 10_000


def main(run):
    data, seed = run.data(), run.flags.seed
    mixture = mixtures.named(data.name)
    size = data.data_shape[0]
    with run.strategy.scope():
        model = LSGAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=networks.mlp(LATENT_SIZE, size, activation="tanh", seed=seed, name="generator"),
            discriminator=networks.mlp(size, 1, activation="tanh", seed=seed + 1, name="discriminator"),
            seed=seed,
        )
        model.compile(
            generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-8),
            discriminator_optimizer=keras.optimizers.Adam(1e-4, beta_1=0.5, epsilon=1e-8),
            **run.compile_settings,
        )
    run.fit(model, data.train)
    covered = metrics.mode_coverage(model.sample(SAMPLES), mixtures.centers(mixture), mixtures.sigma(mixture))
    print(f"{covered['modes']} modes within 3 sigma, which holds {covered['high_quality']:.1%} of {SAMPLES} samples")
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="ring", steps=35_000, batch_size=512, checkpoint_every=1000)
