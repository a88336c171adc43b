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

from zoo import DCGAN, optimizers, recipe


def main(
    run,
    *,
    data="cifar10",
    steps=100_000,
    batch_size=64,
    checkpoint_every=1000,
    filters=64,
    generator_rate=5e-4,
    discriminator_rate=1e-4,
    momentum=0.5,
):
    dataset = run.data()
    with run.strategy.scope():
        model = DCGAN(dataset.data_shape, filters=filters, seed=run.flags.seed)
        model.compile(
            generator_optimizer=optimizers.adam(generator_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(discriminator_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
