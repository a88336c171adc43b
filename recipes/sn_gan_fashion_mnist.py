"""SN-GAN on Fashion-MNIST with DCGAN's networks; the discriminator has spectral instead of batch normalisation.

This is an experiment of the zoo: one of the objectives that docs/scores.md compares on one backbone and one budget.

Paper      Miyato et al. 2018, https://arxiv.org/abs/1802.05957; networks of Radford et al. 2015
Published  nothing on these data
Ours       Fréchet classifier distance 2.774, classifier score 5.07, precision 0.684, recall 0.390, density 0.567,
           coverage 0.351 (10,000 samples, rounded to 8 bits). Mean over the training seeds 0, 1, 2: Fréchet classifier
           distance 2.781 ± 0.061, classifier score 5.03 ± 0.065, precision 0.684 ± 0.0019, recall 0.380 ± 0.0082
Command    zoo train sn_gan_fashion_mnist --precision=mixed_bfloat16
Time       351 s on 1 core of Intel(R) Xeon(R) Processor
"""

from zoo import SNGAN, networks, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=10_000,
    batch_size=64,
    checkpoint_every=1000,
    latent_size=100,
    filters=32,  # half of those of dcgan_fashion_mnist
    ema_decay=0.999,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        discriminator = networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1, normalized=False)
        model = SNGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.spectrally_normalized(discriminator, seed + 2),
            ema_decay=ema_decay,
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
