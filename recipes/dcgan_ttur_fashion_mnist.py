"""DCGAN on Fashion-MNIST by the two time-scale update rule: a rate of its own for each player.

An experiment of the zoo's: one of the ten objectives that README.md compares on one backbone and one budget.

The rates are those of `dcgan_ttur_cifar10`.

Paper      Heusel et al. 2017, https://arxiv.org/abs/1706.08500; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 4.209, classifier score 4.49, precision .675, recall .273 (10,000 samples)
Command    zoo train dcgan_ttur_fashion_mnist --precision=mixed_bfloat16
Time       498 s on one core of an AMD EPYC, whose other had other work
"""

import keras

from zoo import DCGAN, recipe

FILTERS = 64  # as in dcgan_fashion_mnist
GENERATOR_RATE = 5e-4
DISCRIMINATOR_RATE = 1e-4
MOMENTUM = 0.5


def adam(rate):
    return keras.optimizers.Adam(rate, beta_1=MOMENTUM, epsilon=1e-8)


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = DCGAN(data.data_shape, filters=FILTERS, seed=run.flags.seed)
        model.compile(adam(GENERATOR_RATE), adam(DISCRIMINATOR_RATE), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=3000, batch_size=64, checkpoint_every=300)
