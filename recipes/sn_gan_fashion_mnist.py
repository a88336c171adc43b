"""SN-GAN on Fashion-MNIST with DCGAN's networks; the discriminator has spectral instead of batch normalisation.

This is an experiment of the zoo: one of the ten objectives that docs/scores.md compares on one backbone and one budget.

Paper      Miyato et al. 2018, https://arxiv.org/abs/1802.05957; networks of Radford et al. 2015
Published  nothing on these data
Ours       sn_gan-digits: Fréchet classifier distance 4.107, classifier score 6.66, precision 0.270, recall 0.876 (1,000
           samples, rounded to 8 bits). sn_gan-fashion_mnist: Fréchet classifier distance 4.974, classifier score 4.17,
           precision 0.677, recall 0.152 (10,000 samples, not rounded)
Command    zoo train sn_gan_fashion_mnist --precision=mixed_bfloat16
Time       sn_gan-digits: 90 s on 2 cores of AMD EPYC; sn_gan-fashion_mnist: 560 s on 1 core of AMD EPYC, whose other
           had other work
"""

from zoo import SNGAN, networks, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3000,
    batch_size=64,
    checkpoint_every=300,
    latent_size=100,
    filters=64,  # as in dcgan_fashion_mnist
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        discriminator = networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1, normalized=False)
        model = SNGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.spectrally_normalized(discriminator, seed + 2),
            seed=seed,
        )
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
