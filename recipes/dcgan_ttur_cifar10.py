"""DCGAN on CIFAR-10 by the two time-scale update rule: a rate of its own a player, one update of each a step.

Paper      Heusel et al. 2017, https://arxiv.org/abs/1706.08500
Published  as remembered: Fréchet Inception distance 36.9 of 50,000 samples, with the best single rate 37.7
Ours       not scored yet
Command    zoo train dcgan_ttur_cifar10
Time       not measured yet

The networks' 64 filters, the 100 uniform latents, the batch and the momentum are those of `DCGAN_FID_batched/model.py`
and `run.sh` in the authors' code, https://github.com/bioinf-jku/TTUR; there both players' updates of a step share their
latents. The rates are as remembered. The number of updates was not found: here 100,000.
"""

import keras

from zoo import DCGAN, recipe

FILTERS = 64
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
    recipe.run(main, data="cifar10", steps=100_000, batch_size=64, checkpoint_every=1000)
