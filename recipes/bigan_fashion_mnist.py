"""BiGAN on Fashion-MNIST with DCGAN's networks: an experiment of the zoo, not of the paper.

Paper      Donahue et al. 2016, https://arxiv.org/abs/1605.09782; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 1.665, classifier score 5.85, precision 0.776, recall 0.628, density 0.733,
           coverage 0.575 (10,000 samples, rounded to 8 bits)
Command    zoo train bigan_fashion_mnist --filters=32 --batch_size=64 --steps=10000 --precision=mixed_bfloat16
Time       1,366 s on 1 core of Intel(R) Xeon(R) Processor
"""

import keras
import numpy as np

from zoo import BiGAN, images, networks, recipe

PICTURED = 16  # test images


def dcgan_networks(shape, latent_size, filters, seed):
    """A generator, an encoder and a discriminator of images in [0, 1] and latents in (-1, 1)."""
    generator = networks.dcgan_generator(shape, latent_size, filters, seed)
    pixels = keras.layers.Rescaling(0.5, 0.5, dtype="float32")(generator.output)  # from [-1, 1]
    encoder = networks.dcgan_encoder(shape, latent_size, filters, seed + 1)
    latents = keras.layers.Activation("tanh", dtype="float32")(encoder.output)
    return (
        keras.Model(generator.input, pixels, name="generator"),
        keras.Model(encoder.input, latents, name="encoder"),
        networks.dcgan_discriminator_of_pairs(shape, latent_size, filters, seed + 3),
    )


def main(
    run,
    *,
    data="fashion_mnist",
    steps=9000,
    batch_size=128,
    checkpoint_every=450,
    latent_size=64,
    filters=64,
    ema_decay=0.999,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        generator, encoder, discriminator = dcgan_networks(dataset.data_shape, latent_size, filters, seed)
        model = BiGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=generator,
            encoder=encoder,
            discriminator=discriminator,
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    real = dataset.test.images[:PICTURED] / 255
    pairs = np.concatenate([real, model.reconstruct(real)])
    run.picture("reconstructions", images.grid(pairs, columns=PICTURED))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
