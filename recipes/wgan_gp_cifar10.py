"""WGAN-GP on CIFAR-10, without labels, with the residual networks and the settings of the paper.

Paper      Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028
Published  Inception Score 7.86 +/- 0.07
Ours       not scored yet
Command    zoo train wgan_gp_cifar10
Time       not measured yet; meant for a GPU

Differences: the generator's batch has the critic's 64 rows, the authors' has 128; and data are not dequantised, where
the code adds uniform noise of one grey level.
"""

import keras

from zoo import WGANGP, networks, recipe

LATENT_SIZE = 128
RATE = 2e-4


def adam(updates):
    """Adam whose rate falls linearly to 0 over so many updates."""
    rate = keras.optimizers.schedules.PolynomialDecay(RATE, updates, 0.0)
    return keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9, epsilon=1e-8)


def main(run):
    data, seed, steps = run.data(), run.flags.seed, run.flags.steps
    with run.strategy.scope():
        model = WGANGP(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=networks.residual_generator(data.data_shape, LATENT_SIZE, seed=seed),
            discriminator=networks.residual_critic(data.data_shape, seed=seed + 1),
            seed=seed,
        )
        model.compile(adam(steps), adam(steps * model.discriminator_updates), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="cifar10", steps=100_000, batch_size=64, checkpoint_every=1000)
