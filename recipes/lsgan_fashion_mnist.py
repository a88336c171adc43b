"""LSGAN on Fashion-MNIST with DCGAN's networks and optimisers.

An experiment of the zoo's: one of the ten objectives that README.md compares on one backbone and one budget.

Paper      Mao et al. 2017, https://arxiv.org/abs/1611.04076; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 5.996, classifier score 3.66, precision .634, recall .134 (10,000 samples)
Command    zoo train lsgan_fashion_mnist --precision=mixed_bfloat16
Time       352 s on one core of an AMD EPYC, whose other had other work
"""

import keras

from zoo import LSGAN, networks, recipe

LATENT_SIZE = 100
FILTERS = 64  # this and the optimisers are those of dcgan_fashion_mnist; the paper's rate is five times as high


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)


def main(run):
    data, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = LSGAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=networks.dcgan_generator(data.data_shape, LATENT_SIZE, FILTERS, seed),
            discriminator=networks.dcgan_discriminator(data.data_shape, FILTERS, seed + 1),
            seed=seed,
        )
        model.compile(adam(), adam(), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
