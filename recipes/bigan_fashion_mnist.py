"""BiGAN on Fashion-MNIST between DCGAN's networks: an experiment of the zoo's, not the paper's.

Paper      Donahue et al. 2016, https://arxiv.org/abs/1605.09782; networks of Radford et al. 2015
Published  nothing on these data
Ours       not scored yet
Command    zoo train bigan_fashion_mnist
Time       not measured yet
"""

import keras
import numpy as np

from zoo import BiGAN, images, networks, recipe

LATENT_SIZE = 64
FILTERS = 64
EMA_DECAY = 0.999
PICTURED = 16  # test images


def dcgan_networks(shape, seed):
    """A generator, an encoder and a discriminator of images in [0, 1] and latents in (-1, 1)."""
    generator = networks.dcgan_generator(shape, LATENT_SIZE, FILTERS, seed)
    pixels = keras.layers.Rescaling(0.5, 0.5, dtype="float32")(generator.output)  # from [-1, 1]
    encoder = networks.dcgan_encoder(shape, LATENT_SIZE, FILTERS, seed + 1)
    latents = keras.layers.Activation("tanh", dtype="float32")(encoder.output)
    return (
        keras.Model(generator.input, pixels, name="generator"),
        keras.Model(encoder.input, latents, name="encoder"),
        networks.dcgan_discriminator_of_pairs(shape, LATENT_SIZE, FILTERS, seed + 3),
    )


def main(run):
    data, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        generator, encoder, discriminator = dcgan_networks(data.data_shape, seed)
        model = BiGAN(
            data.data_shape,
            latent_size=LATENT_SIZE,
            generator=generator,
            encoder=encoder,
            discriminator=discriminator,
            ema_decay=EMA_DECAY,
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, data.train)
    real = data.test.images[:PICTURED] / 255
    pairs = np.concatenate([real, model.reconstruct(real)])
    run.picture("reconstructions", images.grid(pairs, columns=PICTURED))
    run.export(model, data)


if __name__ == "__main__":
    recipe.run(main, data="fashion_mnist", steps=9000, batch_size=128, checkpoint_every=450)
