"""GAN on a grid of 25 Gaussians, with the decoder and discriminator of ALI's experiment, for comparison with ali_grid.

Paper      Dumoulin et al. 2016, https://arxiv.org/abs/1606.00704, whose GAN is that of Goodfellow et al. 2014
Published  10.4 +/- 9.2 modes of 25 for GAN (1 to 22), 13.4 +/- 5.8 for ALI (8 to 25), each over 10 runs with random
           rates, momenta and first weights; a mode counts if it is the nearest mode to any of 10,000 samples
Ours       not scored yet
Command    for seed in 0 1 2 3 4; do zoo train gan_grid --seed $seed --workdir runs/gan_grid-$seed; done
Time       not measured yet
"""

from zoo import GAN, metrics, networks, optimizers, recipe
from zoo.data import mixtures

SAMPLES = 10_000


def main(
    run,
    *,
    data="grid",
    steps=200_000,
    batch_size=100,
    checkpoint_every=1000,
    latent_size=2,
    learning_rate=1e-4,
    momentum=0.8,
):
    dataset, seed = run.data(), run.flags.seed
    mixture = mixtures.named(dataset.name)
    with run.strategy.scope():
        model = GAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.normalized_mlp(latent_size, *dataset.data_shape, 400, 4, seed, "generator"),
            discriminator=networks.maxout_mlp(*dataset.data_shape, seed + 1),
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    centers, samples = mixtures.centers(mixture), model.sample(SAMPLES)
    reached = len(set(metrics.nearest_neighbours(samples, centers)[1].ravel()))
    covered = metrics.mode_coverage(samples, centers, mixtures.sigma(mixture))
    print(
        f"seed {seed}: {reached} of {len(centers)} modes are nearest to any of {SAMPLES} samples "
        f"(published: GAN 10.4 +/- 9.2, ALI 13.4 +/- 5.8 of 25); within 3 sigma: {covered['modes']} modes, "
        f"{covered['high_quality']:.1%} of the samples"
    )
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
