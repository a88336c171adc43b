"""LSGAN on Fashion-MNIST with DCGAN's networks and optimisers.

This is an experiment of the zoo: one of the ten objectives that docs/scores.md compares on one backbone and one budget.

Paper      Mao et al. 2017, https://arxiv.org/abs/1611.04076; networks of Radford et al. 2015
Published  nothing on these data
Ours       lsgan-digits: Fréchet classifier distance 4.770, classifier score 6.54, precision 0.288, recall 0.889 (1,000
           samples, rounded to 8 bits). lsgan-fashion_mnist: Fréchet classifier distance 5.996, classifier score 3.66,
           precision 0.634, recall 0.134 (10,000 samples, not rounded)
Command    zoo train lsgan_fashion_mnist --precision=mixed_bfloat16
Time       lsgan-digits: 90 s on 2 cores of AMD EPYC; lsgan-fashion_mnist: 352 s on 1 core of AMD EPYC, whose other had
           other work
"""

from zoo import LSGAN, networks, optimizers, recipe


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3000,
    batch_size=64,
    checkpoint_every=300,
    latent_size=100,
    filters=64,  # this and the optimisers are those of dcgan_fashion_mnist; the paper's rate is five times as high
    learning_rate=2e-4,
):
    dataset, seed = run.data(), run.flags.seed
    with run.strategy.scope():
        model = LSGAN(
            dataset.data_shape,
            latent_size=latent_size,
            generator=networks.dcgan_generator(dataset.data_shape, latent_size, filters, seed),
            discriminator=networks.dcgan_discriminator(dataset.data_shape, filters, seed + 1),
            seed=seed,
        )
        model.compile(
            generator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(learning_rate, beta_1=0.5),
            **run.compile_settings,
        )
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
