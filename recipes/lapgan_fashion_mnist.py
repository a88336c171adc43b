"""LAPGAN, or with `--conditional` CC-LAPGAN, on Fashion-MNIST, with Adam and with narrower generators than the paper's.

The pyramid goes from 7x7 to 14x14 to 28x28 pixels. The 28x28 and 14x14 networks are the paper's except for their
widths: the generators have fewer planes, and each discriminator has 64. A discriminator as narrow as its generator,
above all at 14x14, does not notice that the details vary too little. `python benchmarks/laplacian_levels.py` shows what
each level loses: from real images of 14x14 pixels the last level still makes varied ones, but the level from 7x7 to
14x14 pixels loses most of the variety, after 10,000 steps as after 2,700 steps of twice the batch.

At 7x7 the generator has batch normalisation and the discriminator has no dropout: with the paper's two networks the
discriminator falls behind, and the samples vary little. Optimiser and weight average are those of
`dcgan_fashion_mnist`; the learning rates are not.

Paper      Denton et al. 2015, https://arxiv.org/abs/1506.05751
Published  nothing on these data
Ours       cc_lapgan-fashion_mnist: Fréchet classifier distance 4.975, classifier score 5.98, precision 0.603, recall
           0.057 (10,000 samples, rounded to 8 bits). lapgan-fashion_mnist: Fréchet classifier distance 5.590,
           classifier score 4.93, precision 0.615, recall 0.082 (10,000 samples, rounded to 8 bits)
Command    zoo train lapgan_fashion_mnist --precision mixed_bfloat16
           zoo train lapgan_fashion_mnist --conditional --batch_size 128 --steps 2700 --precision mixed_bfloat16
           --workdir runs/cc_lapgan_fashion_mnist
Time       cc_lapgan-fashion_mnist: 1,690 s on 1 core of Intel(R) Xeon(R) Processor; lapgan-fashion_mnist: 3,203 s on 1
           core of Intel(R) Xeon(R) Processor
"""

from zoo import LAPGAN, images, optimizers, pyramid, recipe
from zoo.networks import laplacian

CHAINS = 10


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=500,
    conditional=False,  # whether the networks are given the class
    filters=16,  # of the generator at 28x28, twice as many at 14x14; the paper's 128 and 64 take many times as long
    discriminator_filters=64,  # at 28x28 and at 14x14
    units=512,  # at 7x7
    latent_size=100,
    ema_decay=0.999,
    generator_rate=5e-4,
    discriminator_rate=1e-3,
    momentum=0.5,
):
    dataset, seed = run.data(), run.flags.seed
    *finer, coarsest = ((*size, dataset.data_shape[2]) for size in pyramid.halved_sizes(dataset.data_shape))
    num_classes = dataset.num_classes if conditional else None
    with run.strategy.scope():
        generators, discriminators = [], []
        for k, shape in enumerate(finer):
            seeds = seed + 2 * k + 2, seed + 2 * k + 3
            generators.append(
                laplacian.residual_generator(shape, num_classes, filters << k, seeds[0], f"generator_{k}")
            )
            discriminators.append(
                laplacian.residual_discriminator(
                    shape, num_classes, discriminator_filters, seeds[1], f"discriminator_{k}"
                )
            )
        generators.append(
            laplacian.dense_generator(latent_size, coarsest, num_classes, units, seed, "coarsest", normalized=True)
        )
        discriminators.append(
            laplacian.dense_discriminator(coarsest, num_classes, units, seed + 1, "coarsest", dropout=0.0)
        )
        model = LAPGAN(
            dataset.data_shape,
            latent_size=latent_size,
            num_classes=num_classes,
            generators=generators,
            discriminators=discriminators,
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(generator_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(discriminator_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.picture("chain", images.chains(model.sample_chain(CHAINS, range(CHAINS) if conditional else None)))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
