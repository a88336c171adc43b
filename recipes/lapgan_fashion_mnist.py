"""LAPGAN, or with `--conditional` CC-LAPGAN, on Fashion-MNIST, with the discriminators and optimisers of DCGAN.

The pyramid goes from 7x7 to 14x14 to 28x28 pixels. The generators of 14x14 and 28x28 pixels are the paper's with fewer
planes; the one of 7x7 has batch normalisation. The discriminator of each level sees the image of its size, as the
paper's does, but it is DCGAN's with two convolutions. The paper's own discriminator, even with 64 planes, hardly tells
real images of 14x14 pixels from generated ones, so that their details vary too little, and with the paper's networks at
7x7 the samples vary little too. For the same reason the discriminators of CC-LAPGAN at 7x7 and 14x14 pixels also
compare the images of a minibatch (Salimans et al. 2016, https://arxiv.org/abs/1606.03498): without that, the one at
14x14 pixels soon judges only about six images in ten correctly. `python benchmarks/laplacian_levels.py` shows what each
level loses.

Paper      Denton et al. 2015, https://arxiv.org/abs/1506.05751
Published  nothing on these data
Ours       cc_lapgan-fashion_mnist: Fréchet classifier distance 2.024, classifier score 7.09, precision 0.777, recall
           0.203, density 0.771, coverage 0.489 (10,000 samples, rounded to 8 bits). lapgan-fashion_mnist: Fréchet
           classifier distance 3.252, classifier score 5.55, precision 0.719, recall 0.218, density 0.587, coverage
           0.355 (10,000 samples, rounded to 8 bits)
Command    zoo train lapgan_fashion_mnist --steps 15000 --precision mixed_bfloat16
           zoo train lapgan_fashion_mnist --conditional --minibatch_kernels 64 --steps 15000
           --precision mixed_bfloat16 --workdir runs/cc_lapgan_fashion_mnist
           zoo train lapgan_fashion_mnist --conditional --minibatch_kernels 64 --steps 10000
           --precision mixed_bfloat16 --init runs/cc_lapgan_fashion_mnist --workdir runs/cc_lapgan-longer
Time       cc_lapgan-fashion_mnist: 3,818 s on 1 core of Intel(R) Xeon(R) Processor; lapgan-fashion_mnist: 2,233 s on 1
           core of Intel(R) Xeon(R) Processor
"""

import keras

from zoo import LAPGAN, images, layers, networks, optimizers, pyramid, recipe
from zoo.networks import laplacian

CHAINS = 10
STAGES = 2  # convolutions of each discriminator
KERNEL_SIZE = 8  # numbers that a kernel of minibatch discrimination compares between two images


def discriminator_of_sums(parts, shape, num_classes, filters, kernels, seed, name):
    """DCGAN's discriminator of the sum of `parts` images, here of a detail and the low-pass image if there are two.

    With `kernels`, minibatch discrimination precedes the logit.
    """
    inputs = [keras.Input(shape) for _ in range(parts)]
    classes = laplacian.class_input(num_classes)
    image = keras.layers.Add()(inputs) if parts > 1 else inputs[0]
    judge = networks.dcgan_discriminator(shape, filters, seed, num_classes, stages=STAGES)
    if kernels:
        *_, features, logit = judge.layers
        compared = layers.MinibatchDiscrimination(kernels, KERNEL_SIZE)(features.output)
        judge = keras.Model(judge.inputs, keras.layers.Dense.from_config(logit.get_config())(compared))
    inputs += classes
    return keras.Model(inputs if len(inputs) > 1 else image, judge([image, *classes] if classes else image), name=name)


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=500,
    conditional=False,  # whether the networks are given the class
    filters=16,  # of the generator at 28x28, twice as many at 14x14; the paper's 128 and 64 take many times as long
    discriminator_filters=64,  # of the first convolution
    minibatch_kernels=0,  # of every discriminator but the finest; 0 for no minibatch discrimination
    units=512,  # of the generator at 7x7
    latent_size=100,
    ema_decay=0.999,
    learning_rate=2e-4,  # this and the momentum are those of dcgan_fashion_mnist
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
                discriminator_of_sums(
                    2,
                    shape,
                    num_classes,
                    discriminator_filters,
                    minibatch_kernels if k else 0,
                    seeds[1],
                    f"discriminator_{k}",
                )
            )
        generators.append(
            laplacian.dense_generator(latent_size, coarsest, num_classes, units, seed, "coarsest", normalized=True)
        )
        discriminators.append(
            discriminator_of_sums(
                1, coarsest, num_classes, discriminator_filters, minibatch_kernels, seed + 1, "coarsest"
            )
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
            generator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=momentum),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.picture("chain", images.chains(model.sample_chain(CHAINS, range(CHAINS) if conditional else None)))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
