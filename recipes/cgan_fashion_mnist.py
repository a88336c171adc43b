"""CGAN on Fashion-MNIST with the networks and optimisers of DCGAN: an experiment of the zoo's, of no paper.

Paper      Mirza & Osindero 2014, https://arxiv.org/abs/1411.1784; networks of Radford et al. 2015
Published  nothing on these data
Ours       not scored yet
Command    zoo train cgan_fashion_mnist
Time       not measured yet
"""

import keras

from zoo import CGAN, networks, recipe

LATENT_SIZE = 100
FILTERS = 64
EMA_DECAY = 0.999
RATE = 2e-4
MOMENTUM = 0.5


def conditional_dcgan(shape, num_classes, seed):
    """A generator and a discriminator of images in [0, 1], as CGAN's are."""
    generator = networks.dcgan_generator(shape, LATENT_SIZE, FILTERS, seed, num_classes)
    images = keras.layers.Rescaling(0.5, 0.5, dtype="float32")(generator.output)  # from [-1, 1]
    discriminator = networks.dcgan_discriminator(shape, FILTERS, seed + 1, num_classes)
    return keras.Model(generator.inputs, images, name="generator"), discriminator


def adam():
    return keras.optimizers.Adam(RATE, beta_1=MOMENTUM, epsilon=1e-8)


def main(run):
    data, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        generator, discriminator = conditional_dcgan(data.data_shape, data.num_classes, seed)
        model = CGAN(
            data.data_shape,
            num_classes=data.num_classes,
            latent_size=LATENT_SIZE,
            latent_range=(-1, 1),
            generator=generator,
            discriminator=discriminator,
            ema_decay=EMA_DECAY,
            seed=seed,
        )
        model.compile(adam(), adam(), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=9000, batch_size=128, checkpoint_every=450)
