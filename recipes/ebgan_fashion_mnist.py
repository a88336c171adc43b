"""EBGAN-PT on Fashion-MNIST with DCGAN's networks and optimisers.

An experiment of the zoo's: one of the ten objectives that README.md compares on one backbone and one budget.

The encoder is DCGAN's discriminator with a code for its logit, the decoder another of its generators.

Paper      Zhao et al. 2017, https://arxiv.org/abs/1609.03126; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 2.769, classifier score 5.29, precision .744, recall .362 (10,000 samples)
Command    zoo train ebgan_fashion_mnist --precision=mixed_bfloat16
Time       686 s on one core of an AMD EPYC, whose other had other work
"""

import keras

from zoo import EBGAN, networks, recipe

LATENT_SIZE = 100
CODE_SIZE = 64
FILTERS = 64  # this and the optimisers are those of dcgan_fashion_mnist
PULLING_AWAY_WEIGHT = 0.1


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)


def main(run):
    data, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = EBGAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=networks.dcgan_generator(data.data_shape, LATENT_SIZE, FILTERS, seed),
            encoder=networks.dcgan_encoder(data.data_shape, CODE_SIZE, FILTERS, seed + 1),
            decoder=networks.dcgan_generator(data.data_shape, CODE_SIZE, FILTERS, seed + 3),
            discriminator_units=CODE_SIZE,
            pulling_away_weight=PULLING_AWAY_WEIGHT,
            seed=seed,
        )
        model.compile(adam(), adam(), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
