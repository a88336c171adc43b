"""DCGAN on CIFAR-10 by the two time-scale update rule: each player has a learning rate of its own.

Paper      Heusel et al. 2017, https://arxiv.org/abs/1706.08500
Published  Fréchet Inception distance 36.9 of 50,000 samples, after 75,000 updates; with one rate for both players,
           0.0001, 37.7 after 100,000
Ours       Fréchet classifier distance 5.857, classifier score 3.82, precision 0.762, recall 0.160, density 0.802,
           coverage 0.438 (10,000 samples, rounded to 8 bits)
Command    zoo train dcgan_ttur_cifar10 --filters 32 --ema_decay 0.999 --steps 20000 --checkpoint_every 1000
           --precision mixed_bfloat16
Time       3,450 s on 1 core of AMD EPYC

The authors' code is https://github.com/bioinf-jku/TTUR. Networks, latents, batch and momentum are those of its
`DCGAN_FID_batched/model.py` and `run.sh`, and so are the 500 epochs of 781 updates, during which the code measures the
distance every 5,000 updates. Its networks have four layers of stride 2 for 32x32 pixels, too, so that the smallest map
is 2x2x512. The scores, the numbers of updates and the rates are those of the authors' poster, in the same repository.
The model is trained on all 50,000 training images.

The defaults are those of the code. The model that ships is smaller: it has half the filters, averages the generator's
weights and made 20,000 updates of each player.

Differences from the code, in addition to those listed in zoo/models/dcgan.py:
1. The generator's update has its own latents; the code uses the same latents for both updates of a step.
2. Layers before batch normalisation have no biases, which it would cancel, and the discriminator's initial weights are
   normally distributed, not cut off at two standard deviations.
"""

from zoo import DCGAN, networks, optimizers, recipe

STAGES = 4  # strided layers of each network


def main(
    run,
    *,
    data="cifar10",
    steps=390_500,
    batch_size=64,
    checkpoint_every=781,
    latent_size=100,
    filters=64,
    generator_rate=5e-4,
    discriminator_rate=1e-4,
    momentum=0.5,
    ema_decay: float | None = None,  # the code does not average the generator's weights
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = DCGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed, stages=STAGES),
            discriminator=networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1, stages=STAGES),
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(generator_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(discriminator_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train_and_validation)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
