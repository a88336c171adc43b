"""GAN on 25 Gaussians on a grid, with the decoder and the discriminator of ALI's experiment: what ali_grid compares to.

Paper      Dumoulin et al. 2016, https://arxiv.org/abs/1606.00704, whose GAN is that of Goodfellow et al. 2014
Published  10.4 +/- 9.2 modes of 25 for GAN (1 to 22), 13.4 +/- 5.8 for ALI (8 to 25), each over 10 runs with random
           rates, momenta and first weights; a mode counts that is the nearest to any of 10,000 samples
Ours       not scored yet
Command    for seed in 0 1 2 3 4; do zoo train gan_grid --seed $seed --workdir runs/gan_grid-$seed; done
Time       not measured yet
"""

import keras

from zoo import GAN, metrics, networks, recipe
from zoo.data import mixtures

LATENT_SIZE = 2
RATE = 1e-4
MOMENTUM = 0.8
SAMPLES = 10_000


def adam():
    return keras.optimizers.Adam(RATE, beta_1=MOMENTUM, epsilon=1e-8)


def main(run):
    data, seed = run.data(), run.flags.seed
    mixture = mixtures.named(data.name)
    with run.strategy.scope():
        model = GAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=networks.normalized_mlp(LATENT_SIZE, *data.data_shape, 400, 4, seed, "generator"),
            discriminator=networks.maxout_mlp(*data.data_shape, seed + 1),
            seed=seed,
        )
        model.compile(adam(), adam(), **run.compile_settings)
    run.fit(model, data.train)
    centers, samples = mixtures.centers(mixture), model.sample(SAMPLES)
    reached = len(set(metrics.nearest_neighbours(samples, centers)[1].ravel()))
    covered = metrics.mode_coverage(samples, centers, mixtures.sigma(mixture))
    print(
        f"seed {seed}: {reached} of {len(centers)} modes are nearest to any of {SAMPLES} samples "
        f"(published: GAN 10.4 +/- 9.2, ALI 13.4 +/- 5.8 of 25); within 3 sigma: {covered['modes']} modes, "
        f"{covered['high_quality']:.1%} of the samples"
    )
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="grid", steps=200_000, batch_size=100, checkpoint_every=1000)
