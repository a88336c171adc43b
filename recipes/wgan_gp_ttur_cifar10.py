"""WGAN-GP on CIFAR-10 by the two time-scale update rule: a rate of its own a player, one critic update a step.

Paper      Heusel et al. 2017, https://arxiv.org/abs/1706.08500; networks of Gulrajani et al. 2017
Published  Fréchet Inception distance 24.8; with five critic updates and one rate 29.3
Ours       not scored yet
Command    zoo train wgan_gp_ttur_cifar10
Time       not measured yet

The networks that the paper took for these data were not found: here the residual ones of WGAN-GP. The rates are those
given with its scores for these data; a script of the authors' for 64x64 images has those of the players exchanged.
"""

from zoo import WGANGP, networks, optimizers, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=100_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=128,
    generator_rate=1e-4,
    discriminator_rate=3e-4,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = WGANGP(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.residual_generator(dataset.data_shape, latent_size, seed=seed),
            discriminator=networks.residual_critic(dataset.data_shape, seed=seed + 1),
            discriminator_updates=1,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(generator_rate, beta_1=0.0, beta_2=0.9),
            discriminator_optimizer=optimizers.adam(discriminator_rate, beta_1=0.0, beta_2=0.9),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
